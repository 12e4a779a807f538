import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { errorCode, UserError } from '../../errors.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { shellWord } from '../../lib/shell-word.ts';

/** A command of this machine. */
export interface MachineCommand {
  command: string;
  args: string[];
}

/** Programs that running pods takes, with the Debian packages that have them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
};
/** Where programs of the machine are looked for. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** The first process of the sandbox says who it is, as seen from outside, and reads commands until its input ends. */
const BEGIN = `read -r pid rest </proc/self/stat && echo "$pid" && exec sh -s`;
const START_MS = 30_000;
const MARK = '\u0001';

/** Why pods cannot run on this machine; undefined where they can. */
export function whyNoPods(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.geteuid?.() !== 0) return 'network namespaces of its own need root';
  for (const [program, origin] of Object.entries(PROGRAMS)) {
    const { error } = spawnSync(program, ['--version'], { env: { PATH: SYSTEM_PATH }, stdio: 'ignore' });
    if (error && errorCode(error) === 'ENOENT') return `there is no program ${program} (package ${origin})`;
  }
  const tried = `mount -t tmpfs none /mnt && ip link add name a type veth peer name b &&
    ip link add name c type bridge && nft 'add table inet t; add chain inet t n { type nat hook output priority -100; }'`;
  const { status, stderr } = spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', '--uts', '--net', '--pid', '--fork', 'sh', '-c', tried],
    { env: { PATH: SYSTEM_PATH }, encoding: 'utf8' },
  );
  if (status === 0) return undefined;
  return `this machine does not let it make them: ${stderr.trim().split('\n')[0] || `exit code ${status}`}`;
}

/**
 * Namespaces of the lab's own: for processes, mounts, the host's name, and the network, in which all those of nodes and
 * pods are made. Nothing of them is to be seen outside, and the kernel takes all of it away with the first process, which
 * ends when the lab does, however that was.
 */
export class Sandbox {
  #work: Promise<unknown> = Promise.resolve();
  #told = '';
  #waiting: ((part: string) => void) | undefined;
  #count = 0;
  #isOpen = true;

  private constructor(
    private readonly shell: ChildProcessWithoutNullStreams,
    /** Its first process, as this machine counts. */
    private readonly pid: number,
    /** A folder that is the sandbox's own: another one is there inside. */
    readonly dir: string,
  ) {
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#told += text;
      this.#waiting?.(this.#told);
    });
    shell.stderr.resume();
    shell.stdin.on('error', () => {});
    shell.on('close', () => {
      this.#isOpen = false;
      this.#waiting?.(`${this.#told}\n${MARK}0 255\n`);
    });
  }

  /** Makes one; `dir` is a folder that nobody else uses. */
  static async open(dir: string): Promise<Sandbox> {
    const why = whyNoPods();
    if (why !== undefined)
      throw new UserError(`pods cannot be run: ${why}`, {
        hint: 'Without --pods the cluster plays them: objects, endpoints and policies, but nothing that runs.',
      });
    makeFolder(dir, 0o700);
    const own = ['--mount', '--propagation', 'private', '--uts', '--ipc', '--net', '--pid'];
    const shell = spawn('unshare', [...own, '--fork', '--kill-child', 'sh', '-c', BEGIN], {
      env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
      cwd: '/',
    });
    const limit = AbortSignal.timeout(START_MS);
    const [first] = (await once(shell.stdout, 'data', { signal: limit })) as [Buffer];
    const sandbox = new Sandbox(shell, Number.parseInt(first.toString(), 10), dir);
    await sandbox.run(
      `mount -t proc proc /proc\nmount -t tmpfs -o mode=0700 cilium-lab ${shellWord(dir)}\nip link set lo up\nip link add name lab0 type bridge\nip link set lab0 up`,
    );
    return sandbox;
  }

  /** Runs a script of the shell in the sandbox, after those before it; returns what it wrote. A line that fails ends it. */
  run(script: string): Promise<string> {
    const mine = this.#work.then(() => this.#run(script));
    this.#work = mine.catch(() => {});
    return mine;
  }

  async #run(script: string): Promise<string> {
    if (!this.#isOpen) throw new Error('the sandbox is closed');
    const end = `${MARK}${++this.#count} `;
    const answer = new Promise<string>((resolve) => {
      this.#waiting = (told) => {
        const at = told.indexOf(MARK);
        if (at < 0 || !told.includes('\n', at)) return;
        this.#waiting = undefined;
        this.#told = '';
        resolve(told);
      };
    });
    this.shell.stdin.write(`( set -e\n${script}\n) </dev/null 2>&1\nprintf '%s%s\\n' '${end}' "$?"\n`);
    const told = await answer;
    const at = told.indexOf(MARK);
    const code = Number(told.slice(at).split(' ')[1]);
    const text = told.slice(0, at);
    if (code !== 0) throw new Error(text.trim() || `a command of the sandbox ended with ${code}`);
    return text;
  }

  /** How to run something in the sandbox, in the network of a file. */
  inNetwork(network: string, ...words: string[]): MachineCommand {
    const enter = ['-t', String(this.pid), '--mount', '--pid', '--uts', '--ipc', '--'];
    return { command: 'nsenter', args: [...enter, 'nsenter', `--net=${network}`, '--', ...words] };
  }

  /** How to run something where a process of the sandbox is. */
  beside(
    pid: number,
    environment: Readonly<Record<string, string>>,
    words: readonly string[],
  ): MachineCommand {
    const enter = ['-t', String(this.pid), '--mount', '--pid', '--ipc', '--'];
    const there = ['nsenter', '-t', String(pid), '--mount', '--net', '--uts', '--'];
    const set = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    return { command: 'nsenter', args: [...enter, ...there, 'env', '-i', ...set, ...words] };
  }

  /** Ends all that runs in it. Resolves when it is gone. */
  async close(): Promise<void> {
    const isGone = this.shell.exitCode !== null || this.shell.signalCode !== null;
    const closed = isGone ? undefined : once(this.shell, 'close');
    this.shell.stdin.destroy();
    this.shell.kill('SIGKILL');
    await closed;
  }
}
