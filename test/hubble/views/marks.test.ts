import { describe, expect, test } from '@jest/globals';
import { TrafficCounter } from '../../../src/hubble/views/traffic/counter.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import type { EdgeFate } from '../../../src/model/traffic.ts';

const NOTHING = { newlyDenied: 0, newlyAllowed: 0, unchanged: 0, open: 0, silent: 0, changes: [] };

/** A fate that tells marks as they are. */
const told = (marks: ReadonlyMap<string, number>): EdgeFate => ({
  ...NOTHING,
  reasons: [...marks].map(([name, flows]) => ({ name, flows })),
});

const flow = (i: number): Flow => ({
  verdict: 'FORWARDED',
  is_reply: false,
  IP: { source: `10.0.0.${i}`, destination: '10.1.0.1' },
  l4: { TCP: { source_port: 40_000, destination_port: 80 } },
});

/** How many flows have each mark, over all edges. */
function sums(counter: TrafficCounter<string>, nodes: number): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { fate, flows } of counter.snapshot({ nodes, edges: nodes }, told).edges) {
    expect(fate?.reasons.reduce((sum, reason) => sum + reason.flows, 0)).toBe(flows);
    for (const reason of fate?.reasons ?? []) all[reason.name] = (all[reason.name] ?? 0) + reason.flows;
  }
  return all;
}

describe('marks of flows', () => {
  test('stay with their edge when nodes are folded, cut, and counters are merged', () => {
    const bounds = { nodes: 10, edges: 10, examples: 0 };
    const [one, other] = [new TrafficCounter<string>(bounds), new TrafficCounter<string>(bounds)];
    for (let i = 0; i < 200; i++) one.add(flow(i), 1000 * i, i % 4 === 0 ? 'a' : 'b');
    const alike = other.alike(flow(7));
    for (let i = 0; i < 30; i++) other.addAlike(alike, 40_000 + i, 80, 1000 * i, 'c');
    one.merge(other);
    expect(one.snapshot({ nodes: 10, edges: 10 }).nodes.length).toBeLessThan(20);
    for (const nodes of [10, 3]) expect(sums(one, nodes)).toEqual({ a: 50, b: 150, c: 30 });
  });

  test('nothing is told of them where nobody asks', () => {
    const counter = new TrafficCounter();
    counter.add(flow(1), 0);
    expect(counter.snapshot().edges[0]).not.toHaveProperty('fate');
  });
});
