import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { bootId, isAlive, processStart } from '../../lib/alive.ts';

/** What tells processes of this machine (and, in a container, of this container) from all others; empty where nothing does. */
function place(): string {
  try {
    const own = `${bootId()} ${readlinkSync('/proc/self/ns/pid')}`;
    return own.startsWith(' ') ? '' : createHash('sha256').update(own).digest('hex').slice(0, 16);
  } catch {
    return '';
  }
}

/** This process, as a later one of the same machine can tell whether it still runs; undefined where none could. */
export function ownHolder(): string | undefined {
  const [where, start] = [place(), processStart(process.pid)];
  return where === '' || start === '' ? undefined : `${where}/${process.pid}/${start}`;
}

/** Whether a holder is known to run no longer. Of one of another machine that is not known. */
export function hasEnded(holder: string | undefined): boolean {
  const [where, pid = '', pidStart = ''] = holder?.split('/') ?? [];
  if (where === undefined || where === '' || where !== place()) return false;
  return /^[1-9]\d{0,9}$/.test(pid) && pidStart !== '' && !isAlive({ pid: Number(pid), pidStart });
}
