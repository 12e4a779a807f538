import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';

/** What programs leave for each other is smaller than this. */
const LIMIT = 64 * 1024;

/**
 * Reads a small file from a folder in which others may write. Undefined when it is no regular file (a pipe would hold up who
 * reads it), when it is larger than 64 KiB, and when `isFit` does not take it. Throws the system's error.
 */
export function readSmallFile(
  path: string,
  isFit: (info: Stats) => boolean = () => true,
): string | undefined {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const info = fstatSync(file);
    return info.isFile() && info.size <= LIMIT && isFit(info) ? readFileSync(file, 'utf8') : undefined;
  } finally {
    closeSync(file);
  }
}

/** Whether nobody but this user can have written a file. Always true where the system has no users. */
export function isOwnFile({ uid, mode }: Stats): boolean {
  const me = process.geteuid?.();
  return me === undefined || (uid === me && (mode & 0o022) === 0);
}
