import { parseJson } from '../lib/exact-json.ts';
import { isRecord } from '../lib/record.ts';
import { LOG_LEVELS, type LogLevel, type LogLine } from '../model/log-line.ts';

const LEVEL_NAMES: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  information: 'info',
  notice: 'info',
  warn: 'warn',
  warning: 'warn',
  err: 'error',
  error: 'error',
  dpanic: 'fatal',
  fatal: 'fatal',
  panic: 'fatal',
  critical: 'fatal',
  i: 'info',
  w: 'warn',
  e: 'error',
  f: 'fatal',
};

/** The level that a word names; slog writes one between two as `INFO+2`. */
export function logLevelOf(word: string): LogLevel | undefined {
  const name = word.toLowerCase().replace(/[+-]\d+$/, '');
  return Object.hasOwn(LEVEL_NAMES, name) ? LEVEL_NAMES[name] : undefined;
}

/** What a program of Go writes when it dies: it begins without a level and matters most. */
const LAST_WORDS = /^(?:panic:|fatal error:|runtime: |goroutine \d+ \[|SIG[A-Z]+: |unexpected fault address)/;

/** Reads a line as the agent, the operator, the relay (logrus, slog, klog) and Envoy write it. */
export function parseLogLine(text: string): LogLine {
  return (
    parseJsonLine(text) ??
    parseLogfmt(text) ??
    parseEnvoy(text) ??
    parseKlog(text) ?? {
      message: text,
      fields: [],
      form: 'plain',
      ...(LAST_WORDS.test(text) && { level: 'fatal' }),
    }
  );
}

function parseJsonLine(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value = parseJson(text);
    return isRecord(value) ? lineOf(Object.entries(value), 'json') : undefined;
  } catch {
    return undefined;
  }
}

/** Names under which the parts of a line stand, the first before the others. The time is that of the container's runtime. */
const PARTS = {
  message: ['msg', 'message'],
  level: ['level', 'severity'],
  time: ['time', 'ts', 'timestamp'],
  subsystem: ['subsys', 'module', 'logger'],
};
type Part = keyof typeof PARTS;
const RANKS = new Map(
  Object.entries(PARTS).flatMap(([part, names]) =>
    names.map((name, rank): [string, { part: Part; rank: number }] => [name, { part: part as Part, rank }]),
  ),
);

function lineOf(entries: readonly [string, unknown][], form: 'json' | 'logfmt'): LogLine {
  const found: Partial<Record<Part, { at: number; rank: number; text: string }>> = {};
  entries.forEach(([key, text], at) => {
    const known = RANKS.get(key);
    if (!known || typeof text !== 'string') return;
    const { part, rank } = known;
    if (rank < (found[part]?.rank ?? Number.POSITIVE_INFINITY)) found[part] = { at, rank, text };
  });
  const { message, level: word, time, subsystem } = found;
  const level = word && logLevelOf(word.text);
  // A level that is not known stays among the rest.
  const taken = [message?.at, level && word.at, time?.at, subsystem?.at];
  return {
    ...(level && { level }),
    ...(subsystem && { subsystem: subsystem.text }),
    message: message?.text ?? '',
    fields: entries.filter((_, at) => !taken.includes(at)),
    form,
  };
}

/** `key=value key="quoted value"`, as logrus and slog write text. */
function parseLogfmt(text: string): LogLine | undefined {
  if (!/^(?:time|ts|level|msg)=/.test(text)) return undefined;
  const pair = /\s*([^\s="]+)=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s"]*))(?=\s|$)/y;
  const entries: [string, unknown][] = [];
  let end = 0;
  for (let match = pair.exec(text); match; match = pair.exec(text)) {
    const [, key = '', quoted, bare = ''] = match;
    entries.push([key, quoted === undefined ? bare : unquoted(quoted)]);
    end = pair.lastIndex;
  }
  const rest = text.slice(end).trim();
  if (rest !== '') entries.push(['', rest]);
  const isLog = entries.some(([key]) => PARTS.message.includes(key) || PARTS.level.includes(key));
  return isLog ? lineOf(entries, 'logfmt') : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** What Go's strconv.Quote made. */
function unquoted(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/gi,
    (whole, x: string, u: string, long: string, c: string) => {
      if (c !== undefined) return ESCAPES[c] ?? c;
      const code = Number.parseInt(x ?? u ?? long, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** `[2026-11-28 22:46:10.123][12][info][main] [file:line] message` */
function parseEnvoy(text: string): LogLine | undefined {
  const match =
    /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,\d]*\]\[(\d+)\]\[(\w+)\]\[([^\]]+)\] (?:\[([^\]]*:\d+)\] )?(.*)$/s.exec(
      text,
    );
  const level = match && logLevelOf(match[2] ?? '');
  if (!level) return undefined;
  const [, thread = '', , subsystem = '', source, message = ''] = match;
  const fields: LogLine['fields'] = [
    ['thread', thread],
    ...(source ? [['source', source] as [string, string]] : []),
  ];
  return { level, subsystem, message, fields, form: 'envoy' };
}

/** `I1128 22:46:10.123456       1 file.go:123] message` */
function parseKlog(text: string): LogLine | undefined {
  const match = /^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ ([^\]\s]+:\d+)\] (.*)$/s.exec(text);
  if (!match) return undefined;
  const [, letter = '', source = '', message = ''] = match;
  const level = logLevelOf(letter);
  return { ...(level && { level }), message, fields: [['source', source]], form: 'klog' };
}

/** Which lines are wanted. */
export interface LogFilter {
  /** The least level. */
  level?: LogLevel | undefined;
  subsystems: readonly string[];
  /** Says of the text of a line whether it is meant. */
  matches?: ((text: string) => boolean) | undefined;
}

/** Decides about the lines of one log, in their order: lines without a level belong to the one before them. */
export class LogSieve {
  #follows = true;

  constructor(private readonly filter: LogFilter) {}

  /** Whether a line is wanted. */
  passes(line: LogLine, text: string): boolean {
    const isNext = line.form === 'plain' && line.level === undefined;
    if (!isNext) this.#follows = this.#isMeant(line);
    return this.#follows && (this.filter.matches?.(text) ?? true);
  }

  #isMeant({ level = 'info', subsystem, form }: LogLine): boolean {
    const { level: least = 'trace', subsystems } = this.filter;
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return false;
    // A program that dies says no subsystem, and is of interest to all of them.
    if (subsystems.length === 0 || form === 'plain') return true;
    return subsystem !== undefined && subsystems.some((name) => isPartOf(subsystem, name));
  }
}

/** Whether a subsystem is the one that is named, or a module (`agent.controlplane.daemon`) has those parts in a row. */
function isPartOf(subsystem: string, name: string): boolean {
  return `.${subsystem}.`.includes(`.${name}.`);
}
