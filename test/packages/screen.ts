// A terminal that is played by tmux: keys go in, what is on the screen comes out.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Runs a command and shows how it ended. tmux has `remain-on-exit` for that, but 3.3a loses the end of a program that
 * leaves soon after a key: its pane stays empty.
 */
const THEN_SAY = 'trap : INT; "$@"; echo "ended with $?"; exec sleep infinity';

export class Screen {
  readonly #server = `cilium-test-${randomUUID().slice(0, 8)}`;

  constructor(command: readonly string[], { columns = 100, rows = 30 } = {}) {
    this.#tmux([
      ...['-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows)],
      ...['--', 'sh', '-c', THEN_SAY, 'sh', ...command],
    ]);
  }

  #tmux(words: readonly string[]): string {
    const { stdout, stderr, status } = spawnSync('tmux', ['-L', this.#server, ...words], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`tmux ${words[0]}: ${stderr}`);
    return stdout;
  }

  /** Types text as it is. */
  type(text: string): void {
    this.#tmux(['send-keys', '-l', '--', text]);
  }

  /** Presses keys by tmux's names: Enter, Tab, C-c. */
  press(...keys: readonly string[]): void {
    this.#tmux(['send-keys', ...keys]);
  }

  text(): string {
    return this.#tmux(['capture-pane', '-p']);
  }

  /** Waits until the screen shows it; fails with the screen. */
  async shows(pattern: RegExp, limitMs = 60_000): Promise<string> {
    const end = Date.now() + limitMs;
    for (;;) {
      const text = this.text();
      if (pattern.test(text)) return text;
      if (Date.now() > end) throw new Error(`the screen does not show ${pattern}:\n${text}`);
      await pause(50);
    }
  }

  [Symbol.dispose](): void {
    spawnSync('tmux', ['-L', this.#server, 'kill-server']);
  }
}
