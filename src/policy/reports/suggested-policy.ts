import { compareBytes } from '../../lib/order.ts';
import { type Label, POD_ACCOUNT, POD_CLUSTER, POD_NAMESPACE } from '../../model/label.ts';
import type { LabelSelector } from '../../model/selector.ts';
import type {
  EgressRule,
  Entity,
  IcmpField,
  IngressRule,
  PortProtocol,
  PortRule,
  Protocol,
} from '../rule.ts';
import type { Observed } from './flow-table.ts';

/** A CiliumNetworkPolicy as users write it. */
export interface SuggestedPolicy {
  apiVersion: 'cilium.io/v2';
  kind: 'CiliumNetworkPolicy';
  metadata: { name: string; namespace: string };
  spec: { endpointSelector: LabelSelector; ingress?: IngressRule[]; egress?: EgressRule[] };
}

/** A peer and the ports seen. */
export interface SeenPeer {
  peer: PeerName;
  ports: Map<string, Observed>;
  flows: number;
}

/** The traffic of one workload in one direction, by the name of the peer in the rule. */
interface Side {
  peers: Map<string, SeenPeer>;
}

export interface Subject {
  name: Named;
  namespace: string;
  ingress?: Side;
  egress?: Side;
}

/** The way in which a rule names a peer. */
export type PeerName =
  | { kind: 'labels'; selector: LabelSelector; dns: boolean; byAccount: boolean }
  | { kind: 'entity'; entity: Entity }
  | { kind: 'cidr'; cidr: string }
  | { kind: 'name'; name: string };

/** How a workload is selected. */
export interface Named {
  /** By its lasting labels, by its service account, or by nothing but its namespace. */
  by: 'labels' | 'account' | 'namespace';
  labels: readonly Label[];
  /** Labels of this run that are left out. */
  passing: readonly Label[];
}

/** Selects a workload; also by its namespace if that differs from `from`, and by its cluster if it is another one. */
export function selectorOf(
  { labels }: Named,
  namespace: string | undefined,
  from: string | undefined,
  cluster?: string,
): LabelSelector {
  const entries = labels.map(({ source, key, value }): [string, string] => [
    source === 'k8s' ? key : `${source}:${key}`,
    value,
  ]);
  if (namespace !== undefined && namespace !== from) entries.push([`k8s:${POD_NAMESPACE}`, namespace]);
  if (cluster !== undefined) entries.push([`k8s:${POD_CLUSTER}`, cluster]);
  return { matchLabels: Object.fromEntries(entries.sort(([a], [b]) => compareBytes(a, b))) };
}

/** The policy of a workload; `taken` are the names that are in use, as `namespace/name`. */
export function policyOf(subject: Subject, taken: Set<string>): SuggestedPolicy {
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
      .map(({ key, value }) => `${key === POD_ACCOUNT ? 'account' : key}=${value}`)
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
