import { formatRange } from '../../lib/address.ts';
import { compareBytes } from '../../lib/order.ts';
import { formatLabel, type Label } from '../../model/label.ts';
import type { LabelSelector } from '../../model/selector.ts';
import { type Identity, isNode, isReserved } from '../evaluate/selectors/identities.ts';
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
import { LabelSorter } from './lasting-labels.ts';

/** A CiliumNetworkPolicy as users write it. */
export interface SuggestedPolicy {
  apiVersion: 'cilium.io/v2';
  kind: 'CiliumNetworkPolicy';
  metadata: { name: string; namespace: string };
  spec: { endpointSelector: LabelSelector; ingress?: IngressRule[]; egress?: EgressRule[] };
}

/** A policy with what its reader must know of it. */
export interface Suggestion {
  policy: SuggestedPolicy;
  /** One sentence each. */
  remarks: string[];
}

/** What `policy suggest` answers. */
export interface Suggestions {
  suggestions: Suggestion[];
  /** Workloads with traffic that no lasting label selects: no policy is written for them. One sentence each. */
  unnamed: { namespace: string; why: string }[];
  /** Keys of labels that change from run to run and are left out, by the workload (`jobs app=hello`). */
  left: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A peer and the ports seen. */
interface SeenPeer {
  peer: PeerName;
  ports: Map<string, Observed>;
  flows: number;
}

/** The traffic of one workload in one direction, by the name of the peer in the rule. */
interface Side {
  peers: Map<string, SeenPeer>;
}

interface Subject {
  name: Named;
  namespace: string;
  ingress?: Side;
  egress?: Side;
}

/** The way in which a rule names a peer. */
type PeerName =
  | { kind: 'labels'; selector: LabelSelector; dns: boolean; byAccount: boolean }
  | { kind: 'entity'; entity: Entity }
  | { kind: 'cidr'; cidr: string }
  | { kind: 'name'; name: string };

/** How a workload is selected. */
interface Named {
  /** By its lasting labels, by its service account, or by nothing but its namespace. */
  by: 'labels' | 'account' | 'namespace';
  labels: readonly Label[];
  /** Labels of this run that are left out. */
  passing: readonly Label[];
}

const NAMESPACE = 'io.kubernetes.pod.namespace';
const ACCOUNT = 'io.cilium.k8s.policy.serviceaccount';

/**
 * The smallest policies that allow every connection that was allowed: one per workload, with peers by label, DNS name,
 * entity or address, and only the ports that were used. Directions with traffic get default deny. Labels that change
 * from run to run select nothing tomorrow and are left out, which makes one workload of its runs.
 */
export function suggest(table: FlowTable): Suggestions {
  return new Suggester(table).answer();
}

class Suggester {
  readonly #subjects = new Map<string, Subject>();
  readonly #unnamed = new Map<string, { namespace: string; why: string }>();
  readonly #left = new Map<string, Set<string>>();
  readonly #sorter: LabelSorter;

  constructor(readonly table: FlowTable) {
    this.#sorter = new LabelSorter(workloadsIn(table));
  }

