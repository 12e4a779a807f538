import { formatAddress, formatRange, WIDTH } from '../../../lib/address.ts';
import type { Flow, Endpoint as FlowEndpoint, TCPFlags } from '../../../model/hubble.gen.ts';
import { POD_NAMESPACE } from '../../../model/label.ts';
import { type Identity, isHost, isNode, isOutside, isVague } from '../selectors/identities.ts';
import type { Peers } from './peers.ts';
import type { Traffic } from './ports-of-traffic.ts';
import { type Balanced, balancedBy, balancedByName } from './services.ts';
import { identityWithoutLabels } from './unlabelled.ts';

/** What is read of a flow, by the names of Hubble's JSON. */
export const FLOW_FIELDS = [
  'time',
  'uuid',
  'verdict',
  'drop_reason',
  'IP',
  'l4',
  'source',
  'destination',
  'Type',
  'node_name',
  'source_names',
  'destination_names',
  'l7',
  'event_type',
  'source_service',
  'destination_service',
  'traffic_direction',
  'trace_observation_point',
  'drop_reason_desc',
  'is_reply',
  'egress_allowed_by',
  'ingress_allowed_by',
  'egress_denied_by',
  'ingress_denied_by',
] as const satisfies readonly (keyof Flow)[];

const ENDS = ['source', 'destination'] as const;

/**
 * What `connectionOf`, `seenOf` and the facts and names of a table of flows read of a flow, but for its ports of TCP, UDP and
 * SCTP: they only say which end opened the connection, and which port it has.
 */
export const ALIKE_FIELDS: readonly string[] = [
  'verdict',
  'drop_reason',
  'drop_reason_desc',
  'Type',
  'IP.source',
  'IP.destination',
  'l4.TCP.source_port',
  'l4.TCP.destination_port',
  'l4.TCP.flags.SYN',
  'l4.TCP.flags.ACK',
  'l4.UDP.source_port',
  'l4.UDP.destination_port',
  'l4.SCTP.source_port',
  'l4.SCTP.destination_port',
  'l4.ICMPv4.type',
  'l4.ICMPv6.type',
  'is_reply',
  'node_name',
  'l7.type',
  'l7.dns.query',
  'l7.dns.ips',
  'event_type.type',
  'event_type.sub_type',
  'traffic_direction',
  'trace_observation_point',
  ...ENDS.flatMap((end) => [
    ...['identity', 'cluster_name', 'namespace', 'labels', 'pod_name', 'workloads'].map(
      (name) => `${end}.${name}`,
    ),
    `${end}_names`,
    `${end}_service.name`,
    `${end}_service.namespace`,
  ]),
];

/** A flow in the JSON form of Hubble, as far as it is read. */
export type FlowRecord = Pick<Flow, (typeof FLOW_FIELDS)[number]>;

/**
 * What policy did with a flow: nothing (`other`), or the flow does not show it: it has no verdict, or a new one (`unsaid`), or it was
 * dropped and has no reason (`dropped`).
 */
export type Seen = 'allowed' | 'denied' | 'other' | 'dropped' | 'unsaid';

/** The connection of a flow; the source is the end that opened it. */
export interface Connection {
  source: Identity;
  destination: Identity;
  traffic: Traffic;
  /** Equal for flows that policy treats alike. */
  key: string;
  sourceName: string;
  destinationName: string;
  /** Pods, when the flow names them. */
  sourcePod?: string;
  destinationPod?: string;
  /** `namespace/kind/name` of what the pods belong to, when the flow names it. */
  sourceWorkload?: string;
  destinationWorkload?: string;
  seen: Seen;
  /** Policy dropped it at the host itself. */
  droppedAtHost: boolean;
  /** The destination is the address of a service. */
  balanced: Balanced | undefined;
}

/** Names and numbers of the reasons for which policy drops. */
export const POLICY_DROPS = { POLICY_DENIED: 133, POLICY_DENY: 181, AUTH_REQUIRED: 189 } as const;
const POLICY_DROP_NUMBERS: ReadonlySet<unknown> = new Set(Object.values(POLICY_DROPS));
const PASSED: ReadonlySet<unknown> = new Set(['FORWARDED', 'REDIRECTED', 'TRACED', 'TRANSLATED', 'AUDIT']);

