import { readFileSync } from 'node:fs';
import { atLeast, type Release } from '../../model/release.ts';

/** How the datapath stamps entries: seconds of the monotonic clock, or jiffies shifted right by 8. */
export type ClockSource = { mode: 'ktime' } | { mode: 'jiffies'; hertz: number };

const RUNTIME_CONFIG = '/var/run/cilium/state/agent-runtime-config.json';
const MODES = ['ktime', 'jiffies'];
const JIFFIES_SHIFT = 256;

/** What the running agent wrote down; undefined when it wrote nothing that can be read. */
export function readClockSource(): ClockSource | undefined {
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(RUNTIME_CONFIG, 'utf8'));
  } catch {
    return undefined;
  }
  if (typeof config !== 'object' || config === null) return undefined;
  const fields = config as Record<string, unknown>;
  // The agent's enumeration: 0 ktime, 1 jiffies.
  const mode = typeof fields.ClockSource === 'number' ? MODES[fields.ClockSource] : fields.ClockSource;
  return clockSourceOf(mode, fields.KernelHz);
}

/** Checks the parts of a clock source; undefined when they are none. */
export function clockSourceOf(mode: unknown, hertz: unknown): ClockSource | undefined {
  if (mode === 'ktime') return { mode };
  if (mode === 'jiffies' && typeof hertz === 'number' && hertz > 0) return { mode, hertz };
  return undefined;
}

/** The stamp that the datapath would write now. */
export function stampNow(source: ClockSource, uptimeMs: number): number {
  if (source.mode === 'ktime') return Math.floor(uptimeMs / 1000);
  return Math.floor(readJiffies(source.hertz, uptimeMs) / JIFFIES_SHIFT);
}

/** The second that a stamp stands for. */
export function stampSeconds(source: ClockSource, stamp: number): number {
  return source.mode === 'ktime' ? stamp : Math.floor((stamp * JIFFIES_SHIFT) / source.hertz);
}

/** Largest stamp of the datapath: they are made from a 32-bit clock. */
const LARGEST_STAMP = 0xffff_ffffn;

/**
 * Seconds since a NAT entry was made, in 64 bits. Up to 1.13 what is too large for a stamp is in nanoseconds since boot, as
 * 1.10 reads it.
 */
export function ageSeconds(source: ClockSource, created: bigint, uptimeMs: number, release: Release): bigint {
  const now = BigInt(stampSeconds(source, stampNow(source, uptimeMs)));
  if (created <= LARGEST_STAMP) return now - BigInt(stampSeconds(source, Number(created)));
  if (!atLeast(release, '1.14')) return BigInt(Math.floor(uptimeMs / 1000)) - created / 1_000_000_000n;
  const second =
    source.mode === 'ktime'
      ? created
      : BigInt.asUintN(64, created * BigInt(JIFFIES_SHIFT)) / BigInt(source.hertz);
  return BigInt.asIntN(64, now - second);
}

/** The kernel's jiffies. They start five minutes before the 32-bit counter wraps. */
function readJiffies(hertz: number, uptimeMs: number): number {
  try {
    const match = /^timestamp (\d+)$/m.exec(readFileSync('/proc/schedstat', 'latin1'));
    if (match) return Number(match[1]);
  } catch {
    // Not every kernel has the file; what follows is off by less than a stamp.
  }
  return 2 ** 32 - 300 * hertz + Math.floor((uptimeMs / 1000) * hertz);
}
