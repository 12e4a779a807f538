import { parseDurationMs } from '../../lib/duration.ts';

const NS_PER_UNIT = [
  ['ns', 1n],
  ['µs', 1_000n],
  ['ms', 1_000_000n],
] as const;

/** A duration as Go prints it: `1m36.566274746s`, `562.565µs`, `0s`. A number is taken as whole nanoseconds. */
export function goDuration(ns: number | bigint): string {
  const value = typeof ns === 'bigint' ? ns : BigInt(Number.isFinite(ns) ? Math.trunc(ns) : 0);
  if (value === 0n) return '0s';
  const sign = value < 0n ? '-' : '';
  const abs = value < 0n ? -value : value;
  if (abs < 1_000_000_000n) {
    const [unit, size] = NS_PER_UNIT.findLast(([, least]) => abs >= least) ?? NS_PER_UNIT[0];
    return `${sign}${decimal(abs, size)}${unit}`;
  }
  const minutes = abs / 60_000_000_000n;
  const seconds = `${decimal(abs % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return hours === 0n ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

/** `value / unit` with as many decimals as it needs. */
function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit).toString().padStart(unit.toString().length - 1, '0');
  const kept = unit === 1n ? '' : fraction.replace(/0+$/, '');
  return kept ? `${value / unit}.${kept}` : `${value / unit}`;
}

/** Milliseconds since the epoch of an RFC 3339 time; undefined for Go's zero time and for what is no time. */
function parseTimeMs(text: string | undefined): number | undefined {
  if (!text || text.startsWith('0001-01-01T00:00:00')) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A duration of Go holds no more, which is 292 years. */
const MOST_SECONDS = 9_223_372_036;

/** Whole seconds since a time; undefined as for `parseTimeMs`. */
function secondsSince(time: string | undefined, nowMs: number): number | undefined {
  const ms = parseTimeMs(time);
  if (ms === undefined) return undefined;
  return Math.min(MOST_SECONDS, Math.max(-MOST_SECONDS, Math.trunc((nowMs - ms) / 1000)));
}

/** `49s ago`, cut to whole seconds, or `never`. */
export function timeSince(time: string | undefined, nowMs: number): string {
  const seconds = secondsSince(time, nowMs);
  return seconds === undefined ? 'never' : `${goDuration(BigInt(seconds) * 1_000_000_000n)} ago`;
}

/** An age as kubectl words it: `110s`, `5m`, `3h10m`, `2d`; `n/a` without a time. */
export function humanAge(time: string | undefined, nowMs: number): string {
  const seconds = secondsSince(time, nowMs);
  if (seconds === undefined) return 'n/a';
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return two(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`;
}

function two(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`;
}

/** Seconds of a duration that a Go program printed (`1m50.045668648s`), or of a number of nanoseconds; 0 for none. */
export function durationSeconds(value: string | number | undefined): number {
  if (typeof value === 'number') return value / 1e9;
  return (parseDurationMs(value ?? '') ?? 0) / 1000;
}
