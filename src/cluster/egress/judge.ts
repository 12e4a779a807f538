import { compareBytes } from '../../lib/order.ts';
import {
  type EgressEndpoint,
  type EgressEntry,
  type EgressFacts,
  type EgressNode,
  type EgressPolicy,
  isExcluded,
  isNotFound,
  isZero,
} from './facts.ts';
import { candidates, faultOf, isAbout, isSameFamily, wantedAddresses } from './match.ts';

/** A gateway of a policy, as nodes see it. */
export interface SeenGateway {
  /** Its address, or why there is none. */
  gateway: string;
  /** The node with that address; empty where none has it. */
  node: string;
  /** The addresses that traffic leaves with, as its own agent has them. */
  egressIps: string[];
  /** Nodes that send traffic to it. */
  seenBy: string[];
}

/** A policy as nodes have realised it. */
export interface RealisedPolicy {
  name: string;
  /** Pods that it is about. */
  pods: number;
  gateways: SeenGateway[];
}

/** Something that keeps traffic from the gateway, or that nodes see otherwise than others. */
export interface EgressProblem {
  /** Empty where an entry is of no policy. */
  policy: string;
  /** Empty where it is of no node. */
  node: string;
  text: string;
}

/** What nodes have made of the policies. */
export interface EgressVerdict {
  policies: RealisedPolicy[];
  problems: EgressProblem[];
}

interface Flow {
  source: string;
  destination: string;
  isExcluded: boolean;
  /** Name of the node that the pod runs on; undefined where no CiliumNode has its address. */
  host: string | undefined;
  pod: string;
}

const keyOf = ({ source, destination }: { source: string; destination: string }) =>
  `${source} → ${destination}`;

/** Judges what the agents have written by what the policies say. */
export function judgeEgress(facts: EgressFacts): EgressVerdict {
  const { policies, nodes, endpoints, views } = facts;
  const nodeAt = new Map(nodes.flatMap((node) => node.addresses.map((address) => [address, node])));
  const tables = new Map(
    views.flatMap(({ node, entries }) =>
      entries === 'off' ? [] : [[node, new Map(entries.map((entry) => [keyOf(entry), entry]))] as const],
    ),
  );
  const problems: EgressProblem[] = views
    .filter(({ entries }) => entries === 'off' && policies.length > 0)
    .map(({ node }) => ({
      policy: '',
      node,
      text: 'egress gateways are disabled there: its pods take none',
    }));
  const claimed = new Map<string, string>();
  const realised = policies.map((policy) => {
    const fault = faultOf(policy);
    const flows = fault === undefined ? flowsOf(policy, endpoints, nodeAt) : [];
    const own = judgePolicy({ policy, flows, nodes, nodeAt, tables, claimed });
    if (fault !== undefined) own.problems.unshift({ policy: policy.name, node: '', text: fault });
    problems.push(...own.problems);
    for (const flow of flows) claimed.set(keyOf(flow), policy.name);
    return { name: policy.name, pods: new Set(flows.map(({ pod }) => pod)).size, gateways: own.gateways };
  });
  for (const [node, table] of tables) {
    const astray = [...table.keys()].filter((key) => !claimed.has(key));
    if (astray.length > 0)
      problems.push({ policy: '', node, text: `entries that no policy asks for: ${someOf(astray)}` });
  }
  return { policies: realised, problems };
}

/** What each agent should have written for a policy. */
function flowsOf(
  policy: EgressPolicy,
  endpoints: readonly EgressEndpoint[],
  nodeAt: ReadonlyMap<string, EgressNode>,
): Flow[] {
  return endpoints.flatMap((endpoint) => {
    const host = nodeAt.get(endpoint.host);
    if (!isAbout(policy, endpoint, host)) return [];
    const to = (ranges: readonly string[], excluded: boolean) =>
      endpoint.addresses.flatMap((source) =>
        ranges
          .filter((range) => isSameFamily(source, range))
          .map((destination) => ({
            source,
            destination,
            isExcluded: excluded,
            host: host?.name,
            pod: endpoint.name,
          })),
      );
    return [...to(policy.destinations, false), ...to(policy.excluded, true)];
  });
}

interface Case {
  policy: EgressPolicy;
  flows: readonly Flow[];
  nodes: readonly EgressNode[];
  nodeAt: ReadonlyMap<string, EgressNode>;
  tables: ReadonlyMap<string, ReadonlyMap<string, EgressEntry>>;
  /** Which policy has asked for an entry already. */
  claimed: ReadonlyMap<string, string>;
}

