import { fstatSync, readlinkSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import type { Context, Input, LinePrompt, Output } from './context.ts';
import { ClosedPipe, errorCode, Stopped, UserError } from './errors.ts';
import { dialSocket } from './lib/dial.ts';
import { directWriter, mayBeTerminal } from './lib/direct-write.ts';
import { once } from './lib/once.ts';
import { forTerminal } from './render/text/sanitize.ts';

/** The real Context: the only file besides src/bin that touches `process`. */
export function systemContext(): Context {
  const stop = new AbortController();
  const signals = catchSignals(stop);
  return contextOf({
    out: output(() => process.stdout, 1),
    err: output(() => process.stderr, 2),
    in: input(stop.signal),
    get tty() {
      if (!mayBeTerminal(0) || !mayBeTerminal(1)) return undefined;
      const { stdin, stdout } = process;
      return stdin.isTTY && stdout.isTTY ? { stdin, stdout } : undefined;
    },
    env: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.(),
    platform: process.platform,
    clock: {
      nowMs: fixedNow(process.env.CILIUM_NOW) ?? Date.now,
      uptimeMs: fixedNow(process.env.CILIUM_UPTIME) ?? uptimeMs,
      sleep,
    },
    signal: stop.signal,
    computing: signals.uncaughtIn,
    besideChild: signals.deafIn,
  });
}

/** How long a command may take to end by itself after a signal. */
const PATIENCE_MS = 3000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Aborts at the first signal, so that a command ends in order. One that does not, because it waits for something that cannot
 * be given up, ends by the signal itself, as it does at the second one.
 */
function catchSignals(stop: AbortController) {
  const end = (signal: NodeJS.Signals) => {
    release();
    // As if it had never been caught; leaving by process.exit() would wait for a thread that is still opening a FIFO.
    process.kill(process.pid, signal);
  };
  const caught = (signal: (typeof SIGNALS)[number]) => {
    if (signal === 'SIGINT' && beside > 0) return;
    if (stop.signal.aborted) return end(signal);
    setTimeout(end, PATIENCE_MS, signal).unref();
    stop.abort(new Stopped(signal, 128 + constants.signals[signal]));
  };
  const hold = () => {
    for (const signal of SIGNALS) process.on(signal, caught);
  };
  const release = () => {
    for (const signal of SIGNALS) process.off(signal, caught);
  };
  let computing = 0;
  let beside = 0;
  hold();
  return {
    async deafIn<T>(work: () => Promise<T>): Promise<T> {
      beside++;
      try {
        return await work();
      } finally {
        beside--;
      }
    },
    async uncaughtIn<T>(work: () => Promise<T>): Promise<T> {
      if (computing++ === 0) {
        // One that came while something else ran waits for the loop: without its listener it would be lost.
        await nextTurn();
        release();
      }
      try {
        stop.signal.throwIfAborted();
        return await work();
      } finally {
        if (--computing === 0) hold();
      }
    },
  };
}

/** Lets the event loop deliver what has come. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Ends the process. Who sent SIGTERM sees that it was obeyed: a shell as 143, a supervisor as a clean end. Ctrl-C is how
 * people end what follows, and means 0 there, as the reference does. An error found before stays one.
 */
export async function leave({ signal: { reason } }: Context, code: number): Promise<never> {
  for (const signal of SIGNALS) process.removeAllListeners(signal);
  const obeyed =
    reason instanceof Stopped && reason.signal === 'SIGTERM' && [0, reason.exitCode].includes(code);
  // Leaving waits for threads, one of which may be opening a FIFO that nobody writes to: only a signal ends that.
  if (reason instanceof Stopped && (obeyed || (await usesFiles()))) process.kill(process.pid, reason.signal);
  process.exit(obeyed ? reason.exitCode : code);
}

/** Whether something is still done with a file after half a second: reading, writing and syncing come to an end. */
async function usesFiles(): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    // In a callback of what has just been done, that still counts.
    await nextTurn();
    if (!process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'))) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}

/** What a Context is made of; the rest (clients, flags) follows from it. */
export interface World
  extends Pick<
    Context,
    'in' | 'tty' | 'env' | 'cwd' | 'uid' | 'platform' | 'clock' | 'signal' | 'computing' | 'besideChild'
  > {
  readonly out: Sink;
  readonly err: Sink;
}

/** Where what passed the door goes. */
export interface Sink extends Pick<Output, 'isTTY' | 'columns' | 'file' | 'rows' | 'onResize'> {
  write(chunk: string | Uint8Array): Promise<void>;
}

/** The door in front of a sink: text leaves only as `forTerminal` has it. */
function guarded(sink: Sink): Output {
  return {
    write: (text) => sink.write(forTerminal(text)),
    pass: (bytes) => sink.write(bytes),
    get isTTY() {
      return sink.isTTY;
    },
    get columns() {
      return sink.columns;
    },
    get file() {
      return sink.file;
    },
    get rows() {
      return sink.rows;
    },
    onResize: sink.onResize,
  };
}

/** Stderr without progress and notes, as soon as the command line has said so. */
function quietly(err: Output, isQuiet: () => boolean): Output {
  return {
    write: async (text) => {
      if (!isQuiet() || !text.startsWith('Note: ')) await err.write(text);
    },
    pass: (bytes) => err.pass(bytes),
    get isTTY() {
      return err.isTTY && !isQuiet();
    },
    get columns() {
      return err.columns;
    },
    get rows() {
      return err.rows;
    },
  };
}

/** Completes a world, real or made for a test, to a Context whose clients connect when first asked for. */
export function contextOf(world: World): Context {
  const { out, err, in: input, env, cwd, uid, platform, clock, signal, computing, besideChild } = world;
  const road = once(async () => (await import('./kube/road.ts')).openRoad(ctx));
  const ctx: Context = {
    out: guarded(out),
    err: quietly(guarded(err), () => ctx.globals.quiet === true),
    in: input,
    env,
    cwd,
    uid,
    platform,
    clock: {
      nowMs: () => ctx.globals.archive?.nowMs(ctx.globals.collectedMs) ?? clock.nowMs(),
      uptimeMs: () => clock.uptimeMs(),
      sleep: (ms, stop) => clock.sleep(ms, stop),
    },
    signal,
    computing,
    ...(besideChild && { besideChild }),
    get tty() {
      return world.tty;
    },
    globals: { host: '', debug: false, color: 'auto', bpfRoot: '/sys/fs/bpf' },
    dial: async (path, dialSignal) => {
      const { elsewhere, archive } = ctx.globals;
      const dial = elsewhere || archive ? await road() : dialSocket;
      return dial(path, dialSignal);
    },
    agent: once(async () => {
      const { agentAddress, connectAgent } = await import('./agent/client.ts');
      return connectAgent(agentAddress(ctx), signal, { timeoutMs: ctx.globals.timeoutMs, dial: ctx.dial });
    }),
    exitCode: 0,
  };
  return ctx;
}

/** Node's high-resolution time is CLOCK_MONOTONIC on Linux. */
function uptimeMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** `CILIUM_NOW` (since the epoch) and `CILIUM_UPTIME` (since boot), in seconds, hold a clock still for reproducible output. */
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

/** Writes past Node's streams as long as nothing has to wait: to open one costs a start two to four milliseconds. */
function output(open: () => NodeJS.WriteStream, fd: 1 | 2): Sink {
  let closed = false;
  let opened: NodeJS.WriteStream | undefined;
  const stream = () => {
    opened ??= open().on('error', () => {
      closed = true;
    });
    return opened;
  };
  const direct = directWriter(fd);
  const isTTY = () => direct.mayBeTerminal && stream().isTTY === true;
  return {
    get isTTY() {
      return isTTY();
    },
    get columns() {
      return isTTY() ? stream().columns : undefined;
    },
    get file() {
      return fileOf(fd);
    },
    get rows() {
      return isTTY() ? stream().rows : undefined;
    },
    onResize: (listener) => {
      stream().on('resize', listener);
      return () => stream().off('resize', listener);
    },
    write: (chunk) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new ClosedPipe());
        const done = (error?: Error | null) => {
          if (!error) resolve();
          else if (errorCode(error) === 'EPIPE') reject(new ClosedPipe());
          else
            reject(
              new UserError(`write ${fd === 1 ? 'stdout' : 'stderr'}: ${error.message}`, { cause: error }),
            );
        };
        if (opened) return opened.write(chunk, done);
        try {
          const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
          const taken = direct.write(bytes);
          if (taken === bytes.length) resolve();
          else stream().write(bytes.subarray(taken), done);
        } catch (error) {
          done(error as Error);
        }
      }),
  };
}

