import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TrafficCounter } from '../../../src/hubble/views/traffic/counter.ts';
import { compileEdgeFilter } from '../../../src/hubble/views/traffic/edge-fields.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import type { Traffic } from '../../../src/model/traffic.ts';
import { fixtureText } from '../../helpers/recordings.ts';

const RECORDED = fixtureText('recordings/flows-1.20.jsonl')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { flow: Flow }).flow)
  .filter((flow) => flow !== undefined);

const WEB = { namespace: 'shop', pod_name: 'web-1', workloads: [{ kind: 'Deployment', name: 'web' }] };
const API = { namespace: 'shop', pod_name: 'api-1', workloads: [{ kind: 'Deployment', name: 'api' }] };

function count(
  flows: readonly Flow[],
  bounds?: ConstructorParameters<typeof TrafficCounter>[0],
): TrafficCounter {
  const counter = new TrafficCounter(bounds);
  for (const flow of flows) counter.add(flow, flow.time === undefined ? undefined : Date.parse(flow.time));
  return counter;
}

/** What every count of flows must come to. */
function sums({ edges, endless, timeline }: Traffic) {
  const sum = (numbers: readonly number[]) => numbers.reduce((all, n) => all + n, 0);
  return {
    flows: sum(edges.map(({ flows }) => flows)) + endless,
    dropped: sum(edges.map(({ dropped }) => dropped)),
    ports: sum(edges.flatMap(({ ports }) => ports.map(({ flows }) => flows))) + endless,
    verdicts: sum(edges.flatMap(({ verdicts }) => verdicts.map(({ flows }) => flows))) + endless,
    drops: sum(edges.flatMap(({ drops }) => drops.map(({ flows }) => flows))),
    timeline: sum(timeline.flows),
    times: sum(edges.flatMap(({ times }) => times.map(([, flows]) => flows))) + endless,
  };
}

