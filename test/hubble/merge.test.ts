import { describe, expect, test } from '@jest/globals';
import { frame, messagesOf } from '../../src/hubble/grpc/frames.ts';
import { type MergeOptions, mergeFlows, type OpenStream } from '../../src/hubble/merge.ts';
import { decode, encode } from '../../src/hubble/protobuf/codec.ts';
import type { GetFlowsResponse } from '../../src/model/hubble.gen.ts';
import fc from '../helpers/properties.ts';

const answer = (message: GetFlowsResponse) => frame(encode('observer.GetFlowsResponse', message));
const timeOf = (ms: number) => new Date(1_790_000_000_000 + ms).toISOString();
const flow = (ms: number, uuid: string) => answer({ flow: { time: timeOf(ms), uuid }, time: timeOf(ms) });

const nameOf = ({ flow: seen, lost_events: lost, node_status: news }: GetFlowsResponse) =>
  seen?.uuid ?? lost?.num_events_lost ?? news?.message ?? '';
const namesOf = (batch: readonly Buffer[]) =>
  batch.flatMap((whole) =>
    Array.from(messagesOf(whole), (bytes) => nameOf(decode('observer.GetFlowsResponse', bytes))),
  );

/** A stream of batches, each of which is overwritten when the next one is asked for. */
function streamOf(batches: readonly (readonly Buffer[])[], asked: () => void = () => {}): OpenStream {
  return async function* () {
    const buffer = Buffer.alloc(64 * 1024);
    for (const batch of batches) {
      asked();
      const whole = Buffer.concat(batch);
      whole.copy(buffer);
      yield whole.length === 0 ? [] : [buffer.subarray(0, whole.length)];
      buffer.fill(0xff);
    }
  };
}

const noSleep = () => new Promise<void>(() => {});
const ENDS: MergeOptions = {
  follow: false,
  past: true,
  sleep: noSleep,
  onFailure: async (_, error) => {
    throw error;
  },
};

async function merged(streams: readonly OpenStream[], options: Partial<MergeOptions> = {}) {
  const names: string[] = [];
  for await (const batch of mergeFlows(streams, { ...ENDS, ...options })) names.push(...namesOf(batch));
  return names;
}

/** What a test sends, one step after the other. */
class Tap {
  readonly #batches: Buffer[][] = [];
  #wake = () => {};
  asked = 0;
  stopped = false;

  readonly open: OpenStream = (signal) => this.#stream(signal);

  send(...batch: Buffer[]): void {
    this.#batches.push(batch);
    this.#wake();
  }

  async *#stream(signal: AbortSignal): AsyncGenerator<Buffer[]> {
    try {
      for (;;) {
        this.asked++;
        while (this.#batches.length === 0) {
          signal.throwIfAborted();
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
        }
        yield this.#batches.shift() ?? [];
      }
    } finally {
      this.stopped = true;
    }
  }
}

/** Time that passes when a test says so. */
class Ticks {
  readonly #waiting: (() => void)[] = [];
  readonly sleep = () => new Promise<void>((resolve) => this.#waiting.push(resolve));

  async pass(): Promise<void> {
    await settle();
    for (const wake of this.#waiting.splice(0)) wake();
    await settle();
  }
}

const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 2));

