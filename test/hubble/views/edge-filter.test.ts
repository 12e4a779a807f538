import { describe, expect, test } from '@jest/globals';
import { parseRecord } from '../../../src/hubble/captures/record-line.ts';
import { edgeFilter, nodeFilter } from '../../../src/hubble/views/edge-filter.ts';
import { TrafficCounter } from '../../../src/hubble/views/traffic/counter.ts';
import { compileWhere } from '../../../src/hubble/where/evaluate.ts';
import { parseWhere } from '../../../src/hubble/where/parse.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import type { TrafficNode } from '../../../src/model/traffic.ts';
import { fixtureText } from '../../helpers/recordings.ts';

const RECORDED = fixtureText('recordings/flows-1.20.jsonl')
  .trim()
  .split('\n')
  .flatMap((line) => parseRecord(line, { ignoreUnknown: true }).flow ?? []);

const node = (more: Partial<TrafficNode>): TrafficNode => ({
  id: JSON.stringify(more),
  kind: 'workload',
  name: 'web',
  namespace: 'shop',
  cluster: undefined,
  workload: 'Deployment',
  services: [],
  pods: [],
  folded: 0,
  ...more,
});

async function passing(source: string, flows: readonly Flow[]): Promise<Flow[]> {
  return flows.filter(await compileWhere(parseWhere(source), source));
}

test('the filter of an edge means the flows between its ends, in both directions, and no others', async () => {
  const counter = new TrafficCounter();
  for (const flow of RECORDED) counter.add(flow, undefined);
  const { nodes, edges } = counter.snapshot();
  expect(edges.length).toBeGreaterThan(10);
  const known = new Map(nodes.map((one) => [one.id, one]));
  for (const { client, server } of edges) {
    const [from, to] = [known.get(client), known.get(server)];
    const filter = from && to && edgeFilter(from, to);
    const between = edges.filter(
      (edge) =>
        (edge.client === client && edge.server === server) ||
        (edge.client === server && edge.server === client),
    );
    const flows = between.reduce((sum, edge) => sum + edge.flows, 0);
    expect([filter?.text, filter?.wider, (await passing(filter?.text ?? '', RECORDED)).length]).toEqual([
      filter?.text,
      false,
      flows,
    ]);
  }
});

describe('an end', () => {
  test.each<[string, Partial<TrafficNode>, string]>([
    ['a workload', {}, '(src.ns = shop and src.workload = web or dst.ns = shop and dst.workload = web)'],
    ['a pod', { kind: 'pod', name: 'web-0' }, '(src.pod = shop/web-0 or dst.pod = shop/web-0)'],
    [
      'what has an identity alone',
      { kind: 'pod', name: 'identity 7009' },
      '(src.ns = shop and src.identity = 7009 or dst.ns = shop and dst.identity = 7009)',
    ],
    [
      'a service',
      { kind: 'service', name: 'api' },
      '(src.service = shop/api and not src.pod and src.identity in [0,2,9..] or dst.service = shop/api and not dst.pod and dst.identity in [0,2,9..])',
    ],
    [
      'an entity',
      { kind: 'entity', name: 'kube-apiserver', namespace: undefined },
      '(src.identity = 7 or dst.identity = 7)',
    ],
    [
      'an address',
      { kind: 'address', name: 'fd00::1' },
      '(src.host = fd00::1 and src.identity in [0,2,9..] or dst.host = fd00::1 and dst.identity in [0,2,9..])',
    ],
    [
      'one of a cluster among others',
      { kind: 'pod', name: 'web-0', cluster: 'east 1' },
      '(src.pod = shop/web-0 and src.cluster = "east 1" or dst.pod = shop/web-0 and dst.cluster = "east 1")',
    ],
  ])('%s', (_, more, text) => {
    expect(nodeFilter(node(more))).toBe(text);
  });

  test('of which the name was cut means what begins so', async () => {
    const name = `${'a'.repeat(511)}…`;
    const flow: Flow = { source_names: [`${'a'.repeat(600)}.example`] };
    expect(await passing(nodeFilter(node({ kind: 'name', name })), [flow])).toEqual([flow]);
  });

  test('with quotes in its name stays one value', async () => {
    const flow: Flow = { source: { namespace: 'a" or "', workloads: [{ name: '\\"' }] } };
    const text = nodeFilter(node({ namespace: 'a" or "', name: '\\"' }));
    expect(await passing(text, [flow, {}])).toEqual([flow]);
  });
});

describe('an edge', () => {
  const others = node({ kind: 'others', name: 'other addresses' });
  test('of an end with itself goes one way', () => {
    expect(edgeFilter(node({ kind: 'pod' }), node({ kind: 'pod' }))).toEqual({
      text: 'src.pod = shop/web and dst.pod = shop/web',
      wider: false,
    });
  });

  test('with an end that stands for many means all flows of the other one, and says so', () => {
    expect(edgeFilter(node({ kind: 'pod' }), others)).toEqual({
      text: '(src.pod = shop/web or dst.pod = shop/web)',
      wider: true,
    });
    expect(edgeFilter(others, others)).toBeUndefined();
  });

  test('is still about both directions when a test is written behind it', async () => {
    const flows = [80, 443].flatMap((port): Flow[] => [
      { IP: { source: '1.1.1.1', destination: '2.2.2.2' }, l4: { TCP: { destination_port: port } } },
      { IP: { source: '2.2.2.2', destination: '1.1.1.1' }, l4: { TCP: { destination_port: port } } },
    ]);
    const [from, to] = ['1.1.1.1', '2.2.2.2'].map((name) => node({ kind: 'address', name }));
    const filter = from && to && edgeFilter(from, to);
    expect(await passing(`${filter?.text} and dst.port = 80`, flows)).toEqual(flows.slice(0, 2));
  });
});
