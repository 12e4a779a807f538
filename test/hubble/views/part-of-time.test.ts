import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TrafficCounter } from '../../../src/hubble/views/traffic/counter.ts';
import { cut } from '../../../src/hubble/views/traffic/selection.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import type { Count, Drop, TrafficEdge } from '../../../src/model/traffic.ts';
import { findingsOf } from '../../../src/render/hubble/traffic-findings.ts';

const END = (name: string) => ({
  namespace: 'shop',
  pod_name: `${name}-1`,
  workloads: [{ kind: 'Deployment', name }],
});
const BEGIN_MS = Date.parse('2026-01-31T15:00:00Z');

interface What {
  atMs: number;
  port: number;
  what: string;
}

/** A flow of web to api: dropped for a reason, answered with a code or with a failure of DNS, or just forwarded. */
const flow: fc.Arbitrary<What> = fc.record({
  atMs: fc.integer({ min: 0, max: 60_000 }),
  port: fc.constantFrom(53, 80),
  what: fc.constantFrom('POLICY_DENIED', 'POLICY_DENY', '200', '500', '503', 'NXDOMAIN', ''),
});

function flowOf({ atMs, port, what }: What): Flow {
  const isDrop = what.startsWith('POLICY');
  const code = Number(what);
  const answer = { source: END('api'), destination: END('web'), is_reply: true };
  const l4 = (from: number, to: number) => ({ TCP: { source_port: from, destination_port: to } });
  const base = {
    time: new Date(BEGIN_MS + atMs).toISOString(),
    IP: { source: '10.0.0.1', destination: '10.0.0.2' },
    verdict: isDrop ? 'DROPPED' : 'FORWARDED',
    ...{ source: END('web'), destination: END('api'), is_reply: false, l4: l4(40_000, port) },
    ...(isDrop && { drop_reason_desc: what, traffic_direction: 'EGRESS' }),
  };
  if (code > 0)
    return { ...base, ...answer, l4: l4(port, 40_000), l7: { type: 'RESPONSE', http: { code } } } as Flow;
  if (what === 'NXDOMAIN')
    return {
      ...{ ...base, ...answer, l4: l4(port, 40_000) },
      l7: { type: 'RESPONSE', dns: { query: 'db.', rcode: 3 } },
    } as Flow;
  return base as Flow;
}

function counterOf(flows: readonly What[], bounds = {}): TrafficCounter {
  const counter = new TrafficCounter(bounds);
  for (const each of flows) counter.add(flowOf(each), BEGIN_MS + each.atMs);
  return counter;
}

const byName = (counts: readonly Count[] = []) =>
  Object.fromEntries(counts.filter(({ flows }) => flows > 0).map(({ name, flows }) => [name, flows]));
const byReason = (drops: readonly Drop[] = []) =>
  byName(drops.map(({ reason, port, flows }) => ({ name: `${reason} ${port}`, flows })));

const countsOf = (edge: TrafficEdge | undefined) => ({
  flows: edge?.flows,
  dropped: edge?.dropped,
  drops: byReason(edge?.drops),
  verdicts: byName(edge?.verdicts),
  codes: byName(edge?.http?.codes),
  failures: byName(edge?.dns?.failures),
});

test('a part of the time has the drops, verdicts, codes and failures that were seen in it, and no others', () => {
  fc.assert(
    fc.property(
      fc.array(flow, { minLength: 1, maxLength: 80 }),
      fc.boolean(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (flows, inHalves, a, b) => {
        const half = Math.floor(flows.length / 2);
        const counter = counterOf(inHalves ? flows.slice(0, half) : flows);
        if (inHalves) counter.merge(counterOf(flows.slice(half)));
        const traffic = counter.snapshot();
        const { first, widthMs, flows: pieces } = traffic.timeline;
        const at = (share: number) => first + Math.floor(share * (pieces.length - 1));
        const span = { from: Math.min(at(a), at(b)), to: Math.max(at(a), at(b)) };
        const isWithin = ({ atMs }: What) => {
          const piece = Math.floor((BEGIN_MS + atMs) / widthMs);
          return piece >= span.from && piece <= span.to;
        };
        const own = flows.filter(isWithin);
        const [edge] = cut(traffic, span, undefined).edges;
        const [alone] = counterOf(own).snapshot().edges;
        expect(countsOf(edge)).toEqual(countsOf(alone));
      },
    ),
  );
});

test('what there was no room to keep the times of is said to be of the whole, unless the rest leaves one answer', () => {
  const seconds = (what: string, port: number, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => ({ atMs: 1000 * (from + i), port, what }));
  const flows = [...seconds('POLICY_DENIED', 80, 0, 20), ...seconds('500', 80, 0, 20)];
  const partOf = (more: readonly What[]) => {
    const traffic = counterOf([...flows, ...more], { details: 0 }).snapshot();
    const piece = (second: number) => Math.floor((BEGIN_MS + 1000 * second) / traffic.timeline.widthMs);
    return cut(traffic, { from: piece(0), to: piece(5) - 1 }, undefined);
  };
  const one = partOf([]);
  expect(one.edges[0]?.drops).toEqual([expect.objectContaining({ flows: 5 })]);
  expect(one.edges[0]?.drops[0]?.isWhole).toBeUndefined();
  const seen = findingsOf({ ...one, fixes: [], isPeriod: true }).map((finding) => finding.seen);
  expect(seen).toContain('20 of 20 answers in the whole time');
  const two = partOf(seconds('POLICY_DENY', 53, 0, 20));
  expect(two.edges[0]?.drops.map(({ flows: own, isWhole }) => [own, isWhole])).toEqual([
    [20, true],
    [20, true],
  ]);
  expect(findingsOf({ ...two, fixes: [], isPeriod: true })[0]?.seen).toMatch(
    /^20 flows dropped in the whole time \(/,
  );
});
