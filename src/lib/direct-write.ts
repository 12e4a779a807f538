import { constants, fstatSync, openSync, type Stats, writeSync } from 'node:fs';
import { errorCode } from './errno.ts';

/** The device of /dev/null, the one of characters that is no terminal and that output often goes to. */
const NULL_DEVICE = 0x103;

/** A terminal that is opened again must not become that of the session, which may have none. */
const AGAIN = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** What a file descriptor is and takes at once, without the streams of Node, which cost a start four milliseconds. */
export interface DirectWriter {
  /** It may be a terminal. */
  readonly mayBeTerminal: boolean;
  /** How many of the bytes were taken: fewer than all, where the rest would have to wait. Throws the system's error. */
  write(bytes: Uint8Array): number;
}

/**
 * Never waits for a reader: a pipe or terminal is opened a second time, not to block, since whoever shares the first one
 * must not find it changed. A file is written to as it is, with its own place and O_APPEND. All else takes nothing.
 */
export function directWriter(fd: number): DirectWriter {
  const stats = fstatSync(fd);
  let target = stats.isFile() ? fd : undefined;
  let isPossible = stats.isFile() || stats.isFIFO() || stats.isCharacterDevice();
  return {
    mayBeTerminal: isTerminalLike(stats),
    write(bytes) {
      if (!isPossible) return 0;
      try {
        target ??= openSync(`/proc/self/fd/${fd}`, AGAIN);
        return writeSync(target, bytes);
      } catch (error) {
        const wasOpened = target !== undefined;
        isPossible = false;
        if (wasOpened && errorCode(error) !== 'EAGAIN') throw error;
        return 0;
      }
    },
  };
}

/** Whether a descriptor may be a terminal: to ask Node costs its streams. */
export function mayBeTerminal(fd: number): boolean {
  return isTerminalLike(fstatSync(fd));
}

function isTerminalLike(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev !== NULL_DEVICE;
}