  answer(): Suggestions {
    for (const observed of this.table.connections) this.#learn(observed);
    const taken = new Set<string>();
    const suggestions = [...this.#subjects.values()]
      .map((subject) => ({ policy: policyOf(subject, taken), remarks: remarksOn(subject) }))
      .sort(
        ({ policy: { metadata: a } }, { policy: { metadata: b } }) =>
          compareBytes(a.namespace, b.namespace) || compareBytes(a.name, b.name),
      );
    return { suggestions, unnamed: [...this.#unnamed.values()], left: this.#left };
  }

  #learn(observed: Observed): void {
    const { connection, denied, allowed } = observed;
    const source = this.table.named(connection.source);
    const destination = this.table.named(connection.destination);
    const passed = denied === 0 && allowed > 0;
    if (!passed && denied === 0) return;
    // A rule could name neither end, and an address of a service is none that policy sees.
    const gap = [source, destination].find((end) => end.gap && !isNode(end));
    if (gap) this.#leaveOut(gap);
    if (gap || connection.balanced) return;
    if (isWorkload(source)) {
      const subject = this.#subjectOf(source, connection.sourcePod);
      if (subject) note(subject, 'egress', this.#peerName(source, destination, true), observed, passed);
    }
    if (isWorkload(destination)) {
      const subject = this.#subjectOf(destination, connection.destinationPod);
      if (subject) note(subject, 'ingress', this.#peerName(destination, source, false), observed, passed);
    }
  }

  #leaveOut({ byKey, gap }: Identity): void {
    const namespace = byKey.get(NAMESPACE)?.value ?? 'default';
    const why = `Some flows are left out: ${gap?.why}. Record them with source.labels and destination.labels in the field mask, or name the pods with --state.`;
    this.#unnamed.set(why, { namespace, why });
  }

  #subjectOf(identity: Identity, pod: string | undefined): Subject | undefined {
    const name = this.#name(identity);
    const namespace = identity.byKey.get(NAMESPACE)?.value ?? 'default';
    const key = JSON.stringify(selectorOf(name, namespace, undefined));
    // The account "default" is that of all pods which have none of their own.
    if (name.by === 'namespace' || (name.by === 'account' && name.labels[0]?.value === 'default')) {
      this.#unnamed.set(key, { namespace, why: whyUnnamed(name, namespace, pod) });
      return undefined;
    }
    const known = this.#subjects.get(key);
    if (known) return known;
    const subject: Subject = { name, namespace };
    this.#subjects.set(key, subject);
    return subject;
  }

  /** By its own lasting labels, else by its service account. */
  #name(identity: Identity): Named {
    const { lasting, passing } = this.#sorter.sort(identity);
    const account = identity.byKey.get(ACCOUNT);
    const named: Named =
      lasting.length > 0
        ? { by: 'labels', labels: lasting, passing }
        : account
          ? { by: 'account', labels: [account], passing }
          : { by: 'namespace', labels: [], passing };
    if (passing.length > 0) {
      const namespace = identity.byKey.get(NAMESPACE)?.value ?? 'default';
      const left = [namespace, ...named.labels.map(shortLabel)].join(' ');
      const keys = this.#left.get(left) ?? new Set();
      for (const { key } of passing) keys.add(key);
      this.#left.set(left, keys);
    }
    return named;
  }

  #peerName(
    subject: Identity,
    peer: Identity,
    /** Ingress rules cannot name peers by DNS. */
    byName: boolean,
  ): PeerName {
    const entity = ENTITIES.find((each) => isReserved(peer, each));
    if (entity) return { kind: 'entity', entity };
    if (isWorkload(peer)) {
      const own = peer.byKey.get('k8s-app')?.value;
      const name = this.#name(peer);
      return {
        kind: 'labels',
        selector: selectorOf(name, peer.byKey.get(NAMESPACE)?.value, subject.byKey.get(NAMESPACE)?.value),
        dns: own === 'kube-dns' || own === 'coredns',
        byAccount: name.by !== 'labels',
      };
    }
    const [block] = peer.prefixes;
    const cidr =
      block && peer.labels.some(({ source }) => source === 'cidr') ? formatRange(block) : undefined;
    const name = byName && peer.names[0];
    if (name) return { kind: 'name', name };
    return cidr ? { kind: 'cidr', cidr } : { kind: 'entity', entity: 'world' };
  }
}

function* workloadsIn(table: FlowTable): Generator<[Identity, string | undefined]> {
  for (const { connection } of table.connections) {
    yield [table.named(connection.source), connection.sourceWorkload];
    yield [table.named(connection.destination), connection.destinationWorkload];
  }
}

function isWorkload(identity: Identity): boolean {
  return identity.byKey.has(NAMESPACE) && !isReserved(identity, 'init');
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
  const known = side.peers.get(key) ?? { peer, ports: new Map<string, Observed>(), flows: 0 };
  const { protocol, port } = observed.connection.traffic;
  known.ports.set(`${protocol}/${port}`, observed);
  known.flows += observed.allowed;
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

/** Selects a workload; also by its namespace if that differs from `from`. */
function selectorOf(
  { labels }: Named,
  namespace: string | undefined,
  from: string | undefined,
): LabelSelector {
  const entries = labels.map(({ source, key, value }): [string, string] => [
    source === 'k8s' ? key : `${source}:${key}`,
    value,
  ]);
  if (namespace !== undefined && namespace !== from) entries.push([`k8s:${NAMESPACE}`, namespace]);
  return { matchLabels: Object.fromEntries(entries.sort(([a], [b]) => compareBytes(a, b))) };
}

function policyOf(subject: Subject, taken: Set<string>): SuggestedPolicy {
  const { ingress, egress, name, namespace } = subject;
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: freeName(name, namespace, taken), namespace },
    spec: {
      endpointSelector: selectorOf(name, namespace, namespace),
      ...(ingress && { ingress: orClosed(grouped(ingress).flatMap(ingressRules)) }),
      ...(egress && { egress: orClosed(grouped(egress).flatMap(egressRules)) }),
    },
  };
}

