import { Client, credentials } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { HubbleClient } from '../../src/hubble/client.ts';
import { decode, encode } from '../../src/hubble/protobuf/codec.ts';
import { FlowPlayer } from '../../src/lab/hubble/player.ts';
import { Ring } from '../../src/lab/hubble/ring.ts';
import { FlowTemplate, type FlowTime } from '../../src/lab/hubble/template.ts';
import type { Flow, GetFlowsRequest, GetFlowsResponse } from '../../src/model/hubble.gen.ts';
import { startTestLab, type TestLab } from '../helpers/lab.ts';
import { fixtureText } from '../helpers/recordings.ts';

function clientOf({ lab }: TestLab, signal?: AbortSignal): HubbleClient {
  return new HubbleClient(
    {
      address: `unix://${lab.info.sockets.hubble}`,
      target: { network: 'unix', path: lab.info.sockets.hubble },
      dialTimeoutMs: 5000,
    },
    { version: 'test', requestTimeoutMs: 5000, ...(signal && { signal }) },
  );
}

/** Collects the answers to GetFlows, at most `most` of them. */
async function flowsOf(lab: TestLab, request: GetFlowsRequest, most = 100_000): Promise<GetFlowsResponse[]> {
  const stop = new AbortController();
  const client = clientOf(lab, stop.signal);
  const found: GetFlowsResponse[] = [];
  try {
    for await (const answer of client.stream('/observer.Observer/GetFlows', request)) {
      found.push(answer);
      if (found.length >= most) break;
    }
  } finally {
    await client.close();
  }
  return found;
}

const ALL = '18446744073709551615';

test('a template filled in is the encoding of the flow with its time and UUID', () => {
  const time: FlowTime = { seconds: 1_795_000_000, nanos: 123_456_789 };
  for (const line of fixtureText('recordings/flows-1.20.jsonl').trim().split('\n')) {
    const { flow } = JSON.parse(line) as { flow: Flow };
    const template = new FlowTemplate(flow);
    const bytes = Buffer.alloc(template.length);
    template.write(bytes, 0, time, 77);
    expect(bytes.readUInt32BE(1)).toBe(bytes.length - 5);
    const answer = decode('observer.GetFlowsResponse', bytes.subarray(5));
    expect(answer.time).toBe(answer.flow?.time);
    expect(answer).toEqual({
      flow: {
        ...decode('flow.Flow', encode('flow.Flow', flow)),
        time: expect.any(String),
        uuid: '1ab00000-0000-4000-8000-00000000004d',
      },
      node_name: flow.node_name,
      time: answer.time,
    });
    expect(Date.parse(answer.time ?? '')).toBe(1_795_000_000_123);
    expect(answer.time).toMatch(/\.123456789Z$/);
  }
});

test('a ring keeps its last entries and wakes who waits', async () => {
  const ring = new Ring(3);
  const signal = new AbortController().signal;
  const arrived = ring.arrival(0, signal);
  for (let i = 0; i < 5; i++) ring.push(i, i, 0);
  ring.notify();
  await arrived;
  expect([ring.start, ring.end, ring.size]).toEqual([2, 5, 3]);
  expect([2, 3, 4].map((at) => ring.value(at))).toEqual([2, 3, 4]);
});

test('a player remembers no more flows than its ring holds', () => {
  let made = 0;
  const source = { next: (): Flow => ({ verdict: 'FORWARDED', Summary: `flow ${made++}` }) };
  let nowMs = 1_000_000;
  const player = new FlowPlayer(source, { ratePerSecond: 1000, ringSize: 10, nowMs: () => nowMs });
  expect([...player.flows()]).toHaveLength(10);
  for (let i = 0; i < 50; i++) {
    nowMs += 5;
    player.catchUp();
  }
  expect(made).toBe(260);
  expect([...player.flows()]).toHaveLength(10);
  expect(player.templateAt(player.ring.end - 1)?.flow.Summary).toBe('flow 259');
  expect(player.templateAt(player.ring.start)?.flow.Summary).toBe('flow 250');
  // A machine that slept for a day.
  nowMs += 86_400_000;
  player.catchUp();
  expect(made).toBe(10_260);
  expect(player.ring.seconds(player.ring.end - 1)).toBe(Math.floor((nowMs - 1) / 1000));
});

