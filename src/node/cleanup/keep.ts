import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import {
  chmod,
  constants,
  copyFile,
  type FileHandle,
  lchown,
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, normalize } from 'node:path';
import { errorCode, UserError } from '../../errors.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import type { FileEntry } from '../../model/cleanup.ts';
import { isBelow, readMounts } from '../state/mounts.ts';
import type { NodePaths } from '../state/read.ts';
import type { Run } from '../state/run.ts';
import { ownFileKind } from './files.ts';
import { mustRun } from './must-run.ts';

/** Larger files are copied and not written into the record. */
const SMALL = 64 * 1024;

/** Where a record keeps larger files; created with the first, and never one that somebody else has made. */
export class Copies {
  readonly folder: string;
  #count = 0;

  constructor(undoFile: string) {
    this.folder = `${undoFile}.d`;
  }

  /** Whether there is one of this record. */
  get isMade(): boolean {
    return this.#count > 0;
  }

  /** Copies a file, brings it to the disk, and returns its name in the folder. */
  async add(path: string): Promise<string> {
    if (this.#count === 0) await mkdir(this.folder, { mode: 0o700 });
    const name = String(this.#count++);
    await copyFile(path, join(this.folder, name));
    await syncFile(join(this.folder, name));
    return name;
  }
}

/** Keeps a file or a tree: what each is, its owner and mode, and its contents, larger ones as copies in a folder. */
export async function keepFiles(path: string, copies: Copies): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  const real = await realpath(path).catch(() => path);
  const mounts = (await readMounts()).filter(({ target }) => isBelow(target, real));
  const covered = new Set(mounts.map(({ target }) => `${path}${target.slice(real.length)}`));
  await keep(path, path, copies, covered, entries);
  return entries;
}

/**
 * Each folder is opened once and what is in it named by what was opened (`at`): whoever owns one and puts a link in its place
 * meanwhile has nothing elsewhere recorded.
 */
async function keep(
  path: string,
  at: string,
  copies: Copies,
  covered: ReadonlySet<string>,
  entries: FileEntry[],
): Promise<void> {
  const info = await lstat(at).catch((error: unknown) => {
    // It went away since the plan was made.
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!info) return;
  const { mode, uid, gid, mtimeMs } = info;
  const base = { path, mode: mode & 0o7777, uid, gid, mtimeMs };
  if (covered.has(path)) {
    // What is mounted here is seen, not what is beneath; agents make such a folder like this.
    if (info.isDirectory()) entries.push({ ...base, kind: 'folder', mode: 0o755, uid: 0, gid: 0 });
  } else if (info.isDirectory()) {
    entries.push({ ...base, kind: 'folder' });
    const folder = await openSame(path, at, info, constants.O_DIRECTORY);
    try {
      const within = `/proc/self/fd/${folder.fd}`;
      for (const name of (await readdir(within, { encoding: 'buffer' })).sort(Buffer.compare)) {
        const below = join(path, name.toString());
        if (!isUtf8(name)) throw new UserError(`${below} has a name that is not UTF-8`);
        await keep(below, join(within, name.toString()), copies, covered, entries);
      }
    } finally {
      await folder.close();
    }
  } else if (info.isSymbolicLink()) entries.push({ ...base, kind: 'link', target: await readlink(at) });
  else if (info.isFIFO()) entries.push({ ...base, kind: 'fifo' });
  else if (info.isSocket()) entries.push({ ...base, kind: 'socket' });
  else if (info.isFile())
    entries.push({ ...base, kind: 'file', ...(await contentOf(path, at, info, copies)) });
  else throw new UserError(`${path} is a device: cleanup could not bring it back`);
}

/** What a file holds. */
async function contentOf(
  path: string,
  at: string,
  info: Stats,
  copies: Copies,
): Promise<Pick<FileEntry, 'base64' | 'copy'>> {
  const file = await openSame(path, at, info, constants.O_NONBLOCK);
  try {
    if (info.size > SMALL) return { copy: await copies.add(`/proc/self/fd/${file.fd}`) };
    return { base64: (await file.readFile()).toString('base64') };
  } finally {
    await file.close();
  }
}

/** Opens the one that was looked at, and not what somebody has put in its place. */
async function openSame(path: string, at: string, info: Stats, how: number): Promise<FileHandle> {
  const file = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | how);
  const { dev, ino } = await file.stat();
  if (dev === info.dev && ino === info.ino) return file;
  await file.close();
  throw new UserError(`${path} is another one by now`);
}

/** Brings a file or folder to the disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}

/**
 * Whether recorded files are what `cleanup` takes away, and their copies in the record's own folder. The first is a state folder,
 * or one file of Cilium's; behind a folder each other one lies in a folder before it, and in no link.
 */
export function areOwnFiles(entries: readonly FileEntry[], paths: NodePaths): boolean {
  if (!Array.isArray(entries)) return false;
  const [first] = entries as FileEntry[];
  if (!first || typeof first.path !== 'string') return false;
  const own = ownFileKind(first.path, paths);
  if (own === undefined || (own === 'state') !== (first.kind === 'folder')) return false;
  const folders = new Set<string>();
  return entries.every((entry, i) => {
    const { path, kind, mode, uid, gid, mtimeMs, base64, copy, target } = entry;
    if (typeof path !== 'string' || path !== normalize(path)) return false;
    const inside = i === 0 || folders.has(dirname(path));
    if (kind === 'folder') folders.add(path);
    return (
      inside &&
      ['file', 'folder', 'link', 'fifo', 'socket'].includes(kind) &&
      [mode, uid, gid].every((number) => Number.isInteger(number) && number >= 0) &&
      mode <= 0o7777 &&
      Number.isFinite(mtimeMs) &&
      (kind !== 'link' || typeof target === 'string') &&
      (kind !== 'file' || (copy === undefined ? typeof base64 === 'string' : /^\d+$/.test(copy)))
    );
  });
}

/**
 * Brings files back, each whole or not at all: it is made beside its place and renamed. What stands there, of whatever
 * kind, is left. Returns whether anything was to be done.
 */
export async function restoreFiles(
  entries: readonly FileEntry[],
  undoFile: string,
  run: Run,
): Promise<boolean> {
  const changed = new Set<string>();
  for (const folder of new Set(entries.map(({ path }) => dirname(path)))) await removeLeftovers(folder);
  for (const entry of entries) {
    if (await isThere(entry.path)) continue;
    const beside = join(dirname(entry.path), `.${randomBytes(4).toString('hex')}${UNFINISHED}`);
    try {
      await requireFolder(dirname(entry.path), entry === entries[0]);
      await make(entry, beside, new Copies(undoFile).folder, run);
      await own(entry, beside);
      await lutimes(beside, entry.mtimeMs / 1000, entry.mtimeMs / 1000);
      await rename(beside, entry.path);
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      throw error;
    }
    changed.add(entry.path).add(dirname(entry.path));
  }
  // What is made in a folder changes its time.
  for (const { kind, path, mtimeMs } of entries.toReversed())
    if (kind === 'folder' && changed.has(path)) await utimes(path, mtimeMs / 1000, mtimeMs / 1000);
  return changed.size > 0;
}

/** Gives a file its owner and mode. The folder may be another user's, who could put a link in its place: none is followed. */
async function own({ kind, mode, uid, gid }: FileEntry, path: string): Promise<void> {
  await lchown(path, uid, gid);
  if (kind === 'file' || kind === 'folder') {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    await file.chmod(mode).finally(() => file.close());
  } else if (kind !== 'link' && !(await lstat(path)).isSymbolicLink()) await chmod(path, mode);
}

/** The folder of the first file may have gone with the package that made it; the others were made just before. */
async function requireFolder(path: string, isFirst: boolean): Promise<void> {
  if (isFirst) makeFolder(path);
  else if (!(await lstat(path)).isDirectory()) throw new UserError(`${path} is no folder by now`);
}

/** Ends the name of what an interrupted undo was about to make. */
const UNFINISHED = '.cilium-undo';

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    if (/^\.[0-9a-f]{8}\.cilium-und[o_]$/.test(name))
      await rm(join(folder, name), { recursive: true, force: true });
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function make(entry: FileEntry, path: string, copies: string, run: Run): Promise<void> {
  switch (entry.kind) {
    case 'folder':
      return mkdir(path, { mode: 0o700 }).then(() => {});
    case 'link':
      return symlink(entry.target ?? '', path);
    case 'fifo':
      return mustRun(run, ['mkfifo', '-m', '0600', path]);
    case 'socket':
      return makeSocket(path);
    case 'file':
      if (entry.copy === undefined)
        await writeFile(path, Buffer.from(entry.base64 ?? '', 'base64'), { mode: 0o600, flag: 'wx' });
      else await copyFile(join(copies, entry.copy), path, constants.COPYFILE_EXCL);
      return syncFile(path);
  }
}

/** Makes the file of a socket on which nobody listens. The name that is bound goes when the socket is closed. */
async function makeSocket(path: string): Promise<void> {
  const bound = `${path.slice(0, -1)}_`;
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(bound, resolve));
  await rename(bound, path);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
