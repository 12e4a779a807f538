import { describe, expect, test } from '@jest/globals';
import { TrafficCounter } from '../../../src/hubble/views/traffic/counter.ts';
import { edgeKey, layOut } from '../../../src/render/hubble/traffic-layout.ts';

const end = (namespace: string, pod_name: string) => ({ namespace, pod_name });
const [WEB, API, DB] = [end('shop', 'web'), end('shop', 'api'), end('shop', 'db')];
const [DNS, JOB, FEED] = [end('kube-system', 'dns'), end('batch', 'job'), end('feeds', 'feed')];

function trafficOf() {
  const counter = new TrafficCounter();
  for (const [source, destination] of [
    [WEB, API],
    [API, DB],
    [WEB, DNS],
    [DB, DNS],
    [JOB, FEED],
  ])
    if (source && destination)
      counter.add({ source, destination, is_reply: false, verdict: 'FORWARDED' }, undefined);
  return counter.snapshot();
}

describe('a map', () => {
  test.each(['right', 'down'] as const)('that leads %s has lines around boxes, not behind them', (way) => {
    const { nodes, edges } = trafficOf();
    const layout = layOut(nodes, edges, way);
    const [web, api, dns] = ['web', 'api', 'dns'].map((name) => nodes.find((node) => node.name === name)?.id);
    const line = layout.edges.get(edgeKey({ client: web ?? '', server: dns ?? '' })) ?? [];
    const box = layout.nodes.get(api ?? '');
    if (!box) throw new Error('api has no place');
    const isInside = ({ x, y }: { x: number; y: number }) =>
      Math.abs(x - box.x) < box.width / 2 && Math.abs(y - box.y) < box.height / 2;
    expect(line.length).toBeGreaterThan(5);
    const places = line.slice(1).flatMap((to, i) => {
      const from = line[i] ?? to;
      return Array.from({ length: 20 }, (_, k) => ({
        x: from.x + ((to.x - from.x) * k) / 20,
        y: from.y + ((to.y - from.y) * k) / 20,
      }));
    });
    expect(places.filter(isInside)).toEqual([]);
  });

  test('that leads down has what is not connected below each other, one that leads right beside', () => {
    const { nodes, edges } = trafficOf();
    const [down, right] = [layOut(nodes, edges, 'down'), layOut(nodes, edges, 'right')];
    const top = (name: string) => {
      const { y = 0, height = 0 } = down.namespaces.get(name) ?? {};
      return { from: y - height / 2, to: y + height / 2 };
    };
    const [above, below] = [top('feeds'), top('shop')].toSorted((a, b) => a.from - b.from);
    expect(above?.to).toBeLessThan(below?.from ?? 0);
    expect(down.width).toBeLessThan(right.width);
    expect(down.nodes.size).toBe(6);
  });

  test('of nothing has no size', () => {
    expect(layOut([], [])).toMatchObject({ width: 0, height: 0 });
  });
});
