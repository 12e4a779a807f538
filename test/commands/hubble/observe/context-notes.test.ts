import { describe, expect, test } from '@jest/globals';
import type { Clock } from '../../../../src/context.ts';
import { frame } from '../../../../src/hubble/grpc/frames.ts';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import { main } from '../../../../src/main.ts';
import { serveGrpc } from '../../../helpers/grpc.ts';
import {
  bytesOf,
  contextsOf,
  flow,
  GET_FLOWS,
  observe,
  podsIn,
  relayOf,
  type World,
  worldOf,
} from '../../../helpers/relay-world.ts';
import { testContext } from '../../../helpers/run.ts';

const news = { node_status: { state_change: 'NODE_CONNECTED' as const, node_names: ['x/worker'] } };

/** Time that passes only when a test lets those who wait for so long go on; others go on at once. */
class HeldClock implements Clock {
  #ms = 0;
  readonly #waiting: { ms: number; wake: () => void }[] = [];
  readonly nowMs = () => this.#ms;
  readonly uptimeMs = () => this.#ms;

  constructor(private readonly heldMs: number) {}

  readonly sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (ms === this.heldMs) this.#waiting.push({ ms, wake: resolve });
      else setImmediate(resolve);
    });

  pass(): void {
    this.#ms += this.heldMs;
    for (const { wake } of this.#waiting.splice(0)) wake();
  }
}

/** Observes in a world by a clock; `onStderr` sees what was said so far. */
async function watch(
  world: World,
  words: readonly string[],
  options: {
    clock?: Clock;
    signal?: AbortSignal;
    onStderr?: (text: string) => void;
    onStdout?: (text: string) => void;
  },
) {
  const [stdout, stderr]: Buffer[][] = [[], []];
  const said = () => Buffer.concat(stderr ?? []).toString();
  const ctx = testContext(
    {
      env: { KUBECONFIG: world.kubeconfig },
      ...(options.signal && { signal: options.signal }),
      onStderr: () => options.onStderr?.(said()),
      onStdout: (text) => options.onStdout?.(text),
    },
    stdout,
    stderr,
  );
  const timed = { ...ctx, ...(options.clock && { clock: options.clock }) };
  const code = await main(['hubble', 'observe', ...words], timed);
  return { stdout: Buffer.concat(stdout ?? []).toString(), stderr: said(), code };
}

describe('a relay that sends no flow', () => {
  const clockOf = () => new HeldClock(10_000);
  const silence = (name: string) =>
    `${name} has sent no flow for 10 s, and the flows of the others wait for it. Ctrl-C ends; without its --context they come at once.\n`;

  /** One that is asked and says no more than its news until it is told to end. */
  async function mute(clock: HeldClock, onAsked: (end: () => void) => void = () => {}) {
    let end = () => {};
    const server = await serveGrpc({
      [GET_FLOWS]: {
        raw: (stream) => {
          stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
          stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
          stream.write(frame(encode('observer.GetFlowsResponse', news)));
          end = () => stream.end(frame(bytesOf([flow('west', 20)])[0] ?? Buffer.alloc(0)));
          clock.pass();
          onAsked(end);
        },
      },
    });
    return { server, end: () => end() };
  }

  test('is named after a while, once and with its name made safe', async () => {
    const clock = clockOf();
    const name = 'b\u001b[31m';
    await using east = await relayOf('east', [10]);
    const { server, end } = await mute(clock);
    await using _ = server;
    await using world = await worldOf({ a: east.address, [name]: server.address });
    const onStderr = (text: string) => {
      if (text.endsWith(silence('b^[[31m'))) end();
    };
    const { stdout, stderr, code } = await watch(world, [...contextsOf('a', name), '--all'], {
      clock,
      onStderr,
    });
    // The other one may have answered too late as well, as the clock jumps.
    expect(stderr.replace(silence('a'), '')).toBe(silence('b^[[31m'));
    expect(podsIn(stdout)).toEqual(['east-10', 'west-20']);
    expect(code).toBe(0);
  });

  test('is not named with --quiet, nor once it has answered or the time is held still', async () => {
    const clock = clockOf();
    await using east = await relayOf('east', [10]);
    await using west = await relayOf('west', [20]);
    await using world = await worldOf({ a: east.address, b: west.address });
    const words = [...contextsOf('a', 'b'), '--all'];
    const answered = await watch(world, words, { clock, onStdout: () => clock.pass() });
    expect([podsIn(answered.stdout), answered.stderr]).toEqual([['east-10', 'west-20'], '']);
    expect((await observe(world, words)).stderr).toBe('');
    const { server } = await mute(clock, (end) => setTimeout(end, 20));
    await using _ = server;
    await using slow = await worldOf({ a: east.address, b: server.address });
    expect((await watch(slow, [...words, '-q'], { clock })).stderr).toBe('');
  });
});