function judgePolicy({ policy, flows, nodes, nodeAt, tables, claimed }: Case): {
  gateways: SeenGateway[];
  problems: EgressProblem[];
} {
  const problems: EgressProblem[] = [];
  const tell = (node: string, text: string) => problems.push({ policy: policy.name, node, text });
  const may = candidates(policy, nodes);
  if (may.length === 0 && faultOf(policy) === undefined)
    tell('', 'no node has the labels of its gateway: traffic of its pods is dropped');
  const twice = flows.filter((flow) => claimed.has(keyOf(flow)));
  const [other] = twice;
  if (other) tell('', `${claimed.get(keyOf(other))} is about the same traffic: ${someOf(twice.map(keyOf))}`);
  const seen = new Map<string, Set<string>>();
  const ways = new Map<string, Map<string, string[]>>();
  const missing = new Map<string, string[]>();
  for (const flow of flows)
    for (const [node, table] of tables) {
      const entry = table.get(keyOf(flow));
      if (!entry) {
        if (flow.host === node) missing.set(node, [...(missing.get(node) ?? []), keyOf(flow)]);
        continue;
      }
      if (flow.isExcluded || isExcluded(entry.gateway)) continue;
      seen.set(entry.gateway, (seen.get(entry.gateway) ?? new Set()).add(node));
      const of = ways.get(keyOf(flow)) ?? new Map<string, string[]>();
      ways.set(keyOf(flow), of.set(entry.gateway, [...(of.get(entry.gateway) ?? []), node]));
    }
  for (const [node, keys] of missing)
    tell(node, `it has no entry for pods that run there, which take no gateway: ${someOf(keys)}`);
  tellDisagreements(ways, nodeAt, tell);
  const gateways = [...seen].map(([gateway, by]): SeenGateway => {
    const seenBy = [...by].toSorted(compareBytes);
    if (isNotFound(gateway)) {
      if (may.length > 0) tell(someOf(seenBy), `it found no gateway, though ${namesOf(may)} could be it`);
      return { gateway: 'not found', node: '', egressIps: [], seenBy };
    }
    const at = nodeAt.get(gateway);
    const egressIps = at ? egressIpsAt(tables.get(at.name), flows, gateway) : [];
    judgeGateway({ policy, gateway, at, may, egressIps, table: at && tables.get(at.name) }, tell);
    return { gateway, node: at?.name ?? '', egressIps: egressIps.filter((ip) => !isZero(ip)), seenBy };
  });
  return { gateways: gateways.toSorted((a, b) => compareBytes(a.node, b.node)), problems };
}

/** Names traffic that nodes send to different gateways; several pods of one policy may well have several. */
function tellDisagreements(
  ways: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>,
  nodeAt: ReadonlyMap<string, EgressNode>,
  tell: (node: string, text: string) => void,
): void {
  const split = [...ways].filter(([, gateways]) => gateways.size > 1);
  const [first] = split;
  if (!first) return;
  const [key, gateways] = first;
  const views = [...gateways]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([gateway, nodes]) => `${nodeAt.get(gateway)?.name ?? gateway} says ${someOf(nodes)}`);
  const more = split.length > 1 ? `, and ${split.length - 1} more` : '';
  tell('', `nodes disagree on the gateway of ${key}${more}: ${views.join('; ')}`);
}

function egressIpsAt(
  table: ReadonlyMap<string, EgressEntry> | undefined,
  flows: readonly Flow[],
  gateway: string,
): string[] {
  const own = flows.flatMap((flow) => (flow.isExcluded ? [] : (table?.get(keyOf(flow)) ?? [])));
  return [
    ...new Set(own.filter((entry) => entry.gateway === gateway).map(({ egressIp }) => egressIp)),
  ].toSorted(compareBytes);
}

interface GatewayCase {
  policy: EgressPolicy;
  gateway: string;
  at: EgressNode | undefined;
  may: readonly EgressNode[];
  egressIps: readonly string[];
  table: ReadonlyMap<string, EgressEntry> | undefined;
}

function judgeGateway(
  { policy, gateway, at, may, egressIps, table }: GatewayCase,
  tell: (node: string, text: string) => void,
): void {
  if (!at) return void tell('', `no node has the address of its gateway, ${gateway}`);
  if (!may.includes(at)) tell(at.name, 'it is taken for the gateway, and its labels are not those of one');
  if (at.trouble !== undefined) tell(at.name, `it is the gateway, and cannot be reached: ${at.trouble}`);
  if (!table) return;
  if (egressIps.length === 0) tell(at.name, 'it is the gateway, and does not take itself for it');
  else if (egressIps.some(isZero))
    tell(at.name, 'it is the gateway, and has no address to send from: traffic is dropped there');
  const wanted = wantedAddresses(policy, at);
  const wrong = egressIps.filter((ip) => !isZero(ip) && !wanted.includes(ip));
  if (wanted.length > 0 && wrong.length > 0)
    tell(at.name, `it sends from ${wrong.join(', ')}, and the policy says ${wanted.join(', ')}`);
}

const SOME = 3;

function someOf(names: readonly string[]): string {
  const more = names.length - SOME;
  return more > 0 ? `${names.slice(0, SOME).join(', ')} and ${more} more` : names.join(', ');
}

function namesOf(nodes: readonly EgressNode[]): string {
  return someOf(nodes.map(({ name }) => name));
}
