import { randomBytes } from 'node:crypto';
import { constants, copyFile, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './errno.ts';

/**
 * Writes a file that only its owner may read (mode 0600), so that a crash leaves either the old or the new content,
 * whole and on disk, whoever else writes it. A crash may leave a file beside it that ends in `.tmp`.
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = await writeBeside(path, text);
  await rename(temporary, path);
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

async function writeBeside(path: string, text: string): Promise<string> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  const file = await open(temporary, 'w', 0o600);
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
