import { existsSync, readFileSync } from 'node:fs';
import { errorCode } from './errno.ts';

/** A process as it was noted: its number, and what tells it from a later one of the same number. */
export interface NotedProcess {
  pid: number;
  /** When it began, as the kernel counts; empty where the system does not say. */
  pidStart: string;
}

/** Whether the process that left a note is still the one that runs under its number. */
export function isAlive({ pid, pidStart }: NotedProcess): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return false;
  }
  const start = processStart(pid);
  return start === '' || pidStart === '' || start === pidStart;
}

/** When a process began, in clock ticks since boot; empty where the system does not say. A zombie has none. */
export function processStart(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
  } catch {
    return existsSync('/proc/self/stat') ? 'ended' : '';
  }
}

/** The kernel's id of this boot of the machine; empty where there is none. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
