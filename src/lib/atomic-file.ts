import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  constants,
  copyFile,
  link,
  open,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode } from './errno.ts';

/**
 * Writes a file that only its owner may read (mode 0600), so that a crash leaves either the old or the new content,
 * whole and on disk, whoever else writes it. A crash may leave a file beside it that begins with a dot and ends in `.tmp`.
 */
export async function writeAtomically(path: string, text: string | Uint8Array): Promise<void> {
  const temporary = await writeBeside(path, text);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolderOf(path);
}

/**
 * As `writeAtomically`, where no file stands: false when one does. The name appears with its content, so that a crash leaves
 * all of it or nothing.
 */
export async function writeNew(path: string, text: string): Promise<boolean> {
  const temporary = await writeBeside(path, text);
  try {
    await link(temporary, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // A file system without links, such as FAT.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errorCode(error) ?? '')) throw error;
    await copyFile(temporary, path, constants.COPYFILE_EXCL);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolderOf(path);
  return true;
}

/**
 * As `writeAtomically`, of a file of the user's: it keeps its mode and, where this process may give files away, its owner;
 * where the path is a link, the file behind it is written. A new one is for its owner alone.
 */
export async function rewriteAtomically(path: string, text: string): Promise<void> {
  const target = await fileBehind(path);
  const before = await stat(target).catch(() => undefined);
  const temporary = await writeBeside(target, text);
  try {
    if (before) {
      await chown(temporary, before.uid, before.gid).catch(() => {});
      await chmod(temporary, before.mode & 0o7777);
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolderOf(target);
}

/** The file that a path leads to, through links; the last of them may lead to one that is still to be made. */
export async function fileBehind(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    const link = await readlink(path).catch(() => undefined);
    // A folder that is missing is for the writer to say.
    return link === undefined ? path : fileBehind(resolve(dirname(path), link));
  }
}

/**
 * Writes what a user asked for by the name of a file: a file as `rewriteAtomically` does, and a pipe or a device (such as
 * `/dev/stdout`) by itself, since a file in its place would break it for everybody.
 */
export async function writeNamed(path: string, text: string): Promise<void> {
  const there = await stat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  const isPlace = /^\/(?:dev|proc)\//.test(path) || (there && !there.isFile() && !there.isDirectory());
  if (!isPlace) return rewriteAtomically(path, text);
  const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
  await file.writeFile(text).finally(() => file.close());
}

/** Its name begins with a dot: who reads all files of a folder passes over it. */
async function writeBeside(path: string, text: string | Uint8Array): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await file.close();
  return temporary;
}

async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
