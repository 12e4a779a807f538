import type { Scenario, ScenarioNode } from './scenario.ts';

/** The nodes of a scenario, and as many more without pods as are asked for. */
export function withNodes(scenario: Scenario, count: number): Scenario {
  const nodes = scenario.nodes?.length ? scenario.nodes : [{ name: 'node1', ipv4: '192.168.50.11' }];
  const more = Array.from({ length: Math.max(0, count - nodes.length) }, (_, i): ScenarioNode => {
    const number = nodes.length + i + 1;
    return {
      name: `node${number}`,
      ipv4: `192.168.${51 + Math.trunc(number / 200)}.${10 + (number % 200)}`,
      podCIDR: `10.${60 + Math.trunc(number / 200)}.${number % 200}.0/24`,
    };
  });
  return { ...scenario, nodes: [...nodes, ...more] };
}

/** A scenario as the agent of one of its nodes plays it: pods that name no node run on the first. */
export function seenFrom(scenario: Scenario, node: string): Scenario {
  const first = scenario.node ?? scenario.nodes?.[0]?.name;
  if (first === undefined || node === first) return scenario;
  return {
    ...scenario,
    node,
    endpoints: (scenario.endpoints ?? []).map((endpoint) => ({ node: first, ...endpoint })),
    // What a scenario says of its agent's own state is said of the first.
    status: {},
    controllers: [],
    dns: [],
  };
}