describe('streams that end', () => {
  const times = fc.array(fc.nat(30), { maxLength: 20 }).map((all) => all.toSorted((a, b) => a - b));
  const stream = fc.tuple(times, fc.infiniteStream(fc.integer({ min: 0, max: 4 })));

  test('are merged as a stable sort of all of them orders them, however they are cut', () =>
    fc.assert(
      fc.asyncProperty(fc.array(stream, { minLength: 1, maxLength: 4 }), async (all) => {
        const flows = all.map(([at], i) => at.map((ms, n) => ({ ms, uuid: `${i}-${n}` })));
        const streams = flows.map((own, i) => {
          const sizes = all[i]?.[1];
          const left = own.map(({ ms, uuid }) => flow(ms, uuid));
          const batches: Buffer[][] = [];
          while (left.length > 0) batches.push(left.splice(0, sizes?.next().value ?? 1));
          return streamOf(batches);
        });
        const wanted = flows.flat().toSorted((a, b) => a.ms - b.ms);
        expect(await merged(streams)).toEqual(wanted.map(({ uuid }) => uuid));
      }),
    ));

  test('are read no further than they are needed', async () => {
    let asked = 0;
    const long = Array.from({ length: 50 }, (_, i) => [flow(1000 + i, `a${i}`)]);
    const slow = new Tap();
    const all = mergeFlows([streamOf(long, () => asked++), slow.open], ENDS);
    const first = all.next();
    await settle();
    expect(asked).toBe(1);
    slow.send(flow(1, 'b'));
    expect(namesOf((await first).value ?? [])).toEqual(['b']);
    await all.return(undefined);
  });

  test('keep lost events in their place, a flow that is late as near to it as can be, and tell news at once', async () => {
    const lost = answer({ lost_events: { num_events_lost: '7' } });
    const news = answer({ node_status: { message: 'a node is gone' }, time: timeOf(900) });
    const a = streamOf([[news, flow(10, 'a10'), lost, flow(30, 'a30'), flow(5, 'late'), flow(40, 'a40')]]);
    const b = streamOf([[flow(20, 'b20'), flow(35, 'b35')]]);
    expect(await merged([a, b])).toEqual(['a node is gone', 'a10', '7', 'b20', 'a30', 'late', 'b35', 'a40']);
  });

  const minutes = (n: number) => n * 60_000;
  const named = (name: string, ...times: number[]) => times.map((ms) => flow(ms, `${name}${ms}`));

  test('are not held back by a flow of the far future, nor brought forward by one of the past', async () => {
    const future = minutes(500);
    const a = [
      ...named('a', 10, 20),
      flow(future, 'future'),
      ...named('a', 30, 50),
      flow(-future, 'past'),
      ...named('a', 60),
    ];
    const b = named('b', 15, 25, 35, 55, 65);
    const wanted = ['a10', 'b15', 'a20', 'b25', 'future', 'a30', 'b35', 'a50', 'past', 'b55', 'a60', 'b65'];
    for (const size of [1, 2, 3, 20]) {
      const cut = (flows: Buffer[]) =>
        streamOf(
          Array.from({ length: Math.ceil(flows.length / size) }, (_, i) =>
            flows.slice(i * size, (i + 1) * size),
          ),
        );
      expect(await merged([cut(a), cut(b)])).toEqual(wanted);
    }
  });

  test('are not held back by a node whose clock is ahead', async () => {
    const a: Buffer[] = [];
    for (let i = 0; i < 1000; i++)
      a.push(flow(i * 10, `a${i}`), ...(i % 7 < 2 ? [flow(minutes(60) + i * 10, `ahead${i}`)] : []));
    const b = Array.from({ length: 1000 }, (_, i) => flow(i * 10 + 5, `b${i}`));
    const names = await merged([streamOf(a.map((one) => [one])), streamOf(b.map((one) => [one]))]);
    const inOrder = Array.from({ length: 1000 }, (_, i) => [`a${i}`, `b${i}`]).flat();
    expect(names.filter((name) => !name.startsWith('ahead'))).toEqual(inOrder);
    expect(names.indexOf('ahead1')).toBeLessThan(10);
  });

  test('go on when one fails, which is told with its place', async () => {
    const failures: [number, unknown][] = [];
    const broken: OpenStream = async function* () {
      yield [flow(2, 'b')];
      throw new Error('gone');
    };
    const onFailure = async (i: number, error: unknown) => void failures.push([i, error]);
    const names = await merged([streamOf([[flow(1, 'a')], [flow(3, 'c')]]), broken], { onFailure });
    expect(names).toEqual(['a', 'b', 'c']);
    expect(failures).toEqual([[1, new Error('gone')]]);
  });

  test('go on with what came while a failure was told', async () => {
    // biome-ignore lint/correctness/useYield: it fails at once
    const broken: OpenStream = async function* () {
      throw new Error('gone');
    };
    const [early, late] = [new Tap(), new Tap()];
    early.send(flow(1, 'early'));
    const onFailure = async () => {
      // So much later that its stream is to be read on before it is taken.
      late.send(flow(minutes(60), 'late'));
      await settle();
      late.send(flow(2, 'next'));
    };
    const all = mergeFlows([broken, early.open, late.open], { ...ENDS, onFailure });
    expect(namesOf((await all.next()).value ?? [])).toEqual(['early']);
    await all.return(undefined);
  });

  test('are all ended when who is told of a failure gives up, or when no more is wanted', async () => {
    const quiet = new Tap();
    // biome-ignore lint/correctness/useYield: it fails at once
    const broken: OpenStream = async function* () {
      throw new Error('gone');
    };
    await expect(merged([broken, quiet.open])).rejects.toThrow('gone');
    expect(quiet.stopped).toBe(true);
    const tap = new Tap();
    const all = mergeFlows([streamOf([[flow(1, 'a')]]), tap.open], ENDS);
    tap.send(flow(2, 'b'));
    expect(namesOf((await all.next()).value ?? [])).toEqual(['a']);
    await all.return(undefined);
    expect(tap.stopped).toBe(true);
  });
});