describe('who talks to whom', () => {
  test('holds every recorded flow once, under one port, one verdict and one piece of time', () => {
    const traffic = count(RECORDED).snapshot();
    const dropped = RECORDED.filter(({ verdict }) => verdict === 'DROPPED' || verdict === 'ERROR').length;
    const all = RECORDED.length;
    expect(sums(traffic)).toEqual({
      ...{ flows: all, ports: all, verdicts: all, timeline: all, times: all },
      ...{ dropped, drops: dropped },
    });
  });

  test('counts an answer with its request, by the port of the server', () => {
    const request: Flow = {
      source: WEB,
      destination: API,
      is_reply: false,
      l4: { TCP: { source_port: 40_000, destination_port: 80 } },
    };
    const answer: Flow = {
      source: API,
      destination: WEB,
      is_reply: true,
      l4: { TCP: { source_port: 80, destination_port: 40_000 } },
    };
    const [edge, ...others] = count([request, answer]).snapshot().edges;
    expect(others).toEqual([]);
    expect(edge).toMatchObject({ flows: 2, replies: 1, ports: [{ name: '80/TCP', flows: 2 }] });
  });

  test.each([
    { from: 80, to: 40_000, isReply: undefined, client: 'api' },
    { from: 40_000, to: 80, isReply: undefined, client: 'web' },
    { from: 8080, to: 9090, isReply: undefined, client: 'web' },
    { from: 80, to: 40_000, isReply: false, client: 'web' },
  ])(
    'takes $client for the client of $from → $to with is_reply $isReply',
    ({ from, to, isReply, client }) => {
      const flow: Flow = {
        source: WEB,
        destination: API,
        l4: { TCP: { source_port: from, destination_port: to } },
        ...(isReply !== undefined && { is_reply: isReply }),
      };
      const { nodes, edges } = count([flow]).snapshot();
      expect(nodes.find(({ id }) => id === edges[0]?.client)?.name).toBe(client);
    },
  );

  test.each<{ what: string; flow: Flow; kind: string; name: string }>([
    { what: 'a workload', flow: { destination: API }, kind: 'workload', name: 'api' },
    {
      what: 'a pod without a workload',
      flow: { destination: { namespace: 'shop', pod_name: 'job-x' } },
      kind: 'pod',
      name: 'job-x',
    },
    { what: 'a reserved entity', flow: { destination: { identity: 1 } }, kind: 'entity', name: 'host' },
    {
      what: 'a service that was not translated',
      flow: { destination: { identity: 2 }, destination_service: { name: 'api', namespace: 'shop' } },
      kind: 'service',
      name: 'api',
    },
    {
      what: 'a DNS name outside',
      flow: {
        destination: { identity: 2 },
        destination_names: ['example.com'],
        IP: { destination: '192.0.2.1' },
      },
      kind: 'name',
      name: 'example.com',
    },
    {
      what: 'an address outside',
      flow: { destination: { identity: 16_777_217 }, IP: { destination: '192.0.2.1' } },
      kind: 'address',
      name: '192.0.2.1',
    },
  ])('names $what', ({ flow, kind, name }) => {
    const { nodes } = count([{ source: WEB, ...flow }]).snapshot();
    expect(nodes.filter((node) => node.kind !== 'workload' || node.name !== 'web')).toMatchObject([
      { kind, name },
    ]);
  });

  test('keeps a flow of each reason, with the policies that Hubble names', () => {
    const drop: Flow = {
      source: WEB,
      destination: API,
      verdict: 'DROPPED',
      drop_reason_desc: 'POLICY_DENIED',
      traffic_direction: 'INGRESS',
      event_type: { type: 5 },
      ingress_denied_by: [{ name: 'closed', namespace: 'shop' }],
      l4: { TCP: { destination_port: 80 } },
    };
    const [edge] = count([drop, drop]).snapshot().edges;
    expect(edge?.drops).toMatchObject([
      {
        reason: 'POLICY_DENIED',
        port: '80/TCP',
        direction: 'ingress',
        flows: 2,
        policies: ['shop/closed'],
        example: drop,
      },
    ]);
    expect(edge?.policies).toEqual([{ name: 'shop/closed', flows: 2, denied: 2 }]);
  });

  test('tells status, failures and latency of requests', () => {
    const answers = Array.from(
      { length: 100 },
      (_, i): Flow => ({
        source: API,
        destination: WEB,
        is_reply: true,
        l7: { type: 'RESPONSE', latency_ns: String((i + 1) * 1e6), http: { code: i < 90 ? 200 : 503 } },
      }),
    );
    const failed: Flow = {
      source: API,
      destination: WEB,
      is_reply: true,
      l7: { type: 'RESPONSE', dns: { query: 'no.example.', rcode: 3 } },
    };
    const [edge] = count([...answers, failed]).snapshot().edges;
    expect(edge?.http?.codes).toMatchObject([
      { name: '200', flows: 90 },
      { name: '503', flows: 10 },
    ]);
    const { p50 = 0, p99 = 0, most } = edge?.http?.latency ?? {};
    expect(Math.abs(p50 - 50)).toBeLessThan(5);
    expect(Math.abs(p99 - 99)).toBeLessThan(10);
    expect(most).toBe(100);
    expect(edge?.dns?.failures).toMatchObject([{ name: 'NXDOMAIN no.example.', flows: 1 }]);
  });
});

/** Flows of a few hundred pods, addresses and ports. */
const FLOW = fc.record({
  from: fc.integer({ min: 0, max: 60 }),
  to: fc.integer({ min: 0, max: 60 }),
  outside: fc.boolean(),
  port: fc.integer({ min: 1, max: 40 }),
  dropped: fc.boolean(),
  second: fc.integer({ min: 0, max: 100_000 }),
});

function flowOf({
  from,
  to,
  outside,
  port,
  dropped,
  second,
}: typeof FLOW extends fc.Arbitrary<infer T> ? T : never): Flow {
  return {
    time: new Date(1_700_000_000_000 + second * 1000).toISOString(),
    source: { namespace: 'a', pod_name: `p${from}` },
    ...(outside
      ? { IP: { destination: `192.0.2.${to}` } }
      : { destination: { namespace: 'b', pod_name: `p${to}` } }),
    verdict: dropped ? 'DROPPED' : 'FORWARDED',
    is_reply: false,
    l4: { TCP: { source_port: 40_000, destination_port: port } },
  };
}