/** The connection of a flow, or the reason why policy does not decide it. `ports` may be others than those of the flow. */
export function connectionOf(flow: FlowRecord, peers: Peers, ports = portsOf(flow)): Connection | string {
  if (!flow.source || !flow.destination) return 'no addresses';
  if (!ports) return flow.IP ? 'no transport protocol' : 'no addresses';
  if (isIcmpError(ports)) return ICMP_ERROR;
  const reply = isReply(flow, ports);
  if (reply === undefined) return 'it may be a request or a reply';
  const [from, to] = reply ? [flow.destination, flow.source] : [flow.source, flow.destination];
  const { source: left = '', destination: right = '' } = flow.IP ?? {};
  const [fromIp, toIp] = reply ? [right, left] : [left, right];
  const [fromNames, toNames] = reply
    ? [flow.destination_names, flow.source_names]
    : [flow.source_names, flow.destination_names];
  const source = identityOfEnd(from, fromIp, fromNames, peers);
  const destination = identityOfEnd(to, toIp, toNames, peers);
  const port = reply ? ports.source : ports.destination;
  const traffic = { protocol: ports.protocol, port };
  const sourcePod = podOf(from);
  const destinationPod = podOf(to);
  const sourceWorkload = workloadOfEnd(from);
  const destinationWorkload = workloadOfEnd(to);
  const service = reply ? flow.source_service : flow.destination_service;
  const balanced = balancedOf({ identity: destination, ip: toIp }, service, traffic, peers);
  const droppedAtHost = isDroppedAtHost(flow, source, destination);
  const pod = (identity: Identity, name: string | undefined) => (isVague(identity) ? ` ${name}` : '');
  return {
    source,
    destination,
    traffic,
    key: `${source.id}${pod(source, sourcePod)} ${destination.id}${pod(destination, destinationPod)} ${ports.protocol} ${port} ${droppedAtHost} ${balanced?.service}`,
    sourceName: nameOfEnd(from, fromIp, fromNames),
    destinationName: nameOfEnd(to, toIp, toNames),
    ...(sourcePod && { sourcePod }),
    ...(destinationPod && { destinationPod }),
    ...(sourceWorkload && { sourceWorkload }),
    ...(destinationWorkload && { destinationWorkload }),
    seen: seenOf(flow),
    droppedAtHost,
    balanced,
  };
}

/** The ends of a flow of which it is not known which one opened the connection. */
export function endsOf(flow: FlowRecord, peers: Peers): Identity[] {
  const { source, destination, IP, source_names, destination_names } = flow;
  return [
    ...(source ? [identityOfEnd(source, IP?.source ?? '', source_names, peers)] : []),
    ...(destination ? [identityOfEnd(destination, IP?.destination ?? '', destination_names, peers)] : []),
  ];
}

/** The only flows without a verdict of their own. */
export const ICMP_ERROR = 'an ICMP error belongs to the connection that it reports on';

/** A pod is no address of a service, whatever the flow says. */
function balancedOf(
  destination: { identity: Identity; ip: string },
  named: Flow['destination_service'],
  traffic: Traffic,
  peers: Peers,
): Balanced | undefined {
  const { identity } = destination;
  if (!isOutside(identity) && !isNode(identity) && identity.gap?.of !== 'any') return undefined;
  const found = balancedBy(peers, destination, traffic);
  if (found || isNode(identity) || !named?.name) return found;
  return balancedByName(peers, { namespace: named.namespace ?? '', name: named.name }, traffic);
}

/** Whether the end that dropped the flow is the host. */
function isDroppedAtHost(flow: FlowRecord, source: Identity, destination: Identity): boolean {
  if (!isPolicyDrop(flow)) return false;
  if (flow.traffic_direction === 'INGRESS') return isHost(destination);
  if (flow.traffic_direction === 'EGRESS') return isHost(source);
  return (isHost(destination) && isOutside(source)) || (isHost(source) && isOutside(destination));
}

/** Whether the flow shows that policy dropped it. */
export function isPolicyDrop(flow: FlowRecord): boolean {
  return flow.verdict === 'DROPPED' && byPolicy(flow) === true;
}

/** Whether policy is why a flow was dropped: by the reason's name or number, or by the event's. Undefined without any. */
function byPolicy({
  drop_reason_desc: name,
  drop_reason,
  event_type: event,
}: FlowRecord): boolean | undefined {
  if (name && name !== 'DROP_REASON_UNKNOWN') return Object.hasOwn(POLICY_DROPS, name);
  if (event?.type === 5) return true;
  const number = drop_reason || (event?.type === 1 && event.sub_type) || 0;
  return number === 0 ? undefined : POLICY_DROP_NUMBERS.has(number);
}

/**
 * An L7 drop counts as allowed, because the connection was. Flows seen before policy (`FROM_…`) and calls to sockets show no
 * verdict.
 */
export function seenOf(flow: FlowRecord): Seen {
  const { verdict, Type, trace_observation_point: point } = flow;
  if (Type === 'SOCK') return 'other';
  const before = String(point ?? '').startsWith('FROM_');
  if (PASSED.has(verdict)) return before ? 'other' : 'allowed';
  if (verdict === 'ERROR') return 'other';
  if (verdict !== 'DROPPED') return before ? 'other' : 'unsaid';
  if (Type === 'L7') return 'allowed';
  const policy = byPolicy(flow);
  return policy === undefined ? 'dropped' : policy ? 'denied' : 'other';
}

export interface FlowPorts {
  protocol: number;
  source: number | undefined;
  destination: number | undefined;
  flags?: TCPFlags;
}