/** `app=api`, as people write labels of Kubernetes. */
function shortLabel(label: Label): string {
  return label.source === 'k8s' ? formatLabel(label).slice('k8s:'.length) : formatLabel(label);
}

function whyUnnamed({ by, passing }: Named, namespace: string, pod: string | undefined): string {
  const what = pod ? `pod ${pod}` : `pods of namespace ${namespace}`;
  const labels =
    passing.length > 0
      ? `only labels that change from run to run (${passing.map(shortLabel).join(', ')})`
      : 'no labels of its own';
  const account = by === 'account' ? ' and the service account "default", which other pods share' : '';
  return `No policy for ${what}: it has ${labels}${account}. Give it a label that stays, such as app, and record its flows again.`;
}

/** Addresses that a remark lists by name. */
const LISTED = 3;

function remarksOn({ name, ingress, egress }: Subject): string[] {
  const remarks: string[] = [];
  if (name.by === 'account')
    remarks.push(
      `It selects every pod with the service account "${name.labels[0]?.value}": these pods have no lasting label.`,
    );
  for (const [direction, side] of [
    ['ingress', ingress],
    ['egress', egress],
  ] as const) {
    if (!side) continue;
    const peers = [...side.peers.values()];
    if (peers.length === 0)
      remarks.push(
        `${direction}: [{}] opens nothing: only denied traffic was seen, and the direction stays closed.`,
      );
    remarks.push(...onAddresses(direction, peers), ...onOpenings(direction, peers));
  }
  return remarks;
}

function onAddresses(direction: 'ingress' | 'egress', peers: readonly SeenPeer[]): string[] {
  const blocks = peers.flatMap(({ peer, flows }) =>
    peer.kind === 'cidr' ? [{ cidr: peer.cidr, flows }] : [],
  );
  if (blocks.length === 0) return [];
  const flows = blocks.reduce((sum, block) => sum + block.flows, 0);
  const listed = blocks
    .toSorted((a, b) => compareBytes(a.cidr, b.cidr))
    .slice(0, LISTED)
    .map((block) => `${block.cidr}: ${counted(block.flows, 'flow')}`);
  const more = blocks.length > LISTED ? `, and ${blocks.length - LISTED} more` : '';
  return [
    `${direction} names ${counted(blocks.length, 'address', 'addresses')} outside the cluster, as seen in ${counted(flows, 'flow')} (` +
      `${listed.join('; ')}${more}). Another address is denied: widen them to the range${direction === 'egress' ? ' or the DNS name' : ''} you mean.`,
  ];
}

function onOpenings(direction: 'ingress' | 'egress', peers: readonly SeenPeer[]): string[] {
  const remarks: string[] = [];
  if (peers.some(({ peer }) => peer.kind === 'entity' && peer.entity === 'world'))
    remarks.push(
      `${direction} is open for every address outside the cluster (world): the flows do not show which one it was.`,
    );
  if (peers.some(({ peer }) => peer.kind === 'labels' && peer.byAccount))
    remarks.push(
      `${direction} has peers by service account or namespace only, which is wider than what was seen: they have no lasting label.`,
    );
  return remarks;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** An empty rule enables default deny. */
function orClosed<T>(rules: T[]): (T | Record<string, never>)[] {
  return rules.length > 0 ? rules : [{}];
}

/** After the first two labels. */
function freeName({ labels }: Named, namespace: string, taken: Set<string>): string {
  const base =
    `allow-seen-${labels
      .filter(({ source }) => source === 'k8s')
      .slice(0, 2)
      .map(({ key, value }) => `${key === ACCOUNT ? 'account' : key}=${value}`)
      .join(',')}`
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 200)
      .replace(/-$/, '') || 'allow-seen';
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
  ports.sort((a, b) => Number(a.port) - Number(b.port) || compareBytes(a.protocol ?? '', b.protocol ?? ''));
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