describe('in bounded memory', () => {
  const SMALL = { nodes: 10, edges: 12, examples: 3 };

  test('no flow is lost when what is small is folded', () => {
    fc.assert(
      fc.property(fc.array(FLOW, { maxLength: 300 }), fc.nat(5_000), (drawn, letters) => {
        const flows = drawn.map(flowOf);
        const traffic = count(flows, { ...SMALL, letters }).snapshot(SMALL);
        const dropped = flows.filter(({ verdict }) => verdict === 'DROPPED').length;
        expect(sums(traffic)).toMatchObject({
          flows: flows.length,
          times: flows.length,
          dropped,
          drops: dropped,
        });
        // Others of two kinds may join those that are kept.
        expect(traffic.nodes.length).toBeLessThanOrEqual(SMALL.nodes + 2);
        expect(traffic.timeline.flows.length).toBeLessThanOrEqual(120);
      }),
    );
  });

  test('names share their room, and give it back when they are folded', () => {
    const letters = 60_000;
    const counter = new TrafficCounter({ ...SMALL, letters });
    const call = (n: number, port: number) => {
      const path = `/${'x'.repeat(400)}${n}-${port}`;
      const http = { method: 'GET', url: path, code: 0 };
      const pods = { namespace: 'shop', pod_name: `${'p'.repeat(200)}${n}-${port}` };
      const flow: Flow = {
        verdict: 'FORWARDED',
        is_reply: false,
        source: { ...WEB, ...pods, workloads: [{ kind: 'Deployment', name: `web-${n}` }] },
        destination: API,
        l4: { TCP: { source_port: 40_000, destination_port: port } },
        l7: { type: 'REQUEST', http },
      };
      counter.add(flow, undefined);
    };
    const named = () => {
      const { nodes, edges } = counter.snapshot();
      const paths = edges.flatMap(({ http }) => http?.paths.map(({ name }) => name) ?? []);
      return [...paths, ...nodes.flatMap(({ pods }) => pods)].join('').length;
    };
    for (let n = 0; n < 200; n++) for (let port = 1; port < 20; port++) call(n, port);
    expect(named()).toBeGreaterThan(letters / 4);
    expect(named()).toBeLessThan(letters);
    // All of those give way to these, and what they had is free again.
    for (let n = 1000; n < 1020; n++) for (let i = 0; i < 40; i++) call(n, 80);
    for (let i = 0; i < 100; i++) call(2000, 443);
    const edge = counter.snapshot().edges.find(({ client }) => client.includes('web-2000'));
    expect(edge?.ports).toEqual([{ name: '443/TCP', flows: 100, dropped: 0 }]);
    expect(sums(counter.snapshot())).toMatchObject({ flows: 4700, ports: 4700 });
  });

  test('two halves that are merged are the whole', () => {
    fc.assert(
      fc.property(fc.array(FLOW, { maxLength: 200 }), fc.nat(), (drawn, at) => {
        const flows = drawn.map(flowOf);
        const cut = flows.length === 0 ? 0 : at % flows.length;
        const whole = count(flows).snapshot();
        const first = count(flows.slice(0, cut));
        first.merge(count(flows.slice(cut)));
        const plain = ({ edges, ...rest }: Traffic) => ({
          ...rest,
          edges: edges.map(({ drops, ...edge }) => ({
            ...edge,
            drops: drops.map(({ example: _, ...drop }) => drop).sort((a, b) => (a.port < b.port ? -1 : 1)),
          })),
        });
        expect(plain(first.snapshot())).toEqual(plain(whole));
      }),
    );
  });

  test('alike flows count as they would one by one', () => {
    const one = new TrafficCounter(SMALL);
    const alike = new TrafficCounter(SMALL);
    const first = flowOf({ from: 1, to: 2, outside: false, port: 80, dropped: false, second: 0 });
    const group = alike.alike(first);
    for (let i = 0; i < 50; i++) {
      // Others push the first ones out.
      for (const counter of [one, alike]) {
        counter.add(
          flowOf({ from: i % 60, to: (7 * i) % 60, outside: i % 3 === 0, port: i, dropped: true, second: i }),
          1000 * i,
        );
      }
      const [source, destination] = [40_000 + i, 80 + (i % 2)];
      one.add({ ...first, l4: { TCP: { source_port: source, destination_port: destination } } }, 1000 * i);
      alike.addAlike(group, source, destination, 1000 * i);
    }
    expect(alike.snapshot()).toEqual(one.snapshot());
  });

  test('times far apart or none at all make no long line', () => {
    const counter = new TrafficCounter();
    const flow = flowOf({ from: 1, to: 2, outside: false, port: 80, dropped: false, second: 0 });
    for (const time of [0, 1, 1.7e12, 4e12, -1e12, undefined]) counter.add(flow, time);
    const { timeline, flows } = counter.snapshot();
    expect(flows).toBe(6);
    expect(timeline.flows.length).toBeLessThanOrEqual(120);
    expect(timeline.flows.reduce((a, b) => a + b, 0)).toBe(5);
  });
});