/** The transport protocol of a flow with its ports, or types of ICMP. */
export function portsOf({ l4 }: FlowRecord): FlowPorts | undefined {
  for (const [name, protocol] of [
    ['TCP', 6],
    ['UDP', 17],
    ['SCTP', 132],
  ] as const) {
    const ports = l4?.[name];
    if (ports)
      return {
        protocol,
        source: ports.source_port,
        destination: ports.destination_port,
        ...('flags' in ports && ports.flags && { flags: ports.flags }),
      };
  }
  if (l4?.ICMPv4)
    return { protocol: 1, source: requestType(l4.ICMPv4.type ?? 0), destination: l4.ICMPv4.type ?? 0 };
  if (l4?.ICMPv6)
    return { protocol: 58, source: requestType(l4.ICMPv6.type ?? 0), destination: l4.ICMPv6.type ?? 0 };
  return undefined;
}

/** Connection tracking allows these as part of the connection. */
function isIcmpError({ protocol, destination = -1 }: FlowPorts): boolean {
  if (protocol === 1) return [3, 4, 5, 11, 12].includes(destination);
  return protocol === 58 && destination >= 1 && destination <= 4;
}

/** The type of the request that an ICMP reply answers. */
function requestType(type: number): number {
  return { 0: 8, 14: 13, 129: 128, 43: 42, 161: 160 }[type] ?? type;
}

/** The first ephemeral port of most systems. */
const EPHEMERAL = 32_768;

/** Whether a flow goes to the end that opened the connection; undefined where it may be either. */
export function isReply(
  flow: FlowRecord,
  { protocol, source, destination, flags }: FlowPorts,
): boolean | undefined {
  if (typeof flow.is_reply === 'boolean') return flow.is_reply;
  // Policy only decides packets that open a connection.
  if (flow.event_type?.type === 5 || byPolicy(flow)) return false;
  if (protocol === 1 || protocol === 58) return source !== destination;
  if (flags?.SYN) return flags.ACK === true;
  const low = (port: number | undefined) => port !== undefined && port < EPHEMERAL;
  if (low(destination) && !low(source)) return false;
  if (low(source) && !low(destination)) return true;
  return undefined;
}

function identityOfEnd(end: FlowEndpoint, ip: string, names: readonly string[] = [], peers: Peers): Identity {
  const before = peers.ofEnds.get(end);
  if (before) return before;
  const labels = (end.labels ?? []).filter((label) => label !== 'reserved:unknown');
  if (labels.length === 0) return identityWithoutLabels(end, ip, names, peers);
  const known = end.identity === undefined ? undefined : peers.engine.identities.get(end.identity);
  const outside = labels.some(
    (label) => label.startsWith('cidr:') || label.startsWith('fqdn:') || label.startsWith('reserved:world'),
  );
  if (outside && ip) {
    const world = labels.filter((label) => label.startsWith('reserved:') || label.startsWith('fqdn:'));
    return peers.outside(ip, world, names);
  }
  const found = known && sameLabels(known, labels) ? known : peers.ofLabels(labels, []);
  peers.ofEnds.set(end, found);
  return found;
}

function sameLabels(identity: Identity, labels: readonly string[]): boolean {
  return labels.length === identity.labels.length;
}

function podOf({ namespace, pod_name }: FlowEndpoint): string | undefined {
  return pod_name ? `${namespace ?? ''}/${pod_name}` : undefined;
}

function workloadOfEnd({ namespace, workloads = [] }: FlowEndpoint): string | undefined {
  const [only] = workloads;
  return only?.name && only.kind !== 'Pod' ? `${namespace ?? ''}/${only.kind ?? ''}/${only.name}` : undefined;
}

function nameOfEnd(end: FlowEndpoint, ip: string, names: readonly string[] = []): string {
  return podOf(end) ?? names[0] ?? (reservedName(end.labels) || ip || 'unknown');
}

function reservedName(labels: readonly string[] = []): string {
  const [only] = labels;
  return only?.startsWith('reserved:') && !only.startsWith('reserved:world')
    ? only.slice('reserved:'.length)
    : '';
}

/** The workload of an identity, by which reports group: `default app=api`. */
export function workloadOf(identity: Identity): string {
  const namespace = identity.byKey.get(POD_NAMESPACE)?.value;
  const own = identity.labels
    .filter(
      ({ source, key }) =>
        source === 'k8s' && !key.startsWith('io.kubernetes') && !key.startsWith('io.cilium'),
    )
    .map(({ key, value }) => `${key}=${value}`);
  if (own.length > 0) return `${namespace ? `${namespace} ` : ''}${own.slice(0, 2).join(',')}`;
  if (identity.names[0]) return identity.names[0];
  const range = identity.byKey.size > 0 ? identity.prefixes[0] : undefined;
  if (range && identity.labels.some(({ source }) => source === 'cidr'))
    return range.length === WIDTH[range.family] ? formatAddress(range) : formatRange(range);
  return identity.labels.find(({ source }) => source === 'reserved')?.key ?? `identity ${identity.id}`;
}
