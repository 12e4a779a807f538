import { readFileSync } from 'node:fs';

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

/** Seconds that a difference of two stamps stands for. */
export function stampSeconds(source: ClockSource, stamps: number): number {
  return source.mode === 'ktime' ? stamps : Math.trunc((stamps * JIFFIES_SHIFT) / source.hertz);
}

/** Largest stamp: they are differences of a 32-bit clock. */
const LARGEST_STAMP = 0xffff_ffffn;

/** Seconds since a NAT entry was made. What is too large for a stamp is in nanoseconds since boot, as 1.10 reads it. */
export function ageSeconds(source: ClockSource, created: bigint, uptimeMs: number): number {
  if (created > LARGEST_STAMP) return Math.floor(uptimeMs / 1000) - Number(created / 1_000_000_000n);
  return stampSeconds(source, stampNow(source, uptimeMs) - Number(created));
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