test('the last flows are asked for by number, in order of time and ending now', async () => {
  await using lab = await startTestLab({ ring: 500 });
  const asked = Date.now();
  const flows = await flowsOf(lab, { number: '20' });
  expect(flows).toHaveLength(20);
  const times = flows.map(({ time }) => Date.parse(time ?? ''));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.at(-1)).toBeGreaterThan(asked - 5000);
  expect(times.at(-1)).toBeLessThanOrEqual(Date.now());
  expect(flows[0]).toMatchObject({ node_name: 'lab/node1', flow: { emitter: { name: 'Hubble' } } });
});

test('all that the ring holds is sent, and the first ones are its oldest', async () => {
  await using lab = await startTestLab({ ring: 300, rate: 0.01 });
  const all = await flowsOf(lab, { number: ALL });
  expect(all).toHaveLength(300);
  expect(await flowsOf(lab, { number: '5', first: true })).toEqual(all.slice(0, 5));
  expect(await flowsOf(lab, {})).toEqual(all);
});

test('filters leave out flows on the server, and a number counts those that pass', async () => {
  await using lab = await startTestLab({ ring: 1000, rate: 0.01 });
  const dropped = await flowsOf(lab, { number: '7', whitelist: [{ verdict: ['DROPPED'] }] });
  expect(dropped.map(({ flow }) => flow?.verdict)).toEqual(Array(7).fill('DROPPED'));
  const rest = await flowsOf(lab, {
    number: ALL,
    whitelist: [{ source_pod: ['default/frontend'] }, { destination_pod: ['default/frontend'] }],
    blacklist: [{ verdict: ['FORWARDED'] }],
  });
  expect(rest.length).toBeGreaterThan(0);
  for (const { flow } of rest) {
    expect(flow?.verdict).not.toBe('FORWARDED');
    expect([flow?.source?.pod_name, flow?.destination?.pod_name]).toContain('frontend-7d9');
  }
  const [one] = rest;
  expect(await flowsOf(lab, { whitelist: [{ uuid: [one?.flow?.uuid ?? ''] }] })).toEqual([one]);
});

test('a field mask is applied before the flows are sent', async () => {
  await using lab = await startTestLab({ ring: 50 });
  const [answer] = await flowsOf(lab, { number: '1', field_mask: 'source.identity,verdict' });
  expect(Object.keys(answer?.flow ?? {}).toSorted()).toEqual(['source', 'verdict']);
  expect(Object.keys(answer?.flow?.source ?? {})).toEqual(['identity']);
  expect(answer).toMatchObject({ node_name: 'lab/node1', time: expect.any(String) });
});

test('since and until cut a window out of the ring', async () => {
  await using lab = await startTestLab({ ring: 100, rate: 0.01 });
  const all = await flowsOf(lab, {});
  const since = all[20]?.time ?? '';
  const until = all[60]?.time ?? '';
  expect(await flowsOf(lab, { since, until })).toEqual(all.slice(20, 61));
  expect(await flowsOf(lab, { since, number: '3' })).toEqual(all.slice(20, 23));
  expect(await flowsOf(lab, { until })).toEqual(all.slice(0, 61));
});

test('following begins with now, or with the number that was asked for', async () => {
  await using lab = await startTestLab({ ring: 100, rate: 200 });
  const began = Date.now();
  const live = await flowsOf(lab, { follow: true }, 30);
  expect(live).toHaveLength(30);
  expect(Date.parse(live[0]?.time ?? '')).toBeGreaterThanOrEqual(began - 100);
  const both = await flowsOf(lab, { follow: true, number: '10' }, 30);
  expect(both).toHaveLength(30);
});