/** The file behind a descriptor; undefined for a pipe, a terminal and a file that is gone, and where there is no /proc. */
function fileOf(fd: number): string | undefined {
  try {
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    const [named, written] = [statSync(path), fstatSync(fd)];
    return written.isFile() && named.ino === written.ino && named.dev === written.dev ? path : undefined;
  } catch {
    return undefined;
  }
}

function input(stop: AbortSignal): Input {
  return {
    get isTTY() {
      return mayBeTerminal(0) && process.stdin.isTTY === true;
    },
    get prompt() {
      if (!mayBeTerminal(0) || !mayBeTerminal(1)) return undefined;
      if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
      return (question: string) => linePrompt(question, stop);
    },
    [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>,
  };
}

async function linePrompt(question: string, stop: AbortSignal): Promise<LinePrompt> {
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: question });
  let ended = false;
  let answer: ((line: string | undefined) => void) | undefined;
  const reply = (line: string | undefined) => {
    const waiting = answer;
    answer = undefined;
    waiting?.(line);
  };
  const typed: string[] = [];
  const prompt: LinePrompt = {
    onInterrupt: undefined,
    close: () => close(),
    next: () =>
      new Promise((resolve) => {
        const ahead = typed.shift();
        if (ahead !== undefined || ended) return resolve(ahead);
        answer = resolve;
        lines.prompt();
      }),
  };
  lines.on('line', (line) => (answer ? reply(line) : typed.push(line)));
  const close = () => lines.close();
  stop.addEventListener('abort', close, { once: true });
  lines.on('close', () => {
    stop.removeEventListener('abort', close);
    ended = true;
    reply(undefined);
  });
  let isSecond = false;
  lines.on('line', () => {
    isSecond = false;
  });
  lines.on('SIGINT', () => {
    if (prompt.onInterrupt) return prompt.onInterrupt();
    if (lines.line === '' && isSecond) return lines.close();
    // As in a shell: what was typed goes, and the question is asked again.
    isSecond = lines.line === '';
    process.stdout.write(isSecond ? '^C\nCtrl-C again, Ctrl-D or "exit" leaves.\n' : '^C\n');
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
    lines.prompt();
  });
  return prompt;
}
