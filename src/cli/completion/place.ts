import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { Context } from '../../context.ts';
import { errorCode, systemReason, UserError } from '../../errors.ts';
import { rewriteAtomically } from '../../lib/atomic-file.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { shellWord } from '../../lib/shell-word.ts';
import { completionScript, SCRIPT_MARK, SHELLS, type Shell } from './scripts.ts';

/** Where the completion of a shell belongs. */
export interface CompletionPlace {
  shell: Shell;
  /** Files that hold the script: some shells look for one by the name of each program. */
  files: string[];
  /** Where `addLine` may have put a line. */
  rcFile?: string;
  /** What an rc file must say for the shell to find them; undefined when it finds them by itself. */
  line?: { file: string; text: string; why: string };
}

/** Ends a line that was put into an rc file. */
const LINE_MARK = '# completion of cilium and hubble';

/** The shell that the program was started from, else the one of the user. Throws UserError when it is none that is known. */
export function findShell(ctx: Context): Shell {
  const names = [parentName(), ctx.env.SHELL?.split('/').at(-1)];
  const known = names
    .map((name) => SHELLS.find((shell) => shell === (name === 'pwsh' ? 'powershell' : name)))
    .find((shell) => shell !== undefined);
  if (known) return known;
  throw new UserError(
    ctx.env.SHELL
      ? `there is no completion for ${ctx.env.SHELL}`
      : 'cannot tell which shell you use: SHELL is not set',
    { hint: `Name one of ${SHELLS.join(', ')}, as in: cilium completion install ${SHELLS[0]}` },
  );
}

/** The program that started this one, where the system tells. */
function parentName(): string | undefined {
  try {
    const [, parent] = /^PPid:\s*(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return readFileSync(`/proc/${parent}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Where a shell looks for completions of this user. Asks bash and zsh, which read what their rc files say. */
export async function completionPlace(shell: Shell, ctx: Context): Promise<CompletionPlace> {
  const home = ctx.env.HOME;
  if (!home)
    throw new UserError('there is no home folder: HOME is not set', {
      hint: `Print the script, and put it where ${shell} reads it: cilium completion ${shell}`,
    });
  const data = ctx.env.XDG_DATA_HOME || join(home, '.local/share');
  const config = ctx.env.XDG_CONFIG_HOME || join(home, '.config');
  switch (shell) {
    case 'bash': {
      const folder = join(ctx.env.BASH_COMPLETION_USER_DIR || join(data, 'bash-completion'), 'completions');
      const files = ['cilium', 'hubble'].map((name) => join(folder, name));
      // A terminal of macOS starts login shells.
      const isLogin = ctx.platform === 'darwin';
      const rcFile = join(home, isLogin ? '.bash_profile' : '.bashrc');
      if (await loadsByName(isLogin, ctx)) return { shell, files, rcFile };
      const text = `source ${shellWord(files[0] ?? '')}`;
      const why = 'bash reads that folder with the package bash-completion only, which is not loaded';
      return { shell, files, rcFile, line: { file: rcFile, text, why } };
    }
    case 'fish':
      return {
        shell,
        files: ['cilium.fish', 'hubble.fish'].map((name) => join(config, 'fish/completions', name)),
      };
    case 'zsh': {
      const { folders, completes } = await askZsh(ctx);
      const read = folders.find((folder) => folder.startsWith(`${home}/`) && isWritable(folder));
      const folder = read ?? join(data, 'zsh/site-functions');
      const files = [join(folder, '_cilium')];
      const rcFile = join(ctx.env.ZDOTDIR || home, '.zshrc');
      if (read && completes) return { shell, files, rcFile };
      const parts = [
        ...(read ? [] : [`fpath=(${shellWord(folder)} $fpath)`]),
        'autoload -Uz compinit',
        'compinit',
      ];
      const why = read ? 'compinit does not run' : 'zsh looks into no folder of yours yet';
      return { shell, files, rcFile, line: { file: rcFile, text: parts.join('; '), why } };
    }
    case 'powershell': {
      const folder = join(config, 'powershell');
      const files = [join(folder, 'cilium-completion.ps1')];
      const why = 'PowerShell has no folder of completions';
      const rcFile = join(folder, 'Microsoft.PowerShell_profile.ps1');
      return {
        shell,
        files,
        rcFile,
        line: { file: rcFile, text: `. '${files[0]?.replaceAll("'", "''")}'`, why },
      };
    }
  }
}

/** A shell that is asked runs the user's own rc file, which may take its time. */
const PATIENCE_MS = 20_000;

/** What an interactive shell prints, of its own rc file's lines only those that begin with a mark; nothing when it cannot be asked. */
async function askShell(shell: string, words: readonly string[], ctx: Context): Promise<string[]> {
  const printed = await new Promise<string>((resolve) => {
    const env = Object.fromEntries(Object.entries(ctx.env).filter(([, value]) => value !== undefined));
    // An interactive shell ignores SIGTERM.
    const killSignal = 'SIGKILL' as const;
    const options = { env: env as NodeJS.ProcessEnv, timeout: PATIENCE_MS, signal: ctx.signal, killSignal };
    const child = execFile(shell, words, options, (_, stdout) => resolve(stdout));
    child.stdin?.end();
  });
  return printed.split('\n').flatMap((line) => (line.startsWith('@@') ? [line.slice(2)] : []));
}