describe('expressions about a map', () => {
  const { nodes, edges } = count(RECORDED).snapshot();
  const items = edges.map((edge) => {
    const [client, server] = [edge.client, edge.server].map((id) => nodes.find((node) => node.id === id));
    if (!client || !server) throw new Error('an edge has no ends');
    return { edge, client, server };
  });

  test.each([
    { expression: 'dropped > 0', means: ({ edge }: (typeof items)[number]) => edge.dropped > 0 },
    {
      expression: 'src.namespace = default and port = 8080',
      means: ({ edge, client }: (typeof items)[number]) =>
        client.namespace === 'default' && edge.ports.some(({ name }) => name.startsWith('8080/')),
    },
    {
      expression: 'reason = POLICY_DENIED or dst.kind = entity',
      means: ({ edge, server }: (typeof items)[number]) =>
        edge.drops.some(({ reason }) => reason === 'POLICY_DENIED') || server.kind === 'entity',
    },
  ])('$expression', async ({ expression, means }) => {
    const test = await compileEdgeFilter(expression);
    const found = items.filter(test);
    expect(found).toEqual(items.filter(means));
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(items.length);
  });

  test('name what there is not, and what was probably meant', async () => {
    await expect(compileEdgeFilter('droped > 0')).rejects.toMatchObject({
      message: expect.stringContaining('there is no field "droped"'),
      hint: 'Did you mean "dropped"?',
    });
    await expect(compileEdgeFilter('constructor = 1')).rejects.toThrow('there is no field');
  });
});

describe('names without an end', () => {
  const flow = (i: number): Flow => ({
    is_reply: false,
    source: WEB,
    destination: { identity: 2 },
    destination_names: [`${'n'.repeat(50_000)}${i % 3}`],
    l4: { TCP: { source_port: 40_000, destination_port: 80 } },
    l7: { type: 'REQUEST', http: { method: 'GET', url: `/${i}/${'u'.repeat(50_000)}` } },
  });

  test('are cut, so that what is kept stays small', () => {
    const flows = Array.from({ length: 40 }, (_, i) => flow(i));
    const traffic = count(flows).snapshot();
    expect(sums(traffic).flows).toBe(40);
    expect(JSON.stringify(traffic).length).toBeLessThan(100_000);
  });

  test('are cut wherever an end, a reason or a policy has one', () => {
    const name = 'n'.repeat(50_000);
    const flow: Flow = {
      is_reply: false,
      verdict: 'DROPPED',
      drop_reason_desc: name as 'POLICY_DENIED',
      event_type: { type: 5 },
      traffic_direction: 'INGRESS',
      ingress_denied_by: [{ name, namespace: name }],
      source: { namespace: name, cluster_name: name, workloads: [{ kind: name, name }], pod_name: name },
      destination: { identity: 2 },
      destination_service: { name, namespace: name },
      l4: { TCP: { source_port: 40_000, destination_port: 80 } },
    };
    expect(JSON.stringify(count([flow]).snapshot()).length).toBeLessThan(20_000);
    const counter = new TrafficCounter();
    counter.addAlike(counter.alike(flow), 40_000, 80, 0);
    expect(JSON.stringify(counter.snapshot()).length).toBeLessThan(20_000);
  });
});

