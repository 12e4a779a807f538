import type { Endpoint, Flow, Service } from '../../../model/hubble.gen.ts';
import { RESERVED_IDENTITIES } from '../../../model/reserved-identity.ts';
import type { TrafficNode } from '../../../model/traffic.ts';
import { clipName } from './counts.ts';

type Side = 'source' | 'destination';

/** What a node is named by; services and counts come with its flows. */
export type NodeName = Omit<TrafficNode, 'services' | 'pods' | 'folded'>;

/** Identities of what lies outside or is not known, which say nothing that an address does not. */
const OUTSIDE: ReadonlySet<number> = new Set([0, 2, 9, 10]);
/** Below it identities are reserved ones. */
const FIRST_ALLOCATED = 256;

/** The node at one end of a flow; undefined when the flow does not show that end. */
export function endOf(flow: Flow, side: Side): NodeName | undefined {
  const end = flow[side] ?? {};
  const { identity = 0, namespace, pod_name: pod, cluster_name: cluster = '' } = end;
  if (namespace && (pod || identity >= FIRST_ALLOCATED)) return podNode(end, namespace, cluster);
  const reserved = OUTSIDE.has(identity) ? undefined : RESERVED_IDENTITIES[identity];
  if (reserved) return nodeName({ kind: 'entity', name: reserved });
  const service = serviceOf(flow, side);
  if (service?.name)
    return nodeName({ kind: 'service', name: service.name, namespace: service.namespace, cluster });
  const names = side === 'source' ? flow.source_names : flow.destination_names;
  const [dns] = names ?? [];
  if (dns) return nodeName({ kind: 'name', name: dns });
  const address = flow.IP?.[side] ?? flow.ethernet?.[side];
  return address ? nodeName({ kind: 'address', name: address }) : undefined;
}

function podNode({ workloads, pod_name, identity }: Endpoint, namespace: string, cluster: string): NodeName {
  const [workload] = workloads ?? [];
  if (workload?.name)
    return nodeName({ kind: 'workload', name: workload.name, namespace, cluster, workload: workload.kind });
  return nodeName({ kind: 'pod', name: pod_name || `identity ${identity}`, namespace, cluster });
}

/** The pod at one end of a flow, as `namespace/name`. */
export function podOf(flow: Flow, side: Side): string | undefined {
  const end = flow[side];
  return end?.namespace && end.pod_name ? clipName(`${end.namespace}/${end.pod_name}`) : undefined;
}

/** The service that an end was reached through. */
export function serviceOf(flow: Flow, side: Side): Service | undefined {
  return side === 'source' ? flow.source_service : flow.destination_service;
}

function nodeName({
  kind,
  ...full
}: Pick<TrafficNode, 'kind' | 'name'> & {
  namespace?: string | undefined;
  cluster?: string | undefined;
  workload?: string | undefined;
}): NodeName {
  const name = clipName(full.name);
  const [cluster, namespace, workload] = [full.cluster, full.namespace, full.workload].map((text = '') =>
    clipName(text),
  );
  return {
    id: [kind, cluster, namespace, workload, name].map(idPart).join('/'),
    kind,
    name,
    namespace: namespace || undefined,
    cluster: cluster || undefined,
    workload: workload || undefined,
  };
}

function idPart(text = ''): string {
  return encodeURIComponent(text.toWellFormed());
}

/** The node that all of a kind are counted with that there is no room for. */
export function othersNode(kind: TrafficNode['kind']): NodeName {
  return nodeName({ kind: 'others', name: OTHERS[kind] });
}

const OTHERS: Readonly<Record<TrafficNode['kind'], string>> = {
  workload: 'other workloads',
  pod: 'other workloads',
  service: 'other services',
  entity: 'other entities',
  name: 'other names',
  address: 'other addresses',
  others: 'others',
};

/** Protocol and ports of a flow; what has no ports has 0 for both. */
export interface Transport {
  protocol: string;
  source: number;
  destination: number;
}

const WITH_PORTS = ['TCP', 'UDP', 'SCTP'] as const;

/** Protocol and ports of a flow. */
export function transportOf({ l4, Type: type }: Flow): Transport {
  for (const protocol of WITH_PORTS) {
    const layer = l4?.[protocol];
    if (layer) return { protocol, source: layer.source_port ?? 0, destination: layer.destination_port ?? 0 };
  }
  const [protocol] = Object.keys(l4 ?? {});
  return { protocol: protocol ?? (type === 'L7' ? 'L7' : 'unknown'), source: 0, destination: 0 };
}

/** From here on systems choose the ports of clients. */
const FIRST_EPHEMERAL = 32_768;
const ECHO_REPLY_V4 = 0;
const ECHO_REPLY_V6 = 129;

/** Whether a flow says that it is an answer, or that it is none; undefined where its ports alone tell. */
export function answerOf({ is_reply: isReply, l7, l4 }: Flow): boolean | undefined {
  if (isReply !== undefined) return isReply;
  if (l7?.type === 'RESPONSE') return true;
  const { ICMPv4: v4, ICMPv6: v6 } = l4 ?? {};
  if (v4) return (v4.type ?? 0) === ECHO_REPLY_V4;
  if (v6) return v6.type === ECHO_REPLY_V6;
  return undefined;
}

/**
 * Whether a flow is an answer. Where Hubble does not say so, which it does not for what the datapath saw before it knew the
 * connection, a low port that speaks to a high one is taken for a server's.
 */
export function isAnswer(said: boolean | undefined, { source, destination }: Transport): boolean {
  return said ?? (source !== 0 && source < FIRST_EPHEMERAL && destination >= FIRST_EPHEMERAL);
}

/** How a port is written: `443/TCP`; a protocol without ports by its name. */
export function portName(protocol: string, port: number): string {
  return port === 0 ? protocol : `${port}/${protocol}`;
}
