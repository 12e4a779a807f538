import { compareBytes } from '../lib/order.ts';
import type { AgentFact, EndpointFact, NodeFact, PodFact } from '../model/cluster.ts';

/** What those who keep a cluster's state say of it. Undefined: it could not be read. */
export interface ClusterFacts {
  nodes: readonly NodeFact[] | undefined;
  /** The prefixes of the CiliumNodes, by name. */
  ciliumNodes: ReadonlyMap<string, readonly string[]> | undefined;
  pods: readonly PodFact[] | undefined;
  /** CiliumEndpoints. */
  endpoints: readonly EndpointFact[] | undefined;
  /** What CiliumEndpointSlices hold; `none` where the cluster makes none. */
  slices: readonly EndpointFact[] | 'none' | undefined;
  identities: ReadonlySet<number> | undefined;
  /** What the agents say, by node; `trouble` where one cannot be asked. */
  agents: ReadonlyMap<string, AgentFact> | undefined;
  /** The key of the taint that keeps pods away until an agent is ready. */
  agentTaint: string;
}

/** Something that one part of the cluster knows otherwise than another. */
export interface Finding {
  check: Check;
  /** The pod, node or identity. */
  object: string;
  /** Empty where it is of no node. */
  node: string;
  text: string;
}

const CHECKS = ['pods', 'endpoints', 'slices', 'agents', 'identities', 'nodes', 'taints'] as const;
export type Check = (typeof CHECKS)[number];

/** The taint that is removed from a node when its agent is ready; the option `agent-not-ready-taint-key` names another. */
export const AGENT_TAINT = 'node.cilium.io/agent-not-ready';
/** The option that gives it another name. */
export const TAINT_OPTION = 'agent-not-ready-taint-key';

/** Where the parts of a cluster disagree, by check and object. What could not be read is not compared. */
export function findInconsistencies(facts: ClusterFacts): Finding[] {
  const found = [
    ...missingEndpoints(facts),
    ...staleEndpoints(facts),
    ...sliceFindings(facts),
    ...agentFindings(facts),
    ...identityFindings(facts),
    ...nodeFindings(facts),
    ...taintFindings(facts),
  ];
  return found.toSorted(
    (a, b) =>
      CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check) ||
      compareBytes(a.object, b.object) ||
      compareBytes(a.text, b.text),
  );
}

function* missingEndpoints({ pods, endpoints }: ClusterFacts): Generator<Finding> {
  if (!pods || !endpoints) return;
  const byName = new Map(endpoints.map((each) => [each.name, each]));
  for (const { name, node, runs, addresses } of pods) {
    if (!runs) continue;
    const endpoint = byName.get(name);
    if (!endpoint) {
      yield { check: 'pods', object: name, node, text: 'it runs and has no CiliumEndpoint' };
      continue;
    }
    const others = without(endpoint.addresses, addresses);
    // A pod that has just started has no address yet.
    if (addresses.length > 0 && endpoint.addresses.length > 0 && others.length > 0)
      yield {
        check: 'pods',
        object: name,
        node,
        text: `its CiliumEndpoint has the address ${others.join(', ')}, the pod has ${addresses.join(', ')}`,
      };
  }
}

function* staleEndpoints({ pods, endpoints }: ClusterFacts): Generator<Finding> {
  if (!pods || !endpoints) return;
  const names = new Set(pods.map(({ name }) => name));
  for (const { name } of endpoints)
    if (!names.has(name))
      yield {
        check: 'endpoints',
        object: name,
        node: '',
        text: 'a CiliumEndpoint of a pod that is not there',
      };
}

function* sliceFindings({ endpoints, slices }: ClusterFacts): Generator<Finding> {
  if (!endpoints || !slices || slices === 'none') return;
  const check = 'slices';
  const inSlices = new Map(slices.map((each) => [each.name, each]));
  const names = new Set(endpoints.map(({ name }) => name));
  for (const { name, identity } of endpoints) {
    const slice = inSlices.get(name);
    if (!slice) yield { check, object: name, node: '', text: 'its CiliumEndpoint is in no slice' };
    else if (identity !== undefined && slice.identity !== identity)
      yield {
        check,
        object: name,
        node: '',
        text: `its slice has identity ${slice.identity}, its CiliumEndpoint ${identity}`,
      };
  }
  for (const name of inSlices.keys())
    if (!names.has(name))
      yield { check, object: name, node: '', text: 'a slice holds it, and there is no CiliumEndpoint of it' };
}

