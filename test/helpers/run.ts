import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Context, LinePrompt } from '../../src/context.ts';
import { ClosedPipe } from '../../src/errors.ts';
import { main } from '../../src/main.ts';
import { contextOf } from '../../src/system.ts';
import { holdToSchema } from './documents.ts';

/** What a run of a command left behind. */
export interface RunResult {
  stdout: string;
  stderr: string;
  code: number;
}

/** The world of one run. Everything has a quiet default: no terminal, no environment, the clock at 0. */
export interface RunOptions {
  env?: Record<string, string>;
  nowMs?: number;
  uptimeMs?: number;
  stdin?: string | Uint8Array;
  /** Lines that somebody types at a terminal, then Ctrl-D. */
  typed?: readonly string[];
  /** Makes stdout (and stdin) a terminal of this width. */
  columns?: number;
  /** The file that stdout is written to. */
  stdoutFile?: string;
  /** The height of that terminal. */
  rows?: number;
  cwd?: string;
  uid?: number;
  /** Default linux. */
  platform?: string;
  signal?: AbortSignal;
  /** Time passes while a command waits. */
  realTime?: boolean;
  /** The terminal that a live screen draws on. */
  tty?: Context['tty'];
  /** The reader of stdout goes away after this many bytes. */
  closeAfter?: number;
  /** Called with each piece of stdout. */
  onStdout?: (text: string) => void;
  onStderr?: (text: string) => void;
}

/** Runs one command line in this process and collects what it prints. A document of ours is held to its schema. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const code = await main(argv, testContext(options, stdout, stderr));
  const result = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code };
  await holdToSchema(argv, result.stdout, options.env);
  return result;
}

/** The Context of one run; what it writes is added to the lists. */
export function testContext(options: RunOptions = {}, stdout: Buffer[] = [], stderr: Buffer[] = []): Context {
  let size = 0;
  return contextOf({
    out: {
      isTTY: options.columns !== undefined,
      columns: options.columns,
      rows: options.rows,
      file: options.stdoutFile,
      write: async (chunk) => {
        if (options.closeAfter !== undefined && size >= options.closeAfter) throw new ClosedPipe();
        const bytes = Buffer.from(chunk);
        size += bytes.length;
        stdout.push(bytes);
        options.onStdout?.(bytes.toString());
      },
    },
    err: {
      isTTY: options.columns !== undefined,
      columns: options.columns,
      write: async (chunk) => {
        stderr.push(Buffer.from(chunk));
        options.onStderr?.(String(chunk));
      },
    },
    in: {
      prompt: options.typed && (async () => typist(options.typed ?? [])),
      isTTY: options.columns !== undefined && options.stdin === undefined,
      async *[Symbol.asyncIterator]() {
        if (options.stdin !== undefined) yield Buffer.from(options.stdin);
        else for (const line of options.typed ?? []) yield Buffer.from(`${line}\n`);
      },
    },
    tty: options.tty,
    env: { HOME: tmpdir(), XDG_STATE_HOME: join(tmpdir(), 'toolkit-test-state'), ...options.env },
    cwd: options.cwd ?? tmpdir(),
    uid: options.uid ?? 0,
    platform: options.platform ?? 'linux',
    clock: {
      nowMs: () => options.nowMs ?? 0,
      uptimeMs: () => options.uptimeMs ?? 0,
      sleep: (ms, signal) => {
        if (options.realTime) return pause(ms, undefined, { signal });
        return new Promise((resolve, reject) =>
          setImmediate(() => (signal?.aborted ? reject(signal.reason) : resolve())),
        );
      },
    },
    signal: options.signal ?? new AbortController().signal,
    computing: (work) => work(),
  });
}

/** Somebody at a terminal. */
function typist(lines: readonly string[]): LinePrompt {
  const left = [...lines];
  return { next: async () => left.shift(), onInterrupt: undefined, close: () => {} };
}
