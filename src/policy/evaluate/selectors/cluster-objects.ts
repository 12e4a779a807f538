import { isRecord } from '../../../lib/record.ts';
import type { LabelSelector } from '../../../model/selector.ts';
import { termsOf } from '../../../model/selector.ts';
import type { Service } from '../../rule.ts';
import { type Identity, identityOf, meets } from './identities.ts';

/** Kubernetes objects that rules refer to by name or label. */
export interface ClusterObjects {
  /** Of CiliumCIDRGroups. */
  cidrGroups: { name: string; labels: Identity; cidrs: readonly string[] }[];
  services: ClusterService[];
}

export interface ClusterService {
  namespace: string;
  name: string;
  labels: Identity;
  /** Selects its pods. A service without one stands for its addresses. */
  selector: Readonly<Record<string, string>> | undefined;
  addresses: string[];
}

export function noObjects(): ClusterObjects {
  return { cidrGroups: [], services: [] };
}

/**
 * Adds a CiliumCIDRGroup, Service, Endpoints or EndpointSlice; returns false for an object of another kind. Malformed
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
      return true;
    }
    case 'Endpoints':
      for (const subset of objects(object.subsets))
        for (const { ip } of objects(subset.addresses))
          serviceOf(into, namespace, name).addresses.push(String(ip));
      return true;
    case 'EndpointSlice': {
      const owner = labels['kubernetes.io/service-name'];
      for (const { addresses } of objects(object.endpoints))
        if (owner !== undefined) serviceOf(into, namespace, owner).addresses.push(...texts(addresses));
      return true;
    }
    default:
      return false;
  }
}

/** The service of this name, added when it is new. */
export function serviceOf(into: ClusterObjects, namespace: string, name: string): ClusterService {
  const known = into.services.find((each) => each.namespace === namespace && each.name === name);
  if (known) return known;
  const made = { namespace, name, labels: labelled({}), selector: undefined, addresses: [] };
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
