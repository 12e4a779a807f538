import { isRecord } from '../../../lib/record.ts';
import type { ContainerPort } from '../../../model/agent-lists.ts';
import type { LabelSelector } from '../../../model/selector.ts';
import { termsOf } from '../../../model/selector.ts';
import type { Service } from '../../rule.ts';
import { type Identity, identityOf, meets } from './identities.ts';

/** Kubernetes objects that rules refer to by name or label. */
export interface ClusterObjects {
  /** Of CiliumCIDRGroups. */
  cidrGroups: { name: string; labels: Identity; cidrs: readonly string[] }[];
  services: ClusterService[];
  pods: PodObject[];
  /** Labels by the name of the namespace. */
  namespaces: Map<string, Readonly<Record<string, string>>>;
}

/** A pod as Kubernetes has it. */
export interface PodObject {
  namespace: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  account: string;
  ips: readonly string[];
  namedPorts: readonly ContainerPort[];
  /** It uses the network of its node: its traffic is the node's. */
  onNode: boolean;
  ended: boolean;
  /** The number of its identity, once it is in the state. */
  identity?: number;
}

export interface ClusterService {
  namespace: string;
  name: string;
  labels: Identity;
  /** Selects its pods. A service without one stands for its addresses. */
  selector: Readonly<Record<string, string>> | undefined;
  /** Of its endpoints. */
  addresses: string[];
  /** The addresses that clients use; `outer` are for clients outside the cluster, too. */
  ips: { address: string; outer: boolean }[];
  ports: ServicePort[];
  /** Its endpoints with their ports. */
  backends: Backend[];
  /** Nodes keep the client's address (externalTrafficPolicy: Local). */
  keepsClient: boolean;
}

/** A port of a service: what clients use, and the number or name of the container's port behind it. */
export interface ServicePort {
  name: string;
  protocol: string;
  port: number;
  nodePort: number | undefined;
  target: number | string;
}

export interface Backend {
  ip: string;
  /** By the name of the service's port. */
  ports: { name: string; port: number; protocol: string }[];
  /** `namespace/name`. */
  pod?: string;
}

export function noObjects(): ClusterObjects {
  return { cidrGroups: [], services: [], pods: [], namespaces: new Map() };
}

/**
 * Adds a CiliumCIDRGroup, Service, Endpoints, EndpointSlice, Pod or Namespace; returns false for an object of another kind. Malformed
 * parts are ignored: the API server has checked these objects.
 */
export function takeObject(object: Record<string, unknown>, into: ClusterObjects): boolean {
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  const spec = isRecord(object.spec) ? object.spec : {};
  const name = String(metadata.name ?? '');
  const namespace = String(metadata.namespace ?? 'default');
  const labels = textMap(metadata.labels);
  switch (object.kind) {
    case 'CiliumCIDRGroup':
      into.cidrGroups.push({ name, labels: labelled(labels), cidrs: texts(spec.externalCIDRs) });
      return true;
    case 'Service': {
      const service = serviceOf(into, namespace, name);
      const selector = textMap(spec.selector);
      service.labels = labelled(labels);
      service.selector = Object.keys(selector).length > 0 ? selector : undefined;
      service.ips.push(...clientAddresses(spec, object.status));
      service.ports.push(...objects(spec.ports).map(portOf));
      service.keepsClient = spec.externalTrafficPolicy === 'Local';
      return true;
    }
    case 'Endpoints': {
      const service = serviceOf(into, namespace, name);
      for (const subset of objects(object.subsets))
        for (const { ip, targetRef } of objects(subset.addresses)) {
          service.addresses.push(String(ip));
          service.backends.push(backendOf(String(ip), targetRef, subset.ports));
        }
      return true;
    }
    case 'EndpointSlice': {
      const owner = labels['kubernetes.io/service-name'];
      if (owner === undefined) return true;
      const service = serviceOf(into, namespace, owner);
      for (const { addresses, targetRef, conditions } of objects(object.endpoints))
        for (const ip of texts(addresses)) {
          service.addresses.push(ip);
          if (!isRecord(conditions) || conditions.ready !== false)
            service.backends.push(backendOf(ip, targetRef, object.ports));
        }
      return true;
    }
    case 'Pod':
      into.pods.push(podOf({ namespace, name, labels }, spec, isRecord(object.status) ? object.status : {}));
      return true;
    case 'Namespace':
      into.namespaces.set(name, { 'kubernetes.io/metadata.name': name, ...labels });
      return true;
    default:
      return false;
  }
}

/** The kinds that `takeObject` takes. */
export const OBJECT_KINDS = 'CiliumCIDRGroup, Service, Endpoints, EndpointSlice, Pod or Namespace';

