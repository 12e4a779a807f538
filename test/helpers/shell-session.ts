import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export type RealShell = 'bash' | 'bash with bash-completion' | 'zsh' | 'fish';

const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion';

/** Why a shell cannot be driven here; undefined when it can. */
export function missingShell(shell: RealShell): string | undefined {
  if (spawnSync('script', ['--version']).status !== 0) return 'no program "script" that makes a terminal';
  const program = shell.split(' ')[0] ?? '';
  if (spawnSync(program, ['-c', 'true']).status !== 0) return `no ${program}`;
  if (shell.includes('with') && !existsSync(BASH_COMPLETION)) return 'no bash-completion';
  return undefined;
}

/** An interactive shell at a terminal of its own. */
export interface ShellSession extends AsyncDisposable {
  /** Types keys, then Enter; the command lines of `cilium` and `hubble` that ran, each a list of its words. */
  enter(keys: string): Promise<string[][]>;
  /** Types keys and Tab, and waits until the screen shows a text; then gives the line up. */
  show(keys: string, text: string): Promise<string>;
}

const PROMPT = 'ready% ';
const ENDED = '@@line ran@@';

/**
 * Starts a shell in `home`. `cilium` asks `program` for candidates, and notes every other command line instead of running
 * it. `setup` are lines for its rc file.
 */
export async function startShell(
  shell: RealShell,
  options: { home: string; program: readonly string[]; env?: Record<string, string>; setup: string },
): Promise<ShellSession> {
  const { home, program, env = {}, setup } = options;
  const bin = join(home, 'bin');
  const log = join(home, 'ran.log');
  mkdirSync(bin, { recursive: true });
  writeFileSync(log, '');
  const ask = program.map((word) => `'${word}'`).join(' ');
  for (const name of ['cilium', 'hubble']) {
    const script = `#!/bin/sh
[ "$1" = __complete ] && exec ${ask} "$@"
{ printf '%s\\0' ${name} "$@"; printf '\\n\\0'; } >> '${log}'
printf '%s%s\\n' '@@line' ' ran@@'
`;
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  const start = startLine(shell, home, setup);
  const terminal = spawn('script', ['-qfec', `stty cols 160 rows 50; ${start}`, '/dev/null'], {
    cwd: home,
    env: {
      HOME: home,
      PATH: `${bin}:/usr/bin:/bin`,
      TERM: 'xterm',
      LANG: 'C.UTF-8',
      SHELL: '/bin/sh',
      ...env,
    },
  });
  let screen = '';
  terminal.stdout.on('data', (bytes: Buffer) => {
    screen += bytes.toString();
  });
  const gone = new Promise((resolve) => terminal.once('close', resolve));
  const until = async (what: string, from: number, again?: string) => {
    for (let turn = 1; turn <= 6000; turn++) {
      if (plain(screen.slice(from)).includes(what)) return;
      await pause(10);
      if (again !== undefined && turn % 200 === 0) terminal.stdin.write(again);
    }
    throw new Error(`${shell} does not show ${JSON.stringify(what)}: ${plain(screen.slice(from))}`);
  };
  await until(PROMPT, 0);
  return {
    async enter(keys) {
      const [from, before] = [screen.length, readFileSync(log).length];
      terminal.stdin.write(`${keys}\r`);
      await until(ENDED, from);
      await until(PROMPT, screen.lastIndexOf(ENDED));
      return readFileSync(log)
        .subarray(before)
        .toString()
        .split('\n\0')
        .slice(0, -1)
        .map((line) => line.split('\0').slice(0, -1));
    },
    async show(keys, text) {
      const from = screen.length;
      // bash shows what there is at the second time.
      terminal.stdin.write(`${keys}${shell.startsWith('bash') ? '\t\t' : '\t'}`);
      await until(text, from);
      const shown = plain(screen.slice(from));
      terminal.stdin.write('\x03');
      // Where candidates are still being drawn, the first one only puts these away.
      await until(PROMPT, screen.length, '\x03');
      return shown;
    },
    async [Symbol.asyncDispose]() {
      terminal.kill('SIGKILL');
      await gone;
    },
  };
}

/** What a terminal shows, without colours and moves. */
function plain(text: string): string {
  return text.replaceAll(/\u001b\[[0-9;?>=]*[A-Za-z]|\u001b[()][A-Z0-9]|\u001b[=>78]|[\r\u000f]/g, '');
}

/** Writes the rc file of a shell, and returns the words that start it. */
function startLine(shell: RealShell, home: string, setup: string): string {
  const write = (name: string, text: string) => {
    const path = join(home, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  switch (shell) {
    case 'bash':
    case 'bash with bash-completion': {
      const load = shell === 'bash' ? '' : `. ${BASH_COMPLETION}\n`;
      const quiet = "bind 'set enable-bracketed-paste off'; bind 'set completion-query-items 0'\n";
      const rc = write('.bashrc', `PS1='${PROMPT}'\n${quiet}${load}${setup}\n`);
      return `exec bash --noprofile --rcfile ${rc} -i`;
    }
    case 'zsh':
      write('.zshrc', `PS1='${PROMPT.replace('%', '%%')}'\nunset zle_bracketed_paste\n${setup}\n`);
      return 'exec zsh -d -i';
    case 'fish':
      write(
        '.config/fish/config.fish',
        `function fish_prompt; printf '${PROMPT.replace('%', '%%')}'; end\nset -g fish_greeting\nset -g fish_autosuggestion_enabled 0\n${setup}\n`,
      );
      return 'exec fish -i';
  }
}
