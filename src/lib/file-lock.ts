import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAlive, type NotedProcess, processStart } from './alive.ts';
import { errorCode } from './errno.ts';

/** Who holds a lock. */
interface Holder extends NotedProcess {
  host: string;
}

/** The lock is held: by another process, or undefined when its file is nobody's lock. */
export class Locked extends Error {
  override name = 'Locked';
  constructor(readonly holder: string | undefined) {
    super(`locked by ${holder ?? 'what is no lock'}`);
  }
}

/**
 * Takes the lock that the file `path` stands for, and returns what gives it back. The file names its holder; one whose
 * process has ended, in whatever way, is taken over. Throws Locked, or what the file system says.
 */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const mine: Holder = { pid: process.pid, pidStart: processStart(process.pid), host: hostname() };
  const text = JSON.stringify(mine);
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(temporary, text, { flag: 'wx', mode: 0o600 });
  try {
    for (;;) {
      try {
        // A link appears with its content, and only where no file stands.
        await link(temporary, path);
        return () => rm(path, { force: true });
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
      await removeStale(path);
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Removes the lock of a process that has ended. Throws Locked when it has not. */
async function removeStale(path: string): Promise<void> {
  const text = await readOrNothing(path);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (!holder) throw new Locked(undefined);
  if (holder.host !== hostname()) throw new Locked(`process ${holder.pid} of the machine ${holder.host}`);
  if (isAlive(holder)) throw new Locked(`process ${holder.pid}`);
  // Somebody else may have taken it over since it was read: only what was read goes.
  const moved = `${path}.${randomBytes(4).toString('hex')}.old`;
  try {
    await rename(path, moved);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const found = await readOrNothing(moved);
  if (found !== text) await link(moved, path).catch(() => {});
  await rm(moved, { force: true });
}

async function readOrNothing(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, pidStart, host } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    const fits = Number.isInteger(pid) && typeof pidStart === 'string' && typeof host === 'string';
    return fits ? { pid: Number(pid), pidStart, host } : undefined;
  } catch {
    return undefined;
  }
}
