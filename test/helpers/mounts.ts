import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mountsOfLabs } from '../../src/lab/pins/bpffs.ts';

/** Paths of the maps that labs have mounted on this machine. */
export function labMounts(): string[] {
  if (process.platform !== 'linux') return [];
  return mountsOfLabs(readFileSync('/proc/self/mountinfo', 'utf8')).map(({ path }) => path);
}

/** Unmounts what labs left within a folder: those that a test killed, or that failed half-way. */
export function unmountWithin(folder: string): void {
  for (const path of labMounts()) if (path.startsWith(`${folder}/`)) spawnSync('umount', ['-l', path]);
}
