import { formatRange } from '../../lib/address.ts';
import { compareBytes } from '../../lib/order.ts';
import type { LabelSelector } from '../../model/selector.ts';
import { workloadOf } from '../evaluate/decide/connections.ts';
import { type Identity, isReserved } from '../evaluate/selectors/identities.ts';
import type {
  EgressRule,
  Entity,
  IcmpField,
  IngressRule,
  PortProtocol,
  PortRule,
  Protocol,
} from '../rule.ts';
import type { FlowTable, Observed } from './flow-table.ts';

/** A CiliumNetworkPolicy as users write it. */
export interface SuggestedPolicy {
  apiVersion: 'cilium.io/v2';
  kind: 'CiliumNetworkPolicy';
  metadata: { name: string; namespace: string };
  spec: { endpointSelector: LabelSelector; ingress?: IngressRule[]; egress?: EgressRule[] };
}

const NAMESPACE = 'io.kubernetes.pod.namespace';

/** The traffic of one workload in one direction. */
interface Side {
  /** Peers and the ports seen, by the name of the peer in the rule. */
  peers: Map<string, { peer: PeerName; ports: Map<string, Observed> }>;
}

interface Subject {
  identity: Identity;
  ingress?: Side;
  egress?: Side;
}

/** The way in which a rule names a peer. */
type PeerName =
  | { kind: 'labels'; selector: LabelSelector; dns: boolean }
  | { kind: 'entity'; entity: Entity }
  | { kind: 'cidr'; cidr: string }
  | { kind: 'name'; name: string };

/**
 * The smallest policies that allow every connection that was allowed: one per workload, with peers by label, DNS name,
 * entity or address, and only the ports that were used. Directions with traffic get default deny.
 */
export function suggest(table: FlowTable): SuggestedPolicy[] {
  const subjects = new Map<string, Subject>();
  for (const observed of table.connections) {
    const source = table.named(observed.connection.source);
    const destination = table.named(observed.connection.destination);
    const passed = observed.denied === 0 && observed.allowed > 0;
    if (!passed && observed.denied === 0) continue;
    if (isWorkload(source))
      note(subjectOf(subjects, source), 'egress', peerName(source, destination, true), observed, passed);
    if (isWorkload(destination))
      note(
        subjectOf(subjects, destination),
        'ingress',
        peerName(destination, source, false),
        observed,
        passed,
      );
  }
  const taken = new Set<string>();
  return [...subjects.values()]
    .map((subject) => policyOf(subject, taken))
    .sort(
      (a, b) =>
        compareBytes(a.metadata.namespace, b.metadata.namespace) ||
        compareBytes(a.metadata.name, b.metadata.name),
    );
}

function isWorkload(identity: Identity): boolean {
  return identity.byKey.has(NAMESPACE) && !isReserved(identity, 'init');
}

function subjectOf(subjects: Map<string, Subject>, identity: Identity): Subject {
  const key = JSON.stringify(selectorOf(identity, undefined));
  const known = subjects.get(key);
  if (known) return known;
  const subject: Subject = { identity };
  subjects.set(key, subject);
  return subject;
}

function note(
  subject: Subject,
  direction: 'ingress' | 'egress',
  peer: PeerName,
  observed: Observed,
  passed: boolean,
): void {
  const side = subject[direction] ?? { peers: new Map() };
  subject[direction] = side;
  if (!passed) return;
  const key = JSON.stringify(peer);
  const known = side.peers.get(key) ?? { peer, ports: new Map<string, Observed>() };
  const { protocol, port } = observed.connection.traffic;
  known.ports.set(`${protocol}/${port}`, observed);
  side.peers.set(key, known);
}

const ENTITIES: readonly Entity[] = [
  'host',
  'kube-apiserver',
  'remote-node',
  'health',
  'ingress',
  'init',
  'unmanaged',
];

function peerName(
  subject: Identity,
  peer: Identity,
  /** Ingress rules cannot name peers by DNS. */
  byName: boolean,
): PeerName {
  const entity = ENTITIES.find((each) => isReserved(peer, each));
  if (entity) return { kind: 'entity', entity };
  if (isWorkload(peer)) {
    const own = peer.byKey.get('k8s-app')?.value;
    return {
      kind: 'labels',
      selector: selectorOf(peer, subject.byKey.get(NAMESPACE)?.value),
      dns: own === 'kube-dns' || own === 'coredns',
    };
  }
  const [block] = peer.prefixes;
  const cidr = block && peer.labels.some(({ source }) => source === 'cidr') ? formatRange(block) : undefined;
  const name = byName && peer.names[0];
  if (name) return { kind: 'name', name };
  return cidr ? { kind: 'cidr', cidr } : { kind: 'entity', entity: 'world' };
}

/** Selects a workload by its own labels, else by its service account; also by its namespace if that differs from `from`. */
function selectorOf({ labels, byKey }: Identity, from: string | undefined): LabelSelector {
  const own = labels.filter(({ key }) => !key.startsWith('io.kubernetes.') && !key.startsWith('io.cilium.'));
  const account = byKey.get('io.cilium.k8s.policy.serviceaccount');
  const chosen = own.length > 0 ? own : account ? [account] : [];
  const namespace = byKey.get(NAMESPACE)?.value;
  const entries = chosen.map(({ source, key, value }): [string, string] => [
    source === 'k8s' ? key : `${source}:${key}`,
    value,
  ]);
  if (namespace !== undefined && namespace !== from) entries.push([`k8s:${NAMESPACE}`, namespace]);
  return { matchLabels: Object.fromEntries(entries.sort(([a], [b]) => compareBytes(a, b))) };
}