test('places of flows that are alike are void after a folding', () => {
  const bounds = { nodes: 4, edges: 4, examples: 0 };
  const counter = new TrafficCounter(bounds);
  const groups = Array.from({ length: 30 }, (_, i) =>
    counter.alike({ is_reply: false, source: { namespace: 'a', pod_name: `p${i}` }, destination: API }),
  );
  for (let round = 0; round < 3; round++)
    for (const group of groups) counter.addAlike(group, 40_000, 80, undefined);
  expect(sums(counter.snapshot()).flows).toBe(90);
  expect(groups.filter(({ placed }) => placed > 0).length).toBeLessThanOrEqual(6);
});

describe('flows that are kept as examples', () => {
  const dropTo = (port: number, pod = 'api-1'): Flow => ({
    time: '2026-01-01T00:00:00.000Z',
    uuid: `to ${port}`,
    source: WEB,
    destination: { namespace: 'shop', pod_name: pod, labels: ['k8s:app=api'] },
    verdict: 'DROPPED',
    drop_reason_desc: 'POLICY_DENIED',
    traffic_direction: 'INGRESS',
    is_reply: false,
    l4: { TCP: { source_port: 40_000, destination_port: port } },
  });
  const examplesOf = (counter: TrafficCounter) =>
    counter.snapshot().edges.flatMap(({ drops }) => drops.map(({ port, example }) => ({ port, example })));

  test('have the port that was dropped, in a group too', () => {
    const counter = new TrafficCounter();
    const group = counter.alike(dropTo(80));
    counter.addAlike(group, 40_000, 80, 0);
    counter.addAlike(group, 40_001, 81, 1000);
    const { uuid: _, ...second } = dropTo(81);
    expect(examplesOf(counter)).toEqual([
      { port: '80/TCP', example: dropTo(80) },
      {
        port: '81/TCP',
        example: {
          ...second,
          time: '1970-01-01T00:00:01.000Z',
          l4: { TCP: { source_port: 40_001, destination_port: 81 } },
        },
      },
    ]);
  });

  test.each([true, false])('have all digits of what servers add (in groups: %s)', (inGroups) => {
    const counter = new TrafficCounter();
    const extensions = { '@type': 'type.googleapis.com/x', n: 12_345_678_901_234_567_890n };
    const flow = { ...dropTo(80), extensions };
    if (inGroups) counter.addAlike(counter.alike(flow), 40_000, 80, 0);
    else counter.add(flow, 0);
    expect(examplesOf(counter)).toMatchObject([{ example: { extensions } }]);
  });

  test.each([true, false])(
    'are not longer than they may be; the next that is short is one (in groups: %s)',
    (inGroups) => {
      const counter = new TrafficCounter();
      const long = { ...dropTo(80), Summary: 'x'.repeat(20_000) };
      for (const flow of [long, dropTo(80)]) {
        if (inGroups) counter.addAlike(counter.alike(flow), 40_000, 80, 0);
        else counter.add(flow, 0);
        if (flow === long) expect(examplesOf(counter)).toEqual([{ port: '80/TCP', example: undefined }]);
      }
      expect(examplesOf(counter)).toEqual([{ port: '80/TCP', example: dropTo(80) }]);
    },
  );

  test('are as many as they may be, and make room where they are folded', () => {
    const counter = new TrafficCounter({ nodes: 4, edges: 4, examples: 3 });
    const seen = new Set<string | undefined>();
    for (let i = 0; i < 40; i++) {
      for (let times = 0; times <= i; times++) counter.add(dropTo(80, `api-${i}`), 0);
      const kept = examplesOf(counter).flatMap(({ example }) => (example ? [example as Flow] : []));
      expect(kept.length).toBeLessThanOrEqual(3);
      for (const { destination } of kept) seen.add(destination?.pod_name);
    }
    expect(seen).toContain('api-38');
  });
});

test('a group of flows remembers few places, however many ports there are', () => {
  const counter = new TrafficCounter();
  const group = counter.alike({
    is_reply: false,
    source: WEB,
    destination: API,
    l4: { TCP: { source_port: 1, destination_port: 80 } },
  });
  for (let port = 30_000; port < 40_000; port++) counter.addAlike(group, port, 80, 0);
  expect(group.placed).toBe(1);
  for (let port = 1; port < 1000; port++) counter.addAlike(group, 40_000, port, 0);
  expect(group.placed).toBeLessThan(100);
  expect(sums(counter.snapshot())).toMatchObject({ flows: 10_999, ports: 10_999 });
});
