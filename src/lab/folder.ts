import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { errorCode, UserError } from '../errors.ts';
import { isAlive, processStart } from '../lib/alive.ts';
import { writeAtomically } from '../lib/atomic-file.ts';
import { errnoText } from '../lib/errno.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { isOwnFile, readSmallFile } from '../lib/small-file.ts';
import { unmountDead } from './pins/bpffs.ts';
import type { AgentVersion } from './version.ts';

/** What a running lab leaves in its folder for those who look for it. */
export interface LabInfo {
  name: string;
  dir: string;
  pid: number;
  /** When the process began, as the kernel counts; tells it from a later one of the same number. */
  pidStart: string;
  scenario: string;
  agentVersion: AgentVersion;
  /** Empty until the lab answers. */
  startedAt: string;
  sockets: { agent: string; envoy: string; health: string; hubble: string; monitor: string; shell: string };
  /** host:port of the Hubble API. */
  hubbleTcp: string;
  /** Where its maps are pinned, and why none are. */
  bpfRoot: string;
  noMaps?: string;
  /** The folder goes when the lab stops. */
  temporary: boolean;
  /** The Kubernetes API of a lab that is a cluster, and the folders of its other agents by node. */
  kube?: { url: string; kubeconfig: string; nodes: string[] };
}

const INFO = 'lab.json';
const STATE = 'state.json';
const CLAIM = '.claim';
/** A claim is held for milliseconds: an older one belongs to a process that died. */
const CLAIM_STALE_MS = 10_000;
/** The kernel's limit for the path of a unix socket, without the final zero. */
const MAX_SOCKET_PATH = 107;

/** Where labs without `--dir` live. */
export function labRoot(env: Readonly<Record<string, string | undefined>>, uid: number | undefined): string {
  const runtime = env.XDG_RUNTIME_DIR;
  return runtime && existsSync(runtime)
    ? join(runtime, 'cilium-lab')
    : join(tmpdir(), `cilium-lab-${uid ?? 'user'}`);
}

/** A folder that belongs to this process until the lab ends. */
export interface Claimed {
  dir: string;
  name: string;
  temporary: boolean;
  stateFile: string;
  /** A state of an earlier run is there. */
  resumed: boolean;
}

interface ClaimOptions {
  root: string;
  /** The user's own folder: kept when the lab stops. */
  dir?: string | undefined;
  /** Name below the root; absent picks a free one. */
  name?: string | undefined;
  /** For `lab run`: a folder nobody else will look for. */
  throwaway?: boolean;
  /** Discard the state of an earlier run. */
  fresh?: boolean;
}

/** Takes a folder for a new lab; removes what dead labs left below the root. */
export async function claimFolder(options: ClaimOptions): Promise<Claimed> {
  const parent = options.dir === undefined ? privateFolder(options.root) : privateFolder(options.dir);
  return await exclusively(parent, () => {
    unmountDead();
    if (options.dir !== undefined) return take(parent, basename(parent), false, options.fresh);
    sweep(parent);
    if (options.throwaway) {
      const name = `run-${randomBytes(4).toString('hex')}`;
      return take(join(parent, name), name, true, true);
    }
    const name = options.name ?? freeName(parent);
    return take(join(parent, name), name, true, options.fresh);
  });
}

function take(dir: string, name: string, temporary: boolean, fresh = false): Claimed {
  const info = existsSync(dir) ? readInfo(dir) : undefined;
  if (info && isAlive(info))
    throw new UserError(`lab ${info.name} is running already in ${dir} (process ${info.pid})`, {
      hint: temporary
        ? `Stop it with: cilium lab stop --name ${name}. Or start another one under another --name.`
        : `Stop it with: cilium lab stop --dir ${dir}. Or give the new one another folder.`,
    });
  privateFolder(dir);
  if (!info && Object.values(socketsIn(dir)).some((path) => existsSync(path)))
    throw new UserError(`${dir} holds sockets that no lab left there`, {
      hint: 'Give a folder of its own with --dir. To answer where an agent would, add --var-run.',
    });
  const longest = join(dir, 'monitor.sock');
  if (Buffer.byteLength(longest) > MAX_SOCKET_PATH)
    throw new UserError(
      `the folder ${dir} is too deep: the path of a socket in it is longer than ${MAX_SOCKET_PATH} bytes`,
      {
        hint: 'Give a shorter one with --dir.',
      },
    );
  removeSockets(dir);
  // From here on the folder is taken, though the lab does not answer yet.
  const starting: LabInfo = {
    name,
    dir,
    pid: process.pid,
    pidStart: processStart(process.pid),
    scenario: '',
    agentVersion: 'all',
    startedAt: '',
    sockets: socketsIn(dir),
    hubbleTcp: '',
    bpfRoot: bpfRootIn(dir),
    temporary,
  };
  writeFileSync(join(dir, INFO), JSON.stringify(starting), { mode: 0o600 });
  const stateFile = join(dir, STATE);
  if (fresh) rmSync(stateFile, { force: true });
  return { dir, name, temporary, stateFile, resumed: existsSync(stateFile) };
}