describe('streams that are followed', () => {
  async function follow(taps: readonly Tap[], options: Partial<MergeOptions> = {}) {
    const ticks = new Ticks();
    const names: string[] = [];
    const all = mergeFlows(
      taps.map(({ open }) => open),
      { ...ENDS, follow: true, past: false, sleep: ticks.sleep, ...options },
    );
    const done = (async () => {
      for await (const batch of all) names.push(...namesOf(batch));
    })().catch(() => {});
    return { names, ticks, done };
  }

  test('are in order while both send, and wait a moment for one that is quiet', async () => {
    const [a, b] = [new Tap(), new Tap()];
    const { names, ticks } = await follow([a, b]);
    a.send(flow(10, 'a10'), flow(30, 'a30'));
    b.send(flow(20, 'b20'));
    await settle();
    expect(names).toEqual(['a10', 'b20']);
    await ticks.pass();
    expect(names).toEqual(['a10', 'b20']);
    b.send(flow(25, 'b25'));
    await settle();
    expect(names).toEqual(['a10', 'b20', 'b25']);
    await ticks.pass();
    expect(names).toEqual(['a10', 'b20', 'b25', 'a30']);
  });

  test('wait longer for the first answer of each where the past is asked for', async () => {
    const [a, b] = [new Tap(), new Tap()];
    const { names, ticks } = await follow([a, b], { past: true });
    a.send(flow(10, 'a10'));
    for (let i = 0; i < 5; i++) await ticks.pass();
    expect(names).toEqual([]);
    b.send(flow(5, 'b5'));
    await settle();
    expect(names).toEqual(['b5']);
    for (let i = 0; i < 2; i++) await ticks.pass();
    expect(names).toEqual(['b5', 'a10']);
  });

  test('do not wait for ever for one that never answers', async () => {
    const [a, b] = [new Tap(), new Tap()];
    const { names, ticks } = await follow([a, b], { past: true });
    a.send(flow(10, 'a10'));
    for (let i = 0; i < 12; i++) await ticks.pass();
    expect(names).toEqual(['a10']);
  });

  test('are read no further while what waits for a quiet one takes much memory', async () => {
    const [a, b] = [new Tap(), new Tap()];
    const { names, ticks } = await follow([a, b]);
    const big = 'x'.repeat(60_000);
    for (let i = 0; i < 400; i++) a.send(flow(i, `${i}${big}`));
    await settle();
    await settle();
    expect(names).toEqual([]);
    expect(a.asked * 60_000).toBeGreaterThan(7 * 1024 * 1024);
    expect(a.asked * 60_000).toBeLessThan(9 * 1024 * 1024);
    for (let i = 0; i < 12; i++) await ticks.pass();
    expect(names.map((name) => Number.parseInt(name, 10))).toEqual(Array.from({ length: 400 }, (_, i) => i));
  });

  test('are read no further either where what waits is very many and small', async () => {
    const [a, b] = [new Tap(), new Tap()];
    await follow([a, b]);
    for (let i = 0; i < 400; i++) a.send(...Array.from({ length: 200 }, () => flow(i, '')));
    for (let i = 0; i < 10; i++) await settle();
    expect(a.asked * 200).toBeLessThan(45_000);
  });

  test('wait for one that sends what was slowly', async () => {
    const [a, b] = [new Tap(), new Tap()];
    const { names, ticks } = await follow([a, b], { past: true });
    a.send(...Array.from({ length: 10 }, (_, i) => flow(10 * i + 5, `a${i}`)));
    for (let i = 0; i < 10; i++) {
      b.send(flow(10 * i, `b${i}`));
      await ticks.pass();
    }
    const wanted = Array.from({ length: 10 }, (_, i) => [`b${i}`, `a${i}`]).flat();
    expect(names).toEqual(wanted.slice(0, -1));
    for (let i = 0; i < 2; i++) await ticks.pass();
    expect(names).toEqual(wanted);
  });

  test.each([true, false])('do not wait for ever for one whose clock is behind (past: %s)', async (past) => {
    const [a, b] = [new Tap(), new Tap()];
    const { names, ticks } = await follow([a, b], { past });
    const seen: number[] = [];
    for (let i = 0; i < 60; i++) {
      a.send(flow(1_000_000 + i, `a${i}`));
      b.send(flow(i, `b${i}`));
      await ticks.pass();
      seen.push(names.filter((name) => name.startsWith('a')).length);
    }
    expect(seen[past ? 18 : 0]).toBe(0);
    // Then they come as long after they were sent as those of any other.
    expect(seen.at(-1)).toBeGreaterThan(56);
    expect(names.filter((name) => name.startsWith('b'))).toHaveLength(60);
  });
});
