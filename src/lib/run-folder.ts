import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bootId, isAlive, processStart } from './alive.ts';

/** A folder that only this user can read, and that is gone when this is disposed of. */
export interface RunFolder extends AsyncDisposable {
  path: string;
}

const DAY_MS = 24 * 3600 * 1000;

/** Makes one below `parent`. Those of the same prefix that runs of this user have left, since they were killed, go. */
export async function makeRunFolder(parent: string, prefix: string): Promise<RunFolder> {
  const own = `${prefix}${whereFrom()}-${process.pid}-${processStart(process.pid)}-`;
  const path = await mkdtemp(join(parent, own));
  await removeLeft(parent, prefix, path).catch(() => {});
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** This boot of this machine, and what its processes are numbered in: a folder may be shared with other containers. */
function whereFrom(): string {
  let numbering = '';
  try {
    numbering = readlinkSync('/proc/self/ns/pid');
  } catch {
    // There is no such file elsewhere than on Linux.
  }
  return createHash('sha256').update(`${bootId()} ${numbering}`).digest('hex').slice(0, 8);
}

async function removeLeft(parent: string, prefix: string, own: string): Promise<void> {
  const { uid, mtimeMs: now } = await lstat(own);
  for (const name of await readdir(parent)) {
    const [, place, pid, pidStart = ''] =
      /^([0-9a-f]{8})-(\d+)-(\w*)-\w{6}$/.exec(afterPrefix(name, prefix)) ?? [];
    if (place === undefined) continue;
    const path = join(parent, name);
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isDirectory() || found.uid !== uid) continue;
    // Of another machine or container it is not known which processes run.
    const isLeft =
      place === whereFrom() ? !isAlive({ pid: Number(pid), pidStart }) : now - found.mtimeMs > DAY_MS;
    if (isLeft) await rm(path, { recursive: true, force: true });
  }
}

function afterPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : '';
}