function policyOf(subject: Subject, taken: Set<string>): SuggestedPolicy {
  const namespace = subject.identity.byKey.get(NAMESPACE)?.value ?? 'default';
  const { ingress, egress } = subject;
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: freeName(subject.identity, namespace, taken), namespace },
    spec: {
      endpointSelector: selectorOf(subject.identity, namespace),
      ...(ingress && { ingress: orClosed(grouped(ingress).flatMap(ingressRules)) }),
      ...(egress && { egress: orClosed(grouped(egress).flatMap(egressRules)) }),
    },
  };
}

/** An empty rule enables default deny. */
function orClosed<T>(rules: T[]): (T | Record<string, never>)[] {
  return rules.length > 0 ? rules : [{}];
}

function freeName(identity: Identity, namespace: string, taken: Set<string>): string {
  const base =
    `allow-seen-${workloadOf(identity).split(' ').at(-1) ?? ''}`
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 200) || 'allow-seen';
  let name = base;
  for (let n = 2; taken.has(`${namespace}/${name}`); n++) name = `${base}-${n}`;
  taken.add(`${namespace}/${name}`);
  return name;
}

interface Group {
  peers: PeerName[];
  ports: Observed[];
}

/** Peers of one kind with the same ports share a rule. */
function grouped({ peers }: Side): Group[] {
  const groups = new Map<string, Group>();
  for (const { peer, ports } of peers.values()) {
    const dns = peer.kind === 'labels' && peer.dns;
    const key = `${peer.kind} ${dns} ${[...ports.keys()].sort().join(' ')}`;
    const known = groups.get(key);
    if (known) known.peers.push(peer);
    else groups.set(key, { peers: [peer], ports: [...ports.values()] });
  }
  return [...groups.entries()].sort(([a], [b]) => compareBytes(a, b)).map(([, group]) => group);
}

function ingressRules(group: Group): IngressRule[] {
  const { endpoints, entities, cidrs } = named(group);
  return portParts(group.ports).map((ports) => ({
    ...(endpoints.length > 0 && { fromEndpoints: endpoints }),
    ...(entities.length > 0 && { fromEntities: entities }),
    ...(cidrs.length > 0 && { fromCIDR: cidrs }),
    ...ports,
  }));
}

function egressRules(group: Group): EgressRule[] {
  const { endpoints, entities, cidrs, names, dns } = named(group);
  return portParts(group.ports).map((ports) => ({
    ...(endpoints.length > 0 && { toEndpoints: endpoints }),
    ...(entities.length > 0 && { toEntities: entities }),
    ...(cidrs.length > 0 && { toCIDR: cidrs }),
    ...(names.length > 0 && { toFQDNs: names.map((matchName) => ({ matchName })) }),
    ...(dns ? withDns(ports) : ports),
  }));
}

/** The agent learns DNS names from the answers that its DNS proxy sees. */
function withDns(part: PortPart): PortPart {
  return part.toPorts ? { toPorts: part.toPorts.flatMap(splitDns) } : part;
}

function splitDns({ ports = [] }: PortRule): PortRule[] {
  const dns = ports.filter(({ port }) => port === '53');
  const others = ports.filter(({ port }) => port !== '53');
  return [
    ...(dns.length > 0 ? [{ ports: dns, rules: { dns: [{ matchPattern: '*' }] } }] : []),
    ...(others.length > 0 ? [{ ports: others }] : []),
  ];
}

interface PortPart {
  toPorts?: PortRule[];
  icmps?: { fields: IcmpField[] }[];
}

function named({ peers }: Group) {
  const sorted = <T>(list: T[]) => list.sort((a, b) => compareBytes(JSON.stringify(a), JSON.stringify(b)));
  return {
    endpoints: sorted(peers.flatMap((peer) => (peer.kind === 'labels' ? [peer.selector] : []))),
    entities: sorted(peers.flatMap((peer) => (peer.kind === 'entity' ? [peer.entity] : []))),
    cidrs: sorted(peers.flatMap((peer) => (peer.kind === 'cidr' ? [peer.cidr] : []))),
    names: sorted([...new Set(peers.flatMap((peer) => (peer.kind === 'name' ? [peer.name] : [])))]),
    dns: peers.some((peer) => peer.kind === 'labels' && peer.dns),
  };
}

const PROTOCOLS: Readonly<Record<number, Protocol>> = { 6: 'TCP', 17: 'UDP', 132: 'SCTP' };

/** The most ports that the agent accepts in one rule. */
const MAX_PORTS = 40;

/** A rule cannot have both ICMP types and ports. */
function portParts(seen: readonly Observed[]): PortPart[] {
  const ports: PortProtocol[] = [];
  const fields: IcmpField[] = [];
  for (const { connection } of seen) {
    const { protocol = 0, port = 0 } = connection.traffic;
    const name = PROTOCOLS[protocol];
    if (name) ports.push({ port: String(port), protocol: name });
    else if (protocol === 1 || protocol === 58)
      fields.push({ family: protocol === 1 ? 'IPv4' : 'IPv6', type: port });
  }
  ports.sort((a, b) => Number(a.port) - Number(b.port) || compareBytes(a.protocol, b.protocol));
  fields.sort((a, b) => Number(a.type) - Number(b.type));
  return [
    ...(ports.length > 0 ? [{ toPorts: chunks(ports).map((chunk) => ({ ports: chunk })) }] : []),
    ...(fields.length > 0 ? [{ icmps: chunks(fields).map((chunk) => ({ fields: chunk })) }] : []),
  ];
}

function chunks<T>(list: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let i = 0; i < list.length; i += MAX_PORTS) parts.push(list.slice(i, i + MAX_PORTS));
  return parts;
}