/** Whether bash loads completions by the name of a program, as bash-completion has it do. */
async function loadsByName(isLogin: boolean, ctx: Context): Promise<boolean> {
  const words = [isLogin ? '-lic' : '-ic', 'complete -p -D >/dev/null 2>&1 && echo @@yes'];
  return (await askShell('bash', words, ctx)).includes('yes');
}

/** The folders that zsh searches for functions, and whether its completion runs. */
async function askZsh(ctx: Context): Promise<{ folders: string[]; completes: boolean }> {
  const question = 'print -r -- "@@$+functions[compdef]"; print -rl -- "@@"$^fpath';
  const [completes, ...folders] = await askShell('zsh', ['-i', '-c', question], ctx);
  return { folders, completes: completes === '1' };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a file says; undefined when it is not there or cannot be read. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** What is to be done about one file. */
export interface CompletionStep {
  file: string;
  state: 'new' | 'changed' | 'same';
}

/** Compares a place with what belongs there. Throws UserError for a file that somebody else wrote, unless `force`. */
export function planInstall({ shell, files }: CompletionPlace, force: boolean): CompletionStep[] {
  return files.map((file) => {
    const found = readOwn(file, force);
    const state =
      found === undefined ? 'new' : found === completionScript(shell) ? 'same' : ('changed' as const);
    return { file, state };
  });
}

/** The files of a place that are there. Throws as `planInstall` does. */
export function planUninstall({ files }: CompletionPlace, force: boolean): string[] {
  return files.filter((file) => readOwn(file, force) !== undefined);
}

function readOwn(file: string, force: boolean): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT' || errorCode(cause) === 'ENOTDIR') return undefined;
    throw new UserError(`read ${file}: ${systemReason(cause)}`, { cause });
  }
  if (force || text.includes(SCRIPT_MARK)) return text;
  throw new UserError(`${file} is there, and was not written by this program`, {
    hint: 'Look at it, and go on with --force to replace it.',
  });
}

/** Writes the script to the files: to all, or where one cannot be written to none. */
export async function writeScripts(shell: Shell, steps: readonly CompletionStep[]): Promise<void> {
  const done: { file: string; before: string | undefined }[] = [];
  try {
    for (const { file, state } of steps) {
      if (state === 'same') continue;
      makeFolder(dirname(file));
      const before = textOf(file);
      await rewriteAtomically(file, completionScript(shell));
      done.push({ file, before });
    }
  } catch (cause) {
    for (const { file, before } of done)
      await (before === undefined ? rm(file, { force: true }) : rewriteAtomically(file, before));
    throw new UserError(`write the completion of ${shell}: ${systemReason(cause)}`, {
      hint: `Print the script, and put it where ${shell} reads it: cilium completion ${shell}`,
      cause,
    });
  }
}

/** Whether an rc file has the line already; without a text, any line that `addLine` added. */
export function hasLine({ file, text }: { file: string; text?: string }): boolean {
  return (textOf(file) ?? '')
    .split('\n')
    .some((line) => (text === undefined ? line.trimEnd().endsWith(LINE_MARK) : line.trim().startsWith(text)));
}

/** Adds the line to the end of an rc file, which keeps what else it says. */
export async function addLine({ file, text }: { file: string; text: string }): Promise<void> {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  await rewriteAtomically(file, `${before}${gap}${text} ${LINE_MARK}\n`);
}

/** Removes lines that `addLine` added; false when there is none. */
export async function removeLine(file: string): Promise<boolean> {
  const before = textOf(file);
  if (before === undefined) return false;
  const lines = before.split('\n');
  const kept = lines.filter((line) => !line.trimEnd().endsWith(LINE_MARK));
  if (kept.length === lines.length) return false;
  await rewriteAtomically(file, kept.join('\n'));
  return true;
}

/** Whether the completion of a shell is on this machine, for this user or for all. */
export function isInstalled(shell: Shell, ctx: Context): boolean {
  const home = ctx.env.HOME ?? '/';
  const data = ctx.env.XDG_DATA_HOME || join(home, '.local/share');
  const config = ctx.env.XDG_CONFIG_HOME || join(home, '.config');
  const shared = ['/usr/share', '/usr/local/share', '/opt/homebrew/share'];
  const folders: Readonly<Record<Shell, string[]>> = {
    bash: [data, ...shared].map((base) => join(base, 'bash-completion/completions/cilium')),
    zsh: [
      ...[data, ...shared].flatMap((base) => [
        join(base, 'zsh/site-functions/_cilium'),
        join(base, 'zsh/vendor-completions/_cilium'),
      ]),
      ...(ctx.env.FPATH ?? '').split(delimiter).map((folder) => join(folder, '_cilium')),
    ],
    fish: [
      join(config, 'fish/completions/cilium.fish'),
      ...shared.map((base) => join(base, 'fish/vendor_completions.d/cilium.fish')),
    ],
    powershell: [join(config, 'powershell/cilium-completion.ps1')],
  };
  return folders[shell].some((file) => textOf(file)?.includes(SCRIPT_MARK));
}
