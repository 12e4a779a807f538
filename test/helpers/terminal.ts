import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from '@jest/globals';
import { privateFolder } from './lab-process.ts';
import { until } from './until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HAS_TMUX = spawnSync('tmux', ['-V']).status === 0;

/** A test at a terminal; skipped by name where there is no tmux. */
export function terminalTest(title: string, run: () => Promise<void>): void {
  if (HAS_TMUX) test(title, run);
  else test.skip(`${title} (skipped: no tmux)`, run);
}

/** What a terminal is opened with. */
export interface TerminalOptions {
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
}

/** A real terminal, which tmux draws, with a shell in it whose `cilium` and `hubble` are those of this checkout. */
export class Terminal implements Disposable {
  readonly #folder = privateFolder();
  readonly #socket = join(this.#folder.path, 'tmux');

  /** The server of tmux keeps it, and gives it to the shell. */
  readonly #env: Record<string, string>;

  constructor({ columns = 80, rows = 24, env = {} }: TerminalOptions = {}) {
    this.#env = {
      PATH: `${join(ROOT, 'bin')}:${process.env.PATH ?? ''}`,
      HOME: this.#folder.path,
      XDG_RUNTIME_DIR: this.#folder.path,
      LANG: 'C.UTF-8',
      ...env,
    };
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, 'bash --norc --noprofile');
  }

  #tmux(...words: string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...words], { encoding: 'utf8', env: this.#env });
  }

  /** The folder that is the user's home. */
  get home(): string {
    return this.#folder.path;
  }

  /** Presses keys as tmux names them (`Enter`, `C-c`, `Up`), or types a text. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Types a command and Enter. */
  run(command: string): void {
    this.#tmux('send-keys', '-l', command);
    this.press('Enter');
  }

  /** What is on the screen, without blanks at the ends of lines; `styled` with colours. */
  screen(styled = false): string {
    return this.#tmux('capture-pane', '-p', ...(styled ? ['-e'] : [])).trimEnd();
  }

  /** Waits until the screen shows all of these, and returns it. */
  async shows(...wanted: (string | RegExp)[]): Promise<string> {
    const isThere = (text: string, what: string | RegExp) =>
      typeof what === 'string' ? text.includes(what) : what.test(text);
    try {
      return await until(async () => {
        const text = this.screen();
        return wanted.every((what) => isThere(text, what)) && text;
      });
    } catch {
      throw new Error(`the screen never showed ${wanted.join(', ')}:\n${this.screen()}`);
    }
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  [Symbol.dispose](): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server']);
    this.#folder[Symbol.dispose]();
  }
}
