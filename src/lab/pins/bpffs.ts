import { readFileSync, rmdirSync } from 'node:fs';
import { native } from '../../bpf/kernel/native.ts';
import { errorCode, systemReason, UserError } from '../../errors.ts';
import { isAlive, processStart } from '../../lib/alive.ts';
import { makeFolder } from '../../lib/make-folder.ts';

/** Mounts of labs say in their source whose they are: `cilium-lab:PID:START`. */
const SOURCE = 'cilium-lab';

/** Mounts a bpffs of this process at `path`. Fails with the reason when that is not possible. */
export function mountBpffs(path: string): void {
  if (process.platform !== 'linux') throw new UserError('BPF maps need Linux');
  if (process.geteuid?.() !== 0) throw new UserError('mounting a BPF file system needs root');
  makeFolder(path, 0o700);
  const source = `${SOURCE}:${process.pid}:${processStart(process.pid)}`;
  attempt('mount', path, () => native().mount(source, path));
}

/** Unmounts it: what is pinned there is gone, even while somebody still looks at it. */
export function unmountBpffs(path: string): void {
  attempt('unmount', path, () => native().unmount(path));
  rmdirSync(path);
}

/** Unmounts what labs left that have died. Returns where that was. */
export function unmountDead(): string[] {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return [];
  return mountsOfLabs(readMounts())
    .filter((mount) => !isAlive(mount))
    .map(({ path }) => path)
    .filter(unmounted);
}

/** Another process may be about the same: what stays mounted is tried again by the next one. */
function unmounted(path: string): boolean {
  try {
    unmountBpffs(path);
    return true;
  } catch (error) {
    if (error instanceof UserError || errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** The mounts of labs in a mountinfo, the innermost first. */
export function mountsOfLabs(mountinfo: string): { path: string; pid: number; pidStart: string }[] {
  return mountinfo
    .split('\n')
    .flatMap((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const [type, source = ''] = right.split(' ');
      const [name, pid, pidStart = ''] = source.split(':');
      const path = left.split(' ')[4] ?? '';
      if (type !== 'bpf' || name !== SOURCE || !pid) return [];
      return [{ path: unescaped(path), pid: Number(pid), pidStart }];
    })
    .reverse();
}

/** The kernel writes blanks and the like as octal numbers. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function attempt(what: string, path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${what} ${path}: ${systemReason(error)}`, { cause: error });
  }
}
