import { constants, createReadStream } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemReason, UserError } from '../errors.ts';
import { type EntrySource, MAX_ENTRIES, type Opened, tooMany } from './source.ts';

/** An archive is no deeper than this: a top folder, an agent's, one of its answers, and what a bugtool packed. */
const MAX_DEPTH = 12;
/** A file that became a link since it was looked at is not followed either. */
const NO_LINKS = (constants.O_RDONLY | constants.O_NOFOLLOW) as unknown as string;

/** Opens the folder that an archive was unpacked to. Links are not followed. */
export async function openFolder(path: string, label: string): Promise<Opened> {
  const entries: EntrySource[] = [];
  const visit = async (folder: string, prefix: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) return;
    for await (const item of await opendir(folder)) {
      const full = join(folder, item.name);
      const name = `${prefix}${item.name}`;
      if (item.isDirectory()) await visit(full, `${name}/`, depth + 1);
      else if (item.isFile()) {
        if (entries.length >= MAX_ENTRIES) throw tooMany(label);
        const { size, mtimeMs } = await lstat(full);
        entries.push({
          name,
          claimed: size,
          crc: undefined,
          modifiedMs: mtimeMs,
          open: async () => createReadStream(full, { flags: NO_LINKS }),
        });
      }
    }
  };
  try {
    await visit(path, '', 0);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`read ${label}: ${systemReason(error)}`, { cause: error });
  }
  return { entries, notes: [], close: async () => {} };
}
