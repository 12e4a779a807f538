import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { link, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { bootId, isAlive, type NotedProcess, processStart } from './alive.ts';
import { errorCode } from './errno.ts';
import { readSmallFile } from './small-file.ts';

/** Who holds a lock. */
interface Holder extends NotedProcess {
  host: string;
  /** The kernel's id of its boot, and the space that the number of the process is of; empty where there is none. */
  boot: string;
  space: string;
}

/** The lock is held: by another process, or undefined when its file is nobody's lock. */
export class Locked extends Error {
  override name = 'Locked';
  constructor(readonly holder: string | undefined) {
    super(`locked by ${holder ?? 'what is no lock'}`);
  }
}

/** How long another one may take to take a lock over. */
const WAIT_MS = 20;

/** A file that is to become a lock has its content within less than this. */
const MAKING_MS = 60_000;

/**
 * Takes the lock that the file `path` stands for, and returns what gives it back. The file names its holder; one whose
 * process has ended, in whatever way, is taken over. Throws Locked, or what the file system says.
 */
export async function lockFile(path: string, self: Holder = thisProcess()): Promise<() => Promise<void>> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, JSON.stringify(self), { flag: 'wx', mode: 0o600 });
    for (;;) {
      try {
        // A link appears with its content, and only where no file stands.
        await link(temporary, path);
        break;
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
      const text = readOrNothing(path);
      if (text === undefined) continue;
      refuseHeld(text, self);
      if (await takeOver(path, text, temporary, self)) break;
    }
  } finally {
    await rm(temporary, { force: true });
  }
  await removeLeftovers(path, self);
  return () => rm(path, { force: true });
}

/** Removes what processes left that were killed while they took this lock. */
async function removeLeftovers(path: string, self: Holder): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  const leftover = /^(?:\.next)?\.[0-9a-f]{8}\.tmp$/;
  // Nothing hangs on it: a folder that cannot be listed keeps them.
  const names = await readdir(folder).catch((): string[] => []);
  for (const other of names.filter((one) => one.startsWith(name) && leftover.test(one.slice(name.length)))) {
    const file = join(folder, other);
    if (await isLeftover(file, self).catch(() => false)) await rm(file, { force: true }).catch(() => {});
  }
}

async function isLeftover(file: string, self: Holder): Promise<boolean> {
  const { mtimeMs, size } = await stat(file);
  const text = readSmallFile(file) ?? '';
  // One that was killed before it wrote.
  if (size === 0) return Date.now() - mtimeMs > MAKING_MS;
  refuseHeld(text, self);
  return true;
}

/**
 * Puts a lock in the place of one whose process has ended; false when it is no longer there. Who does so holds a lock of its
 * own for it: without that a second one that had read the old lock, too, would remove the new one of the first.
 */
async function takeOver(path: string, text: string, temporary: string, self: Holder): Promise<boolean> {
  let release: () => Promise<void>;
  try {
    release = await lockFile(`${path}.next`, self);
  } catch (error) {
    if (!(error instanceof Locked) || error.holder === undefined) throw error;
    await setTimeout(WAIT_MS);
    return false;
  }
  try {
    if (readOrNothing(path) !== text) return false;
    await rename(temporary, path);
    return true;
  } finally {
    await release();
  }
}

/** Throws Locked when the process that a lock names may still run, and when it is no lock. */
function refuseHeld(text: string, self: Holder): void {
  const holder = parseHolder(text);
  if (!holder) throw new Locked(undefined);
  const name = `process ${holder.pid}`;
  const isSameBoot = holder.boot === self.boot;
  // A machine that has been started anew runs none of the processes from before.
  if (holder.host === self.host && !isSameBoot && holder.boot !== '' && self.boot !== '') return;
  if (!isSameBoot || (self.boot === '' && holder.host !== self.host))
    throw new Locked(`${name} of the machine ${holder.host}`);
  // Of a container with numbers of its own nobody else can say whether it runs.
  if (holder.space !== self.space) throw new Locked(`${name} of another container (${holder.host})`);
  if (isAlive(holder)) throw new Locked(name);
}

function thisProcess(): Holder {
  const { pid } = process;
  return { pid, pidStart: processStart(pid), host: hostname(), boot: bootId(), space: pidSpace() };
}

function pidSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/**
 * The text of a lock, whoever wrote it: users may share a folder, and nothing is done to what it names. Empty, which names no
 * holder, where something else has its name.
 */
function readOrNothing(path: string): string | undefined {
  try {
    return readSmallFile(path) ?? '';
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    // A link: what it leads to is no lock, and may be anything.
    if (errorCode(error) === 'ELOOP' || errorCode(error) === 'ENXIO') return '';
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, ...texts } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    const { pidStart, host, boot, space } = texts;
    if (!Number.isInteger(pid) || ![pidStart, host, boot, space].every((part) => typeof part === 'string'))
      return undefined;
    return { pid: Number(pid), pidStart, host, boot, space } as Holder;
  } catch {
    return undefined;
  }
}