test('a reader that is too slow is told how many flows it lost', async () => {
  await using lab = await startTestLab({ ring: 50, rate: 2000 });
  const client = clientOf(lab);
  const onlooker = clientOf(lab);
  try {
    let lost = 0;
    let waited = false;
    for await (const answer of client.stream('/observer.Observer/GetFlows', { follow: true })) {
      // Reads no further until more flows were made than can be on their way to this reader.
      while (!waited) {
        const { seen_flows: made } = await onlooker.call('/observer.Observer/ServerStatus', {});
        waited = Number(made) > 4000;
        // A server ends a connection on which a thousand calls are closed at once.
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      if (!answer.lost_events) continue;
      expect(answer.lost_events.source).toBe('HUBBLE_RING_BUFFER');
      lost = Number(answer.lost_events.num_events_lost);
      break;
    }
    expect(lost).toBeGreaterThan(0);
  } finally {
    await client.close();
    await onlooker.close();
  }
});

test('what is no filter, and what cannot be combined, is an error of the call', async () => {
  await using lab = await startTestLab({ ring: 10 });
  await expect(flowsOf(lab, { whitelist: [{ source_ip: ['nonsense'] }] })).rejects.toThrow(/nonsense/);
  await expect(flowsOf(lab, { first: true, follow: true })).rejects.toThrow(
    'first cannot be specified with follow',
  );
});

test('status, nodes and namespaces are told', async () => {
  await using lab = await startTestLab({ ring: 700, rate: 100 });
  const client = clientOf(lab);
  try {
    const status = await client.call('/observer.Observer/ServerStatus', {});
    expect(status).toMatchObject({
      max_flows: '700',
      num_flows: '700',
      num_connected_nodes: 2,
      flows_rate: 100,
    });
    const { nodes = [] } = await client.call('/observer.Observer/GetNodes', {});
    expect(nodes.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'lab/node1 NODE_CONNECTED',
      'lab/node2 NODE_CONNECTED',
    ]);
    const { namespaces = [] } = await client.call('/observer.Observer/GetNamespaces', {});
    expect(namespaces.map(({ namespace }) => namespace)).toEqual(['default', 'kube-system', 'monitoring']);
    expect(await client.call('/grpc.health.v1.Health/Check', { service: 'hubble.server.Observer' })).toEqual({
      status: 'SERVING',
    });
    await expect(client.call('/grpc.health.v1.Health/Check', { service: 'x' })).rejects.toThrow(
      'unknown service',
    );
  } finally {
    await client.close();
  }
});

test('peers are told at once and the call stays open', async () => {
  await using lab = await startTestLab({ ring: 10 });
  const client = clientOf(lab);
  const names: string[] = [];
  try {
    for await (const { name = '', type } of client.stream('/peer.Peer/Notify', {})) {
      names.push(`${type} ${name}`);
      if (names.length === 2) break;
    }
  } finally {
    await client.close();
  }
  expect(names).toEqual(['PEER_ADDED lab/node1', 'PEER_ADDED lab/node2']);
});

test('what the agent does becomes an agent event', async () => {
  await using lab = await startTestLab({ ring: 10 });
  const client = clientOf(lab);
  try {
    const rules = [{ endpointSelector: {}, ingress: [{}], labels: [{ key: 'name', value: 'x' }] }];
    const events: unknown[] = [];
    // The last event of the past shows that the stream is open.
    for await (const { agent_event: event } of client.stream('/observer.Observer/GetAgentEvents', {
      follow: true,
      number: '1',
    })) {
      events.push(event);
      if (events.length === 1) await lab.rest('PUT', '/v1/policy', JSON.stringify(JSON.stringify(rules)));
      else if (event?.type === 'ENDPOINT_REGENERATE_SUCCESS') break;
    }
    expect(events[1]).toEqual({
      type: 'POLICY_UPDATED',
      policy_update: { labels: [':name=x'], revision: '3', rule_count: '1' },
    });
    const last: unknown[] = [];
    for await (const answer of client.stream('/observer.Observer/GetAgentEvents', { number: '2' }))
      last.push(answer.agent_event?.type);
    expect(last).toEqual(['ENDPOINT_REGENERATE_SUCCESS', 'ENDPOINT_REGENERATE_SUCCESS']);
  } finally {
    await client.close();
  }
});

test("the field's own gRPC client is served over TCP", async () => {
  await using lab = await startTestLab({ ring: 200, rate: 0.01 });
  const client = new Client(lab.lab.info.hubbleTcp, credentials.createInsecure());
  const call = client.makeServerStreamRequest(
    '/observer.Observer/GetFlows',
    (request: GetFlowsRequest) => encode('observer.GetFlowsRequest', request),
    (bytes: Buffer) => decode('observer.GetFlowsResponse', bytes),
    { number: '150' },
  );
  const got: GetFlowsResponse[] = [];
  for await (const answer of call as AsyncIterable<GetFlowsResponse>) got.push(answer);
  expect(got).toHaveLength(150);
  const failure = await new Promise<{ code?: number; details?: string } | null>((resolve) => {
    client.makeUnaryRequest(
      '/observer.Observer/Nothing',
      () => Buffer.alloc(0),
      (b) => b,
      {},
      (error) => resolve(error),
    );
  });
  expect(failure).toMatchObject({
    code: 12,
    details: 'unknown method Nothing for service observer.Observer',
  });
  client.close();
});