describe('a cluster that does not answer at first, while flows are followed', () => {
  /** A relay that sends a flow and goes on until it is left. */
  const lasting = (cluster: string) =>
    serveGrpc({ [GET_FLOWS]: { messages: bytesOf([news, flow(cluster, 10)]), after: () => {} } });

  test('is tried again and joins the others', async () => {
    await using east = await lasting('east');
    await using west = await lasting('west');
    await using world = await worldOf({ a: east.address, b: west.address });
    const { b } = world.clusters;
    if (!b) throw new Error('no cluster');
    const { pods } = b;
    b.pods = {};
    const stop = new AbortController();
    let seen = '';
    const { stdout, stderr, code } = await observe(world, [...contextsOf('a', 'b'), '-f'], {
      signal: stop.signal,
      onStderr: (text) => {
        if (text.includes('tried again')) b.pods = pods;
      },
      onStdout: (text) => {
        seen += text;
        if (seen.includes('east-10') && seen.includes('west-10')) stop.abort();
      },
    });
    expect(stderr).toMatch(
      /^b: .*hubble-relay.*\n(b: .*\n)*b: It is tried again, and its flows are left out until it answers\.\n/,
    );
    expect(stderr).toMatch(/b: The stream is back after .* s; nothing had been shown before\.\n$/);
    expect(stderr).not.toContain('stream broke');
    expect(podsIn(stdout).toSorted()).toEqual(['east-10', 'west-10']);
    expect(code).toBe(0);
  });

  test('and never does is named at the end, after Ctrl-C too', async () => {
    await using east = await lasting('east');
    await using world = await worldOf({ a: east.address, gone: undefined });
    const stop = new AbortController();
    let seen = '';
    const look = (text: string) => {
      seen += text;
      if (seen.includes('east-10') && seen.includes('tried again')) stop.abort();
    };
    const { stdout, stderr, code } = await observe(world, [...contextsOf('gone', 'a'), '-f'], {
      signal: stop.signal,
      onStdout: look,
      onStderr: look,
    });
    expect(podsIn(stdout)).toEqual(['east-10']);
    expect(stderr).toMatch(/^gone: .*connection refused\n/);
    expect(stderr).toMatch(/\n1 of 2 clusters failed: the flows of gone are missing\n$/);
    expect(code).toBe(0);
  });

  test.each([[['--no-reconnect']], [['--max-reconnects', '0']]])('is left out with %j', async (words) => {
    await using east = await relayOf('east', [10]);
    await using world = await worldOf({ a: east.address, gone: undefined });
    const { stderr, code } = await observe(world, [...contextsOf('gone', 'a'), '-f', ...words]);
    expect(stderr).toMatch(
      /^gone: .*connection refused\n(gone: .*\n)*gone: Its flows are left out from here on\.\n/,
    );
    expect(stderr).not.toContain('tried again');
    expect(stderr).toMatch(/\n1 of 2 clusters failed: the flows of gone are missing\n$/);
    expect(code).toBe(3);
  });

  test('ends it where no other is left', async () => {
    await using world = await worldOf({ x: undefined, y: undefined });
    const { stderr, code } = await observe(world, [...contextsOf('x', 'y'), '-f']);
    expect(stderr).toMatch(/\nnone of the clusters answers: x, y\n$/);
    expect(stderr.match(/^x: .*connection refused$/gm)).toHaveLength(1);
    expect(code).toBe(1);
  });
});

describe('clocks of two clusters that are followed', () => {
  test.each([
    [300_000, /^The flows that (a and b|b and a) send now are 5m0s apart in time: .*\n$/],
    [2000, /^$/],
  ])('of flows %d ms apart', async (apartMs, said) => {
    let nowMs = 1_790_000_000_000;
    const clock: Clock = {
      nowMs: () => nowMs,
      uptimeMs: () => 0,
      sleep: (_, signal) =>
        new Promise((resolve, reject) => {
          setImmediate(() => (signal?.aborted ? reject(signal.reason) : resolve()));
        }),
    };
    // Flows from before come first, all at once.
    const times = [-600_000, 0, 6000, 12_000, 18_000];
    const sending = new Set<() => void>();
    const relay = (cluster: string, behindMs: number) =>
      serveGrpc({
        [GET_FLOWS]: {
          raw: (stream) => {
            stream.respond({ 'content-type': 'application/grpc' });
            let at = 0;
            sending.add(() => {
              const ms = times[at++];
              if (ms !== undefined && !stream.closed)
                stream.write(frame(bytesOf([flow(cluster, ms - behindMs)])[0] ?? Buffer.alloc(0)));
            });
            if (sending.size === 2) for (const send of sending) send();
          },
        },
      });
    await using east = await relay('east', 0);
    await using west = await relay('west', apartMs);
    await using world = await worldOf({ a: east.address, b: west.address });
    const stop = new AbortController();
    let seen = 0;
    const onStdout = (text: string) => {
      const before = seen;
      seen += text.split('\n').length - 1;
      if (Math.floor(before / 2) === Math.floor(seen / 2)) return;
      if (seen === 2 * times.length) return stop.abort();
      nowMs = 1_790_000_000_000 + (times[Math.floor(seen / 2)] ?? 0);
      for (const send of sending) send();
    };
    const { stderr, code } = await watch(world, [...contextsOf('a', 'b'), '-f'], {
      clock,
      signal: stop.signal,
      onStdout,
    });
    expect(stderr).toMatch(said);
    expect(code).toBe(0);
  });
});
