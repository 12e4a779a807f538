import type { Context, Input, Output } from './context.ts';
import { ClosedPipe, errorCode, UserError } from './errors.ts';

/** The real Context: the only file besides src/bin that touches `process`. */
export function systemContext(): Context {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort(new DOMException(`stopped by ${signal}`, 'AbortError'));
    });
  }
  return contextOf({
    out: output(process.stdout, 'stdout'),
    err: output(process.stderr, 'stderr'),
    in: input(),
    env: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.(),
    clock: { nowMs: fixedNow(process.env.CILIUM_NOW) ?? Date.now, sleep },
    signal: stop.signal,
  });
}

/** What a Context is made of; the rest (clients, flags) follows from it. */
export type World = Pick<Context, 'out' | 'err' | 'in' | 'env' | 'cwd' | 'uid' | 'clock' | 'signal'>;

/** Completes a world, real or made for a test, to a Context whose clients connect when first asked for. */
export function contextOf(world: World): Context {
  const ctx: Context = {
    ...world,
    globals: { host: '', debug: false, color: 'auto', bpfRoot: '/sys/fs/bpf' },
    agent: once(async () => (await import('./agent/client.ts')).connectAgent(ctx)),
    exitCode: 0,
  };
  return ctx;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** `CILIUM_NOW` (seconds since the epoch) holds the clock still, for reproducible output. */
function fixedNow(seconds: string | undefined): (() => number) | undefined {
  const ms = Number(seconds) * 1000;
  return seconds && Number.isFinite(ms) ? () => ms : undefined;
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function output(stream: NodeJS.WriteStream, name: string): Output {
  let closed = false;
  stream.on('error', () => {
    closed = true;
  });
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    write: (chunk) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new ClosedPipe());
        stream.write(chunk, (error) => {
          if (!error) resolve();
          else if (errorCode(error) === 'EPIPE') reject(new ClosedPipe());
          else reject(new UserError(`write ${name}: ${error.message}`, { cause: error }));
        });
      }),
  };
}

function input(): Input {
  return {
    get isTTY() {
      return process.stdin.isTTY === true;
    },
    [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>,
  };
}