function podOf(
  named: Pick<PodObject, 'namespace' | 'name' | 'labels'>,
  spec: Record<string, unknown>,
  status: Record<string, unknown>,
): PodObject {
  const { podIP, podIPs, phase } = status;
  return {
    ...named,
    account: String(spec.serviceAccountName ?? spec.serviceAccount ?? 'default'),
    ips: [...new Set([...texts([podIP]), ...objects(podIPs).flatMap(({ ip }) => texts([ip]))])],
    namedPorts: objects(spec.containers)
      .flatMap(({ ports }) => objects(ports))
      .flatMap(({ name, containerPort, protocol }) =>
        typeof name === 'string' && typeof containerPort === 'number'
          ? [{ name, port: containerPort, protocol: String(protocol ?? 'TCP') }]
          : [],
      ),
    onNode: spec.hostNetwork === true,
    ended: phase === 'Succeeded' || phase === 'Failed',
  };
}

/** Everything that clients can address but a name and the nodes. */
function clientAddresses(spec: Record<string, unknown>, status: unknown): ClusterService['ips'] {
  const balancer = isRecord(status) && isRecord(status.loadBalancer) ? status.loadBalancer : {};
  const outer = [
    ...texts([spec.loadBalancerIP]),
    ...texts(spec.externalIPs),
    ...objects(balancer.ingress).flatMap(({ ip }) => texts([ip])),
  ];
  return [
    ...[...texts([spec.clusterIP]), ...texts(spec.clusterIPs)].map((address) => ({ address, outer: false })),
    ...outer.map((address) => ({ address, outer: true })),
  ];
}

function portOf({ name, protocol, port, nodePort, targetPort }: Record<string, unknown>): ServicePort {
  const number = Number(port);
  return {
    name: String(name ?? ''),
    protocol: String(protocol ?? 'TCP'),
    port: number,
    nodePort: typeof nodePort === 'number' && nodePort > 0 ? nodePort : undefined,
    target: targetOf(targetPort) ?? number,
  };
}

function targetOf(target: unknown): number | string | undefined {
  if (typeof target === 'number') return target === 0 ? undefined : target;
  return typeof target === 'string' && target !== '' ? target : undefined;
}

function backendOf(ip: string, target: unknown, ports: unknown): Backend {
  const pod = isRecord(target) && target.kind === 'Pod' ? `${target.namespace}/${target.name}` : undefined;
  return {
    ip,
    ports: objects(ports).flatMap(({ name, port, protocol }) =>
      typeof port === 'number'
        ? [{ name: String(name ?? ''), port, protocol: String(protocol ?? 'TCP') }]
        : [],
    ),
    ...(pod !== undefined && { pod }),
  };
}

/** The service of this name, added when it is new. */
export function serviceOf(into: ClusterObjects, namespace: string, name: string): ClusterService {
  const known = into.services.find((each) => each.namespace === namespace && each.name === name);
  if (known) return known;
  const made: ClusterService = {
    namespace,
    name,
    labels: labelled({}),
    selector: undefined,
    addresses: [],
    ips: [],
    ports: [],
    backends: [],
    keepsClient: false,
  };
  into.services.push(made);
  return made;
}

/** The services that a `toServices` entry selects; undefined when they are not known. */
export function servicesOf(
  { k8sService, k8sServiceSelector }: Service,
  { services }: ClusterObjects,
): ClusterService[] | undefined {
  const wanted = k8sService?.namespace ?? k8sServiceSelector?.namespace ?? '';
  const there = services.filter(({ namespace }) => wanted === '' || namespace === wanted);
  if (k8sService) {
    const named = there.filter(({ name }) => name === k8sService.serviceName);
    return named.length > 0 ? named : undefined;
  }
  if (services.length === 0 || !k8sServiceSelector) return undefined;
  return there.filter(({ labels }) => carries(labels, k8sServiceSelector.selector));
}

/** The prefixes of the CIDR groups that the selector selects; undefined when no group is known. */
export function groupsOf(selector: LabelSelector, { cidrGroups }: ClusterObjects): string[] | undefined {
  if (cidrGroups.length === 0) return undefined;
  return cidrGroups.filter(({ labels }) => carries(labels, selector)).flatMap(({ cidrs }) => cidrs);
}

function carries(labels: Identity, selector: LabelSelector): boolean {
  return termsOf(selector).every((term) => meets(labels, term));
}

function labelled(labels: Readonly<Record<string, string>>): Identity {
  return identityOf(
    -1,
    Object.entries(labels).map(([key, value]) => `k8s:${key}=${value}`),
  );
}

function textMap(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, String(own)]));
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
