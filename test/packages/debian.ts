// Roots of Debian made by debootstrap, kept in the user's cache, and used below a layer that goes away again.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const RELEASE = 'bookworm';
const KEPT = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cilium-toolkit/roots');

/** Roots, and what is installed in each beyond what every Debian has. */
const ROOTS = {
  minbase: [],
  shells: ['zsh', 'fish', 'bash-completion', 'man-db', 'less'],
} as const;
export type RootName = keyof typeof ROOTS;

const isThere = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** What is missing of what the tests of this folder need; undefined where all is there. */
export function missingForPackages(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'not linux on x64';
  if (process.getuid?.() !== 0) return 'not root';
  if (!isThere('gcc') || !isThere('strip')) return 'no gcc with binutils';
  if (spawnSync('unshare', ['-m', '--pid', '--fork', 'true']).status !== 0)
    return 'no namespaces can be made';
  return undefined;
}

/** Why there are no roots; undefined where there are. They take minutes and the network: only CI makes them unasked. */
export function missingRoots(): string | undefined {
  if (missingForPackages()) return missingForPackages();
  if (!isThere('tmux')) return 'no tmux';
  if ((Object.keys(ROOTS) as RootName[]).every((name) => existsSync(pathOf(name)))) return undefined;
  if (!isThere('debootstrap')) return 'no debootstrap';
  if (!process.env.CI && !process.env.TEST_ROOTS)
    return 'no roots of Debian are kept here; TEST_ROOTS=1 makes them';
  return makeRoots();
}

const pathOf = (name: RootName) => join(KEPT, `${RELEASE}-${name}`);

function makeRoots(): string | undefined {
  mkdirSync(KEPT, { recursive: true });
  const work = mkdtempSync(join(KEPT, 'new-'));
  const run = (command: string, words: string[]) => {
    const { status, stderr } = spawnSync(command, words, {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      timeout: 900_000,
    });
    if (status !== 0)
      throw new Error(`${command} ${words[0]}: ${stderr?.trim().split('\n').at(-1) || 'no answer in time'}`);
  };
  try {
    if (!existsSync(pathOf('minbase'))) {
      run('debootstrap', ['--variant=minbase', RELEASE, join(work, 'minbase')]);
      renameSync(join(work, 'minbase'), pathOf('minbase'));
    }
    run('cp', ['-a', pathOf('minbase'), join(work, 'shells')]);
    run('chroot', [join(work, 'shells'), 'apt-get', 'update', '-q']);
    const install = ['apt-get', 'install', '-qy', '--no-install-recommends', ...ROOTS.shells];
    run('chroot', [join(work, 'shells'), ...install]);
    renameSync(join(work, 'shells'), pathOf('shells'));
    return undefined;
  } catch (error) {
    return `no root of Debian could be made: ${error instanceof Error ? error.message : error}`;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Beside a PATH and a TERM. */
  env?: Record<string, string>;
  /** A number, for both the user and its group. */
  user?: number;
}

/** A root with processes, devices and sysfs in namespaces of its own; what is written to it goes away with it. */
export class Root {
  readonly #child;
  readonly #pid: number;
  readonly folder: string;

  private constructor(child: ReturnType<typeof spawn>, pid: number, folder: string) {
    this.#child = child;
    this.#pid = pid;
    this.folder = folder;
  }

  /** Over the folder `lower`; with `readonly` nothing can be written to it at all. `prepare` is sh, run there as root from outside. */
  static async over(lower: string, { readonly = false, prepare = '' } = {}): Promise<Root> {
    const folder = mkdtempSync(join('/run', 'root-'));
    const script = `
      mount -t tmpfs none ${folder}
      mkdir ${folder}/upper ${folder}/work ${folder}/root
      mount -t overlay overlay -o lowerdir=${lower},upperdir=${folder}/upper,workdir=${folder}/work ${folder}/root
      cd ${folder}/root
      mkdir -p proc sys dev
      ${prepare}
      ${readonly ? `mount -o remount,ro ${folder}/root` : ''}
      mount -t proc proc proc
      mount --rbind /sys sys
      mount --rbind /dev dev
      echo ready $(readlink /proc/self/ns/pid)
      exec sleep infinity`;
    const child = spawn('unshare', ['-m', '--pid', '--fork', '--kill-child', 'sh', '-ec', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = await new Promise<string>((resolve) => {
      let text = '';
      child.stderr.on('data', (part) => {
        text += part;
      });
      child.stdout.once('data', (part) => resolve(String(part)));
      child.once('close', () => resolve(text));
    });
    if (!said.startsWith('ready')) throw new Error(`no root over ${lower}: ${said}`);
    const [pid = ''] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
    return new Root(child, Number(pid), folder);
  }

  static debian(name: RootName, options?: { readonly?: boolean; prepare?: string }): Promise<Root> {
    return Root.over(pathOf(name), options);
  }

  /** The command that runs `words` in it. */
  command(words: readonly string[], { env = {}, user }: RunOptions = {}): string[] {
    const set = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TERM: 'xterm-256color', ...env };
    return [
      ...['env', '-i', ...Object.entries(set).map(([name, value]) => `${name}=${value}`)],
      ...['/usr/bin/nsenter', '-t', String(this.#pid), '-m', '-p'],
      ...['/usr/sbin/chroot', ...(user === undefined ? [] : [`--userspec=${user}:${user}`])],
      ...[`${this.folder}/root`, ...words],
    ];
  }

  run(words: readonly string[], options: RunOptions = {}): Ran {
    const [command = '', ...rest] = this.command(words, options);
    const { status, stdout, stderr } = spawnSync(command, rest, { encoding: 'utf8', timeout: 180_000 });
    return { code: status, stdout, stderr };
  }

  /** Runs sh from outside, in its folder and its mounts: what a root without a shell cannot do. */
  outside(script: string): Ran {
    const words = ['-t', String(this.#pid), '-m', '-p', 'sh', '-ec', `cd ${this.folder}/root\n${script}`];
    const { status, stdout, stderr } = spawnSync('nsenter', words, { encoding: 'utf8' });
    return { code: status, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    // Ends every process in it, and its mounts with them.
    process.kill(this.#pid, 'SIGKILL');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
