import { UserError } from '../../../errors.ts';
import { parseDurationMs } from '../../../lib/duration.ts';
import { inRange, parseInstant, secondsOf, type Timestamp } from '../../../lib/timestamp.ts';

/** The flags that say which part of the record is meant. */
export interface SelectorFlags {
  all?: boolean;
  last?: bigint;
  first?: bigint;
  follow?: boolean;
  since?: string;
  until?: string;
}

/** What is asked of a server or a file. */
export interface Selection {
  /** 0 means no limit, or with `follow` none of the past. */
  number: bigint;
  /** The limit counts from the oldest. */
  first: boolean;
  follow: boolean;
  since?: Timestamp;
  until?: Timestamp;
}

/** What --all stands for. */
export const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
/** So many are shown when nothing says otherwise. */
const DEFAULT_LAST = 20n;

/** Refuses flags that contradict each other. */
function checkSelectors({ all, last, first, follow }: SelectorFlags): void {
  const both = (a: string, b: string) => new UserError(`cannot set both --${a} and --${b}`);
  const [hasFirst, hasLast] = [first !== undefined && first > 0n, last !== undefined && last > 0n];
  if (hasFirst && hasLast) throw both('first', 'last');
  if (hasFirst && all) throw both('first', 'all');
  if (hasFirst && follow) throw both('first', 'follow');
  if (hasLast && all) throw both('last', 'all');
}

/** Works out the request for flows. A file has no default limit. */
export function selectFlows(flags: SelectorFlags, nowMs: number, fromFile: boolean): Selection {
  checkSelectors(flags);
  const { all = false, last = 0n, first = 0n, follow = false } = flags;
  const selection: Selection = { ...timesOf(flags, nowMs), number: last, first: false, follow };
  if (first > 0n) return { ...selection, number: first, first: true };
  if (selection.since || selection.until) return selection;
  if (all) selection.number = MAX_UINT64;
  else if (last === 0n && !follow && !fromFile) selection.number = DEFAULT_LAST;
  return selection;
}

/** Works out the request for events: the last 20 even with --follow, and --first has no meaning. */
export function selectEvents(flags: SelectorFlags, nowMs: number): Selection {
  const { all = false, last = 0n, follow = false } = flags;
  const selection: Selection = { ...timesOf(flags, nowMs), number: last, first: false, follow };
  if (selection.since || selection.until) return selection;
  if (all) selection.number = MAX_UINT64;
  else if (last === 0n) selection.number = DEFAULT_LAST;
  return selection;
}

function timesOf({ since, until, follow }: SelectorFlags, nowMs: number): Pick<Selection, 'since' | 'until'> {
  const times: Pick<Selection, 'since' | 'until'> = {};
  if (since) times.since = parsePoint(since, 'since', nowMs);
  if (until && !follow) times.until = parsePoint(until, 'until', nowMs);
  return times;
}

function parsePoint(text: string, flag: 'since' | 'until', nowMs: number): Timestamp {
  const time = parseRelative(text, nowMs) ?? parseAbsolute(text);
  if (time === undefined)
    throw new UserError(`failed to parse the ${flag} time: failed to convert ${text} to time`, {
      hint: 'Expected a duration (5m, 1h30m) or a time such as 2026-01-31, 2026-01-31T15:04Z or 2026-01-31T15:04:05Z.',
    });
  if (!inRange(time)) {
    const value = `seconds:${time.seconds}${time.nanos === 0 ? '' : ` nanos:${time.nanos}`}`;
    const why = time.seconds < 0 ? 'before 0001-01-01' : 'after 9999-12-31';
    throw new UserError(
      `failed to convert \`${flag}\` timestamp to proto: proto: timestamp (${value}) ${why}`,
    );
  }
  return time;
}

function parseRelative(text: string, nowMs: number): Timestamp | undefined {
  const ms = parseDurationMs(text);
  if (ms === undefined) return undefined;
  const at = nowMs - ms;
  const seconds = Math.floor(at / 1000);
  return { seconds, nanos: Math.round((at - seconds * 1000) * 1e6) };
}

function parseAbsolute(text: string): Timestamp | undefined {
  const date = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  const short = /^(\d{4}-\d\d-\d\dT\d\d?)(:\d\d)?(Z|[+-]\d\d:\d\d)$/.exec(date);
  return parseInstant(short ? `${short[1]}${short[2] ?? ':00'}:00${short[3]}` : date) ?? parseRfc1123(text);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function parseRfc1123(text: string): Timestamp | undefined {
  const match =
    /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (\w{3}) (\d{4}) (\d\d?):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)? ([+-])(\d\d)(\d\d)$/i.exec(
      text,
    );
  if (!match) return undefined;
  const [day, year, hour, minute, second] = [1, 3, 4, 5, 6].map((i) => Number(match[i]));
  const month = MONTHS.findIndex((name) => name.toLowerCase() === match[2]?.toLowerCase()) + 1;
  const seconds = secondsOf(year ?? 0, month, day ?? 0, hour ?? 0, minute ?? 0, second ?? 0);
  if (seconds === undefined || month === 0) return undefined;
  if (Number(match[9]) > 24 || Number(match[10]) > 60) return undefined;
  const offset = (Number(match[9]) * 60 + Number(match[10])) * (match[8] === '-' ? -60 : 60);
  return { seconds: seconds - offset, nanos: Number((match[7] ?? '').padEnd(9, '0')) };
}
