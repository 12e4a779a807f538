import { expect, test } from '@jest/globals';
import type { TrafficEdge, TrafficNode } from '../../../src/model/traffic.ts';
import { placeLabels } from '../../../src/render/hubble/traffic-labels.ts';
import { edgeKey, layOut } from '../../../src/render/hubble/traffic-layout.ts';

const node = (name: string, namespace: string | undefined): TrafficNode => ({
  ...{ id: name, kind: 'workload', name, namespace, cluster: undefined, workload: undefined },
  ...{ services: [], pods: [], folded: 0 },
});
const edge = (client: string, server: string): TrafficEdge => ({
  ...{ client, server, flows: 1, dropped: 0, replies: 0, firstMs: 0, lastMs: 0, verdicts: [], ports: [] },
  ...{ drops: [], policies: [], http: undefined, dns: undefined, times: [] },
});

const NODES = [
  ...['web', 'api', 'db', 'cache', 'worker'].map((name) => node(name, 'shop')),
  ...['a.example', 'b.example', 'c.example'].map((name) => node(name, undefined)),
];
const EDGES = [
  ...['api', 'db', 'cache'].map((name) => edge('web', name)),
  ...['db', 'cache', 'worker'].map((name) => edge('api', name)),
  ...['a.example', 'b.example', 'c.example'].flatMap((name) => [edge('web', name), edge('api', name)]),
];

const boxOf = (text: string, { x, y }: { x: number; y: number }) => ({
  x,
  y,
  width: 5.5 * text.length,
  height: 9,
});
type Box = ReturnType<typeof boxOf>;
const meet = (a: Box, b: Box) =>
  Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;

test.each(['right', 'down'] as const)(
  'labels of a map that leads %s cover no end and no other label',
  (way) => {
    const layout = layOut(NODES, EDGES, way);
    const labels = EDGES.map((each) => ({ key: edgeKey(each), text: '8080/TCP', isNeeded: false }));
    const places = placeLabels(labels, layout);
    expect(places.size).toBeGreaterThan(EDGES.length / 2);
    const boxes = [...places.values()].map((at) => boxOf('8080/TCP', { ...at, y: at.y - 4 }));
    for (const [i, box] of boxes.entries()) {
      expect(boxes.slice(i + 1).filter((other) => meet(box, other))).toEqual([]);
      expect([...layout.nodes.values()].filter((other) => meet(box, other))).toEqual([]);
    }
  },
);

test('a label that tells what went wrong is there in any case, and has the better place', () => {
  const layout = layOut(NODES, EDGES);
  const long = '8080/TCP ✕ 1234567890'.repeat(4);
  const labels = EDGES.map((each, i) => ({
    key: edgeKey(each),
    text: long,
    isNeeded: i === EDGES.length - 1,
  }));
  const needed = edgeKey(EDGES.at(-1) ?? edge('', ''));
  const places = placeLabels(labels, layout);
  expect(places.has(needed)).toBe(true);
  expect(places.size).toBeLessThan(EDGES.length);
  expect(places.get(needed)).toEqual(
    placeLabels(
      labels.filter(({ key }) => key === needed),
      layout,
    ).get(needed),
  );
});

test('what has no text or no line has no label', () => {
  const layout = layOut(NODES, EDGES);
  expect(placeLabels([{ key: 'web api', text: '', isNeeded: true }], layout).size).toBe(0);
  expect(placeLabels([{ key: 'no such', text: 'x', isNeeded: true }], layout).size).toBe(0);
});
