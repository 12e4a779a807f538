/** A point in time as protobuf counts it. */
export interface Timestamp {
  /** Since the epoch; may be negative. */
  seconds: number;
  /** 0 to 999,999,999, counted forwards from `seconds`. */
  nanos: number;
}

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what a protobuf timestamp may hold. */
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;

/** An hour of one digit and a comma are no RFC 3339, but Go takes them for it. */
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Parses RFC 3339, as protobuf's JSON form takes it; undefined when it is none. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const time = parseInstant(text);
  return time && inRange(time);
}

/** The same of any time, also one that no timestamp may hold. */
export function parseInstant(text: string): Timestamp | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] = match;
  const seconds = secondsOf(
    Number(year),
    Number(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  if (seconds === undefined) return undefined;
  if (Number(offsetHour ?? 0) > 24 || Number(offsetMinute ?? 0) > 60) return undefined;
  const offset = (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * (sign === '-' ? -60 : 60);
  return { seconds: seconds - offset, nanos: Number(fraction.padEnd(9, '0')) };
}

/** Seconds since the epoch of a date in UTC; undefined when the calendar has no such date. */
export function secondsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  // setUTCFullYear, because Date.UTC reads the years 0 to 99 as 1900 to 1999.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

/** The timestamp, when it lies in the years 1 to 9999. */
export function inRange(time: Timestamp): Timestamp | undefined {
  const { seconds, nanos } = time;
  return seconds >= MIN_SECONDS && seconds <= MAX_SECONDS && nanos >= 0 && nanos <= 999_999_999
    ? time
    : undefined;
}

let lastSecond = Number.NaN;
let lastPrefix = '';

/** `2006-01-02T15:04:05` of a second, UTC. */
export function secondText(seconds: number): string {
  // Flows come in runs of the same second.
  if (seconds !== lastSecond) {
    lastPrefix = new Date(seconds * 1000).toISOString().slice(0, 19);
    lastSecond = seconds;
  }
  return lastPrefix;
}

/** The JSON form: UTC, with no, 3, 6 or 9 digits of a second. The time must be `inRange`. */
export function formatTimestamp({ seconds, nanos }: Timestamp): string {
  const prefix = secondText(seconds);
  if (nanos === 0) return `${prefix}Z`;
  const digits = String(nanos).padStart(9, '0');
  if (nanos % 1000 !== 0) return `${prefix}.${digits}Z`;
  return `${prefix}.${nanos % 1_000_000 === 0 ? digits.slice(0, 3) : digits.slice(0, 6)}Z`;
}

/** Negative when `a` is earlier than `b`, 0 when they are the same. */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}
