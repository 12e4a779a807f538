import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Context, Output } from '../context.ts';
import { errorCode } from '../errors.ts';
import { forTerminal } from '../render/text/sanitize.ts';

/** What was shown is kept up to here, to be shown again where a pager breaks. */
const MAX_KEPT = 8 << 20;

/**
 * Stdout of a command in a terminal. What fits its height is written at once when the command has ended; with the line that
 * does not fit the pager of the user starts, and gets all of it.
 */
export class PagedOutput implements Output {
  #kept: Uint8Array[] = [];
  #size = 0;
  #lines = 0;
  /** Undefined: as long as all fits. */
  #way: 'pager' | 'plain' | undefined;
  #pager: { child: ChildProcess; ended: Promise<boolean> } | undefined;
  #gone = false;

  constructor(
    private readonly out: Output,
    private readonly ctx: Context,
    private readonly command: string,
  ) {}

  get isTTY() {
    return this.out.isTTY;
  }

  get columns() {
    return this.out.columns;
  }

  get rows() {
    return this.out.rows;
  }

  get onResize() {
    return this.out.onResize;
  }

  write(text: string): Promise<void> {
    return this.pass(Buffer.from(forTerminal(text)));
  }

  async pass(bytes: Uint8Array): Promise<void> {
    if (this.#way === 'plain') return this.out.pass(bytes);
    if (this.#size <= MAX_KEPT) this.#kept.push(bytes.slice());
    this.#size += bytes.length;
    if (this.#way === 'pager') return this.#feed(bytes);
    for (const byte of bytes) if (byte === 10) this.#lines++;
    if (this.#lines < (this.out.rows ?? Number.POSITIVE_INFINITY)) return;
    this.#start();
    // At one go: what is written meanwhile comes after it.
    await Promise.all(this.#kept.map((part) => this.#feed(part)));
  }

  /** Prints what has been held back and from now on everything at once: what follows is no text to leaf through. */
  async plain(): Promise<void> {
    if (this.#way !== undefined) return;
    this.#way = 'plain';
    await Promise.all(this.#kept.splice(0).map((part) => this.out.pass(part)));
  }

  /** Prints what has been held back, or waits until the user leaves the pager. */
  async end(): Promise<void> {
    if (!this.#pager) return this.plain();
    const { child, ended } = this.#pager;
    child.stdin?.end();
    if ((await ended) || this.#size > MAX_KEPT) return;
    // It broke, and what it showed is not known: nothing is lost.
    this.#way = 'plain';
    for (const part of this.#kept) await this.out.pass(part);
  }

  #start(): void {
    this.#way = 'pager';
    // As less is usually wanted: colours, one screen left alone, the text left on the terminal.
    const env = { ...this.ctx.env, LESS: this.ctx.env.LESS ?? 'FRX', LV: this.ctx.env.LV ?? '-c' };
    const child = spawn('/bin/sh', ['-c', this.command], { stdio: ['pipe', 'inherit', 'inherit'], env });
    const work = new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false));
      child.once('close', (code) => resolve(code === 0));
    });
    const ended = (this.ctx.besideChild ?? ((run) => run()))(() => work);
    child.stdin?.on('error', () => {
      this.#gone = true;
    });
    this.#pager = { child, ended };
  }

  #feed(bytes: Uint8Array): Promise<void> {
    const stdin = this.#pager?.child.stdin;
    if (this.#gone || !stdin?.writable) return Promise.resolve();
    return new Promise((resolve, reject) => {
      stdin.write(bytes, (error) => {
        // Whoever has read enough leaves: the rest is for nobody.
        if (!error || ['EPIPE', 'ERR_STREAM_DESTROYED'].includes(errorCode(error) ?? '')) resolve();
        else reject(error);
      });
    });
  }
}

/** The user's pager, where stdout is a terminal and nothing says that there should be none. */
export function pagerOf({ env, out, tty }: Context): string | undefined {
  if (!tty || !out.isTTY || env.TERM === 'dumb' || (env.NO_PAGER ?? '') !== '') return undefined;
  const command = env.PAGER ?? 'less';
  const program = command.trim().split(/\s+/)[0] ?? '';
  return program === '' || program === 'cat' || !isThere(program, env.PATH ?? '') ? undefined : command;
}

function isThere(program: string, path: string): boolean {
  const places = program.includes('/') ? [program] : path.split(':').map((folder) => join(folder, program));
  return places.some((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
