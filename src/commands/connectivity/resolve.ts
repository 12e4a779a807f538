import { isIpv6 } from '../../cluster/connectivity/ip-text.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient, KubeObject } from '../../kube/client.ts';
import { listAll } from '../../kube/pages.ts';
import { pathIn } from '../../kube/paths.ts';
import { podPath, troubleOf } from '../../kube/pods.ts';

interface PodObject extends KubeObject {
  spec?: {
    nodeName?: string;
    hostNetwork?: boolean;
    containers?: { name?: string; ports?: { name?: string; containerPort?: number; protocol?: string }[] }[];
  };
  status?: { phase?: string; podIP?: string; podIPs?: { ip?: string }[] };
}

interface ServiceObject extends KubeObject {
  spec?: {
    type?: string;
    clusterIP?: string;
    clusterIPs?: string[];
    ports?: { name?: string; port?: number; protocol?: string; targetPort?: number | string }[];
  };
}

interface SliceObject extends KubeObject {
  endpoints?: {
    addresses?: string[];
    conditions?: { ready?: boolean };
    nodeName?: string;
    targetRef?: { kind?: string; name?: string; namespace?: string };
  }[];
  ports?: { name?: string; port?: number; protocol?: string }[];
}

/** A pod that a path begins or ends at. */
export interface FoundPod {
  kind: 'pod';
  name: string;
  namespace: string;
  pod: string;
  node: string;
  ips: string[];
  containers: string[];
  ports: { port: number; protocol: string }[];
  isHost: boolean;
  trouble: string | undefined;
}

/** A service that a path ends at. */
export interface FoundService {
  kind: 'service';
  name: string;
  ips: string[];
  ports: { name: string; port: number; protocol: string }[];
  /** The pods behind a port of it. */
  backends(
    portName: string,
  ): { name: string; node: string | undefined; ip: string; port: number; isReady: boolean }[];
}

/** What a name of the command line says: `NS/NAME` or `NAME`, and in front of that `pod/`, `service/` or `svc/`. */
export function parseEnd(
  text: string,
  namespace: string,
): { kind: 'pod' | 'service' | undefined; namespace: string; name: string } {
  const parts = text.split('/');
  const first = parts[0] ?? '';
  const kind = /^(pods?|po)$/.test(first) ? 'pod' : /^(services?|svc)$/.test(first) ? 'service' : undefined;
  const rest = kind !== undefined && parts.length > 1 ? parts.slice(1) : parts;
  if (rest.length > 2 || rest.some((part) => part === ''))
    throw new UserError(`"${text}" names neither a pod nor a service`, {
      hint: 'Name it as NAMESPACE/NAME, and a service that has the name of a pod as service/NAMESPACE/NAME.',
    });
  const [ns, name] = rest.length === 2 ? rest : [namespace, rest[0]];
  return { kind: rest === parts ? undefined : kind, namespace: ns ?? namespace, name: name ?? '' };
}

/** Finds the pod of that name. */
export async function findPod(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<FoundPod | undefined> {
  const pod = await client.find<PodObject>({ path: podPath(namespace, name) });
  if (!pod) return undefined;
  const { spec = {}, status = {} } = pod;
  const ips = (status.podIPs ?? []).flatMap(({ ip }) => ip ?? []);
  const containers = (spec.containers ?? []).flatMap(({ name: own }) => own ?? []);
  const [first = ''] = containers;
  return {
    kind: 'pod',
    name: `${namespace}/${name}`,
    namespace,
    pod: name,
    node: spec.nodeName ?? '',
    ips: ips.length > 0 ? ips : status.podIP === undefined ? [] : [status.podIP],
    containers,
    ports: (spec.containers ?? []).flatMap(({ ports = [] }) =>
      ports.flatMap(({ containerPort, protocol = 'TCP' }) =>
        containerPort === undefined ? [] : [{ port: containerPort, protocol }],
      ),
    ),
    isHost: spec.hostNetwork === true,
    trouble: troubleOf(pod as never, first),
  };
}

/** Finds the service of that name, and what is behind it. */
export async function findService(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<FoundService | undefined> {
  const root = pathIn(namespace, 'services', name);
  const service = await client.find<ServiceObject>({ path: root });
  if (!service) return undefined;
  const slices = await listAll<SliceObject, SliceObject>(
    client,
    pathIn(namespace, 'discovery.k8s.io/v1/endpointslices'),
    { labelSelector: `kubernetes.io/service-name=${name}` },
    (slice) => slice,
  );
  const { clusterIP, clusterIPs = [], ports = [] } = service.spec ?? {};
  const ips = (clusterIPs.length > 0 ? clusterIPs : [clusterIP]).flatMap((ip) =>
    ip && ip !== 'None' ? ip : [],
  );
  return {
    kind: 'service',
    name: `${namespace}/${name}`,
    ips,
    ports: ports.flatMap(({ name: own = '', port, protocol = 'TCP' }) =>
      port === undefined ? [] : [{ name: own, port, protocol }],
    ),
    backends: (portName) =>
      slices.flatMap(({ endpoints = [], ports: own = [] }) => {
        const port = own.find((one) => (one.name ?? '') === portName)?.port;
        if (port === undefined) return [];
        return endpoints.flatMap(({ addresses: [ip] = [], conditions, nodeName, targetRef }) =>
          ip === undefined
            ? []
            : [
                {
                  name:
                    targetRef?.kind === 'Pod' ? `${targetRef.namespace ?? namespace}/${targetRef.name}` : ip,
                  node: nodeName,
                  ip,
                  port,
                  isReady: conditions?.ready !== false,
                },
              ],
        );
      }),
  };
}

/** An address of the same family as one of the others. */
export function matchingIp(ips: readonly string[], of: readonly string[]): string | undefined {
  return ips.find((ip) => of.some((other) => isIpv6(other) === isIpv6(ip))) ?? ips[0];
}
