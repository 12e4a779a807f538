import { describe, expect, test } from '@jest/globals';
import { frame, messagesOf } from '../../src/hubble/grpc/frames.ts';
import { ConnectionLost, RpcError } from '../../src/hubble/grpc/status.ts';
import { decode, encode } from '../../src/hubble/protobuf/codec.ts';
import { type FollowOptions, followFlows, type Gap } from '../../src/hubble/resume.ts';
import type { GetFlowsRequest } from '../../src/model/hubble.gen.ts';

/** A server with a ring of flows, one every 10 ms of its own clock, that can be cut off. */
class RingServer {
  flows: { uuid: string; ms: number }[] = [];
  requests: GetFlowsRequest[] = [];
  #n = 0;
  constructor(readonly capacity: number) {}

  emit(): Buffer {
    const flow = { uuid: `flow-${this.#n}`, ms: 1_700_000_000_000 + 10 * this.#n };
    this.#n++;
    this.flows.push(flow);
    if (this.flows.length > this.capacity) this.flows.shift();
    return this.bytes(flow);
  }

  bytes({ uuid, ms }: { uuid: string; ms: number }): Buffer {
    const time = new Date(ms).toISOString();
    return frame(encode('observer.GetFlowsResponse', { flow: { uuid, time }, time }));
  }

  held(request: GetFlowsRequest): Buffer[] {
    const since = request.since ? Date.parse(request.since) : Number.POSITIVE_INFINITY;
    return this.flows.filter(({ ms }) => ms >= since).map((flow) => this.bytes(flow));
  }
}

const REQUEST: GetFlowsRequest = { follow: true, number: '0' };
const BREAK = () => new RpcError('Unavailable', 'connection reset');

function options(gaps: Gap[], over: Partial<FollowOptions> = {}): FollowOptions {
  return {
    maxReconnects: Number.POSITIVE_INFINITY,
    nowMs: () => 0,
    sleep: async () => {},
    signal: new AbortController().signal,
    onBreak: async () => {},
    onResume: async (gap) => void gaps.push(gap),
    ...over,
  };
}

const uuidsOf = (whole: Buffer) =>
  Array.from(messagesOf(whole), (bytes) => decode('observer.GetFlowsResponse', bytes).flow?.uuid ?? '');

describe('a followed stream that breaks', () => {
  test('does not show what was before its beginning', async () => {
    const server = new RingServer(1000);
    for (let i = 0; i < 50; i++) server.emit();
    let connection = 0;
    const open = async function* (request: GetFlowsRequest) {
      yield [...(connection++ > 0 ? server.held(request) : []), server.emit()];
      if (connection < 3) throw BREAK();
    };
    const shown: string[] = [];
    for await (const batch of followFlows(open, REQUEST, options([]))) shown.push(...batch.flatMap(uuidsOf));
    expect(shown).toEqual(['flow-50', 'flow-51', 'flow-52']);
  });

  // differs: observe-resume
  test('loses nothing that the server still holds and shows nothing twice', async () => {
    const server = new RingServer(10_000);
    let connection = 0;
    const open = async function* (request: GetFlowsRequest) {
      server.requests.push(request);
      const held = server.held(request);
      if (held.length > 0) yield held;
      const mine = ++connection;
      for (let i = 0; i < 400; i++) yield [server.emit(), server.emit()];
      // While nobody listens flows go on.
      for (let i = 0; i < 50; i++) server.emit();
      if (mine < 20) throw BREAK();
    };
    const gaps: Gap[] = [];
    const seen: string[] = [];
    for await (const batch of followFlows(open, REQUEST, options(gaps))) seen.push(...batch.flatMap(uuidsOf));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe(20 * 800 + 19 * 50);
    expect(gaps.length).toBe(19);
    expect(gaps.every(({ complete }) => complete)).toBe(true);
  });

  test('says when the server no longer held what came between', async () => {
    const server = new RingServer(5);
    let connection = 0;
    const open = async function* (request: GetFlowsRequest) {
      yield server.held(request);
      connection++;
      for (let i = 0; i < 10; i++) yield [server.emit()];
      for (let i = 0; i < 50; i++) server.emit();
      if (connection === 1) throw BREAK();
    };
    const gaps: Gap[] = [];
    const seen: string[] = [];
    for await (const batch of followFlows(open, REQUEST, options(gaps))) seen.push(...batch.flatMap(uuidsOf));
    expect(gaps).toEqual([
      {
        cause: 'rpc error: code = Unavailable desc = connection reset',
        lengthMs: 0,
        after: '2023-11-14T22:13:20.090Z',
        complete: false,
      },
    ]);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('is one gap, which lasts until it is known of every node, when it breaks again meanwhile', async () => {
    const flow = (node: string, uuid: string) =>
      frame(
        encode('observer.GetFlowsResponse', {
          node_name: node,
          flow: { uuid, time: '2023-11-14T22:13:20Z', node_name: node },
        }),
      );
    const seen = [flow('a', 'a1'), flow('b', 'b1')];
    let nowMs = 0;
    let connection = 0;
    const open = async function* () {
      nowMs += 1000;
      connection++;
      if (connection === 1) yield seen;
      if (connection === 2) yield seen.slice(0, 1);
      if (connection === 3) yield seen;
      if (connection < 3) throw new RpcError('Unavailable', `break ${connection}`);
    };
    const gaps: Gap[] = [];
    await Array.fromAsync(followFlows(open, REQUEST, options(gaps, { nowMs: () => nowMs })));
    expect(gaps).toEqual([
      {
        cause: 'rpc error: code = Unavailable desc = break 1',
        lengthMs: 2000,
        after: '2023-11-14T22:13:20Z',
        complete: true,
      },
    ]);
  });

  test('waits longer from attempt to attempt and gives up after the given number', async () => {
    const waits: number[] = [];
    let connection = 0;
    const open = async function* () {
      if (connection++ > 0) throw BREAK();
      yield [new RingServer(1).emit()];
      throw BREAK();
    };
    const follow = followFlows(
      open,
      REQUEST,
      options([], { maxReconnects: 8, sleep: async (ms) => void waits.push(ms) }),
    );
    await expect(Array.fromAsync(follow)).rejects.toThrow('connection reset');
    expect(waits).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  test.each([
    ['a first connection that fails', new RpcError('Unavailable', 'refused'), false],
    ['an answer that is no break', new RpcError('InvalidArgument', 'bad filter'), true],
  ] as const)('%s is not tried again', async (_, error, first) => {
    let opened = 0;
    const open = async function* () {
      opened++;
      if (first) yield [new RingServer(1).emit()];
      throw error;
    };
    await expect(Array.fromAsync(followFlows(open, REQUEST, options([])))).rejects.toThrow(error.message);
    expect(opened).toBe(1);
  });

  /** Nodes whose clocks differ, one flow of each every 20 ms, kept without an end. */
  function skewedRing(skewsMs: Record<string, number>) {
    const flows: { node: string; ms: number; uuid: string }[] = [];
    return {
      flows,
      emit(): Buffer[] {
        const n = flows.length;
        const fresh = Object.entries(skewsMs).map(([node, skew]) => ({
          node,
          ms: 1_700_000_000_000 + n * 10 + skew,
          uuid: `${node}-${n}`,
        }));
        flows.push(...fresh);
        return fresh.map(bytesOf);
      },
      held: ({ since }: GetFlowsRequest) =>
        flows.filter(({ ms }) => since !== undefined && ms >= Date.parse(since)),
    };
  }

  function bytesOf({ node, ms, uuid }: { node: string; ms: number; uuid: string }): Buffer {
    const time = new Date(ms).toISOString();
    return frame(encode('observer.GetFlowsResponse', { flow: { uuid, time }, time, node_name: node }));
  }

  test.each([
    ['as they came', (held: { node: string; ms: number; uuid: string }[]) => [held]],
    [
      'node by node',
      (held: { node: string; ms: number; uuid: string }[]) =>
        ['a', 'b', 'c'].map((node) => held.filter((f) => f.node === node)),
    ],
    [
      'by time',
      (held: { node: string; ms: number; uuid: string }[]) => [held.toSorted((x, y) => x.ms - y.ms)],
    ],
  ])('nodes whose clocks differ lose nothing and show nothing twice, sent again %s', async (_, order) => {
    const ring = skewedRing({ a: 30_000, b: 0, c: -7000 });
    let connection = 0;
    const open = async function* (request: GetFlowsRequest) {
      connection++;
      for (const part of order(ring.held(request))) yield part.map(bytesOf);
      for (let i = 0; i < 300; i++) yield ring.emit();
      for (let i = 0; i < 40; i++) ring.emit();
      if (connection < 5) throw new ConnectionLost('gone');
    };
    const gaps: Gap[] = [];
    const seen: string[] = [];
    for await (const batch of followFlows(open, REQUEST, options(gaps))) seen.push(...batch.flatMap(uuidsOf));
    expect(seen.length).toBe(new Set(seen).size);
    // The last 40 of each node come after the last connection.
    expect(seen.length).toBe(ring.flows.length - 40 * 3);
    expect(gaps.map(({ complete }) => complete)).toEqual([true, true, true, true]);
  });

  test('a node that held nothing any more is told, though others did', async () => {
    const ring = skewedRing({ a: 0, b: 0 });
    let connection = 0;
    const open = async function* (request: GetFlowsRequest) {
      connection++;
      yield ring
        .held(request)
        .filter(({ node }) => node === 'a')
        .map(bytesOf);
      for (let i = 0; i < 10; i++) yield ring.emit();
      if (connection === 1) throw new ConnectionLost('gone');
    };
    const gaps: Gap[] = [];
    await Array.fromAsync(followFlows(open, REQUEST, options(gaps)));
    expect(gaps).toEqual([
      {
        cause: 'rpc error: code = Unavailable desc = gone',
        lengthMs: 0,
        after: '2023-11-14T22:13:20.180Z',
        complete: false,
      },
    ]);
  });

  test('a stream that was quiet survives its first break, and asks for what it may have missed', async () => {
    const requests: GetFlowsRequest[] = [];
    const open = async function* (request: GetFlowsRequest) {
      requests.push(request);
      if (requests.length < 3) throw new ConnectionLost('gone');
      yield [new RingServer(1).emit()];
    };
    const gaps: Gap[] = [];
    const nowMs = () => 1_700_000_020_000;
    const batches = await Array.fromAsync(followFlows(open, REQUEST, options(gaps, { nowMs })));
    expect(batches.length).toBe(1);
    expect(requests.map(({ since }) => since)).toEqual([
      undefined,
      '2023-11-14T22:13:30Z',
      '2023-11-14T22:13:30Z',
    ]);
    expect(gaps).toMatchObject([{ after: undefined, complete: false }]);
  });

  test('connections in vain that lasted are no attempts in a row', async () => {
    const waits: number[] = [];
    let nowMs = 0;
    let connection = 0;
    const open = async function* () {
      nowMs += 60_000;
      if (++connection > 12) return;
      yield* [];
      throw new ConnectionLost('gone');
    };
    const sleep = async (ms: number) => void waits.push(ms);
    await Array.fromAsync(
      followFlows(open, REQUEST, options([], { maxReconnects: 2, nowMs: () => nowMs, sleep })),
    );
    expect(new Set(waits)).toEqual(new Set([200]));
  });

  test('a stream that the server ends stays ended', async () => {
    const open = async function* () {
      yield [new RingServer(1).emit()];
    };
    expect((await Array.fromAsync(followFlows(open, REQUEST, options([])))).length).toBe(1);
  });
});