function* agentFindings({ agents, endpoints, pods }: ClusterFacts): Generator<Finding> {
  if (!agents) return;
  const check = 'agents';
  const nodeOf = pods && new Map(pods.map(({ name, node }) => [name, node]));
  const byName = endpoints && new Map(endpoints.map((each) => [each.name, each]));
  const running = Map.groupBy(pods?.filter(({ runs }) => runs) ?? [], ({ node }) => node);
  for (const [node, { endpoints: own }] of agents) {
    if (!own) continue;
    const ownNames = new Set(own.map(({ name }) => name));
    for (const { name, identity } of own) {
      const place = nodeOf?.get(name);
      if (nodeOf && place !== node)
        yield {
          check,
          object: name,
          node,
          text:
            place === undefined
              ? 'the agent has an endpoint of a pod that is not there'
              : `the agent has an endpoint of a pod that runs on ${place}`,
        };
      const stored = byName?.get(name);
      if (stored && identity !== undefined && stored.identity !== identity)
        yield {
          check,
          object: name,
          node,
          text: `the agent has identity ${identity}, the CiliumEndpoint ${stored.identity ?? 'none'}`,
        };
    }
    for (const { name } of running.get(node) ?? [])
      if (!ownNames.has(name))
        yield {
          check,
          object: name,
          node,
          text: 'it runs, and the agent of its node has no endpoint of it',
        };
  }
}

function* identityFindings({ identities, endpoints }: ClusterFacts): Generator<Finding> {
  if (!identities || !endpoints) return;
  const used = new Map<number, { first: string; count: number }>();
  for (const { name, identity } of endpoints) {
    if (identity === undefined || identities.has(identity) || isOfNoObject(identity)) continue;
    const { first, count } = used.get(identity) ?? { first: name, count: 0 };
    used.set(identity, { first: compareBytes(name, first) < 0 ? name : first, count: count + 1 });
  }
  for (const [identity, { first, count }] of used) {
    const more = count > 1 ? ` and ${count - 1} more` : '';
    yield {
      check: 'identities',
      object: String(identity),
      node: '',
      text: `there is no CiliumIdentity of it, and ${first}${more} has it`,
    };
  }
}

/** Reserved identities have no object, and local ones (prefixes, nodes) are known to their agent alone. */
function isOfNoObject(identity: number): boolean {
  return identity < 256 || identity >= 1 << 24;
}

function* nodeFindings({ nodes, ciliumNodes }: ClusterFacts): Generator<Finding> {
  if (!ciliumNodes) return;
  const check = 'nodes';
  if (nodes) {
    const names = new Set(nodes.map(({ name }) => name));
    for (const name of names)
      if (!ciliumNodes.has(name)) yield { check, object: name, node: name, text: 'it has no CiliumNode' };
    for (const name of ciliumNodes.keys())
      if (!names.has(name))
        yield { check, object: name, node: name, text: 'a CiliumNode of a node that is gone' };
  }
  const owners = new Map<string, string>();
  for (const [name, prefixes] of [...ciliumNodes].toSorted(([a], [b]) => compareBytes(a, b)))
    for (const prefix of prefixes) {
      const owner = owners.get(prefix);
      if (owner === undefined) owners.set(prefix, name);
      else yield { check, object: name, node: name, text: `its prefix ${prefix} is also that of ${owner}` };
    }
}

/** The nodes that no agent runs on. Where nodes could not be listed, of those that have pods. */
export function nodesWithoutAgent({ nodes, pods, agents }: ClusterFacts): string[] {
  if (!agents) return [];
  const names = nodes?.map(({ name }) => name) ?? pods?.map(({ node }) => node) ?? [];
  return [...new Set(names)].filter((name) => name !== '' && !agents.has(name)).toSorted(compareBytes);
}

function* taintFindings({ nodes, agents, agentTaint }: ClusterFacts): Generator<Finding> {
  if (!nodes || !agents) return;
  for (const { name, taints } of nodes) {
    if (taints.includes(agentTaint) && agents.get(name)?.isReady)
      yield {
        check: 'taints',
        object: name,
        node: name,
        text: `the taint ${agentTaint} stays though its agent is ready`,
      };
  }
}

function without(list: readonly string[], others: readonly string[]): string[] {
  return list.filter((each) => !others.includes(each));
}

/** Those that are in both looks: what is under way looks like a fault for a moment. */
export function lastingFindings(first: readonly Finding[], second: readonly Finding[]): Finding[] {
  const before = new Set(first.map(keyOf));
  return second.filter((finding) => before.has(keyOf(finding)));
}

function keyOf({ check, object, node, text }: Finding): string {
  return JSON.stringify([check, object, node, text]);
}