function freeName(root: string): string {
  for (let i = 1; ; i++) {
    const name = i === 1 ? 'default' : `lab-${i}`;
    const info = readInfo(join(root, name));
    if (!info || !isAlive(info)) return name;
  }
}

/** Removes what dead labs left. A state that somebody changed stays until its lab is started again or stopped. */
function sweep(root: string): void {
  for (const name of readdirSync(root)) {
    if (name === CLAIM) continue;
    const dir = join(root, name);
    const info = readInfo(dir);
    if (info && isAlive(info)) continue;
    if (name.startsWith('run-') || !existsSync(join(dir, STATE)))
      rmSync(dir, { recursive: true, force: true });
    else removeSockets(dir);
  }
}

/** What a lab leaves that means nothing without its process. */
function removeSockets(dir: string): void {
  for (const path of [
    ...Object.values(socketsIn(dir)),
    join(dir, INFO),
    ...halfWritten(dir).map((name) => join(dir, name)),
  ])
    rmSync(path, { force: true });
}

/** What a process left that was killed while it wrote. */
function halfWritten(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir).filter((name) => /^(?:lab|state)\.json\..*tmp$/.test(name)) : [];
}

/** Where a lab in a folder listens. */
export function socketsIn(dir: string): LabInfo['sockets'] {
  const at = (name: string) => join(dir, `${name}.sock`);
  return {
    agent: at('agent'),
    /** Of a proxy, where one runs: the lab itself has none. */
    envoy: at('envoy'),
    health: at('health'),
    hubble: at('hubble'),
    monitor: at('monitor'),
    shell: at('shell'),
  };
}

/** Where a lab in a folder pins its maps. */
export function bpfRootIn(dir: string): string {
  return join(dir, 'bpf');
}

/** Ends a lab's hold on its folder. */
export function releaseFolder({ dir, temporary }: Pick<Claimed, 'dir' | 'temporary'>): void {
  unmountDead();
  // A process of it that was killed may put one more file there before it ends.
  if (temporary) rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  else removeSockets(dir);
}

/** Makes a folder that only its owner can enter, or checks that it is one. */
function privateFolder(path: string): string {
  const dir = resolve(path);
  try {
    makeFolder(dir, 0o700);
  } catch (cause) {
    const code = errorCode(cause) ?? '';
    throw new UserError(`cannot make the folder ${dir}: ${errnoText(code) ?? (code || String(cause))}`, {
      hint: 'Give one that can be written with --dir.',
      cause,
    });
  }
  const facts = lstatSync(dir);
  const me = process.geteuid?.();
  if (!facts.isDirectory()) throw new UserError(`${dir} is not a folder`);
  if (me !== undefined && facts.uid !== me)
    throw new UserError(`the folder ${dir} belongs to user ${facts.uid}`, {
      hint: 'Give one of your own with --dir.',
    });
  if ((facts.mode & 0o077) !== 0)
    throw new UserError(
      `other users can enter the folder ${dir} (mode ${(facts.mode & 0o777).toString(8)})`,
      {
        hint: `Make it private: chmod 700 ${dir}`,
      },
    );
  return dir;
}

/** Runs `action` while no other process claims a folder below `root`. */
async function exclusively<T>(root: string, action: () => T): Promise<T> {
  const lock = join(root, CLAIM);
  for (;;) {
    try {
      mkdirSync(lock, { mode: 0o700 });
      break;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && Date.now() - since > CLAIM_STALE_MS)
      rmSync(lock, { recursive: true, force: true });
    else await new Promise((wait) => setTimeout(wait, 20));
  }
  try {
    return action();
  } finally {
    rmdirSync(lock);
  }
}

/** Says in the folder that the lab runs. */
export async function publish(info: LabInfo): Promise<void> {
  await writeAtomically(join(info.dir, INFO), `${JSON.stringify(info, null, 2)}\n`);
}

/** The note of the lab in a folder; undefined when there is none that can be read. */
export function readInfo(dir: string): LabInfo | undefined {
  try {
    // What it names is stopped, removed and handed to other programs: another user's would be a trap.
    const value: unknown = JSON.parse(readSmallFile(join(dir, INFO), isOwnFile) ?? '');
    return isInfo(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isInfo(value: unknown): value is LabInfo {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    Number.isInteger(value.pid) &&
    Number(value.pid) > 0 &&
    'sockets' in value &&
    'dir' in value
  );
}

/** Labs that run, below the root. */
export function runningLabs(root: string): LabInfo[] {
  return namesIn(root)
    .flatMap((name) => readInfo(join(root, name)) ?? [])
    .filter((info) => info.startedAt !== '' && isAlive(info))
    .sort((a, b) => a.name.localeCompare(b.name));
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return [];
    throw new UserError(`cannot look for labs in ${root}: ${errorCode(cause) ?? String(cause)}`, {
      hint: 'Labs belong to the user who started them. XDG_RUNTIME_DIR names the folder that holds yours.',
      cause,
    });
  }
}
