import { type Command, Option } from 'commander';
import { UsageError, UserError } from '../errors.ts';
import { parseDurationMs } from '../lib/duration.ts';
import { parseGoUint } from '../lib/go-integer.ts';
import { goQuote } from '../lib/go-quote.ts';

/** A flag that may be repeated or hold a comma-separated list; CSV quotes group (pflag's stringSlice). */
export function stringSlice(flags: string, description: string): Option {
  const option = new Option(flags, description).default([], '');
  return option.argParser((value: string, previous: string[] | undefined) => {
    const { fields, fault } = parseCsv(value);
    if (fault !== undefined) throw invalidArgument(option, value, fault);
    return [...(previous ?? []), ...fields];
  });
}

/** A flag that may be repeated; commas stay (pflag's stringArray). */
export function stringArray(flags: string, description: string): Option {
  return new Option(flags, description)
    .argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value])
    .default([], '');
}

/** One CSV record: commas separate, double quotes group, a doubled quote is a quote. */
export function splitCsv(value: string): string[] {
  return parseCsv(value).fields;
}

/** The fields, and what Go's reader finds wrong with the quotes, with the place in bytes; undefined when nothing is. */
function parseCsv(value: string): { fields: string[]; fault: string | undefined } {
  if (value === '') return { fields: [], fault: undefined };
  const fields: string[] = [];
  let [field, quoted, start] = ['', false, 0];
  let fault: string | undefined;
  const note = (at: number, why: string) => {
    fault ??= `parse error on line 1, column ${Buffer.byteLength(value.slice(0, at)) + 1}: ${why}`;
  };
  for (let i = 0; i < value.length; i++) {
    const [c = '', next] = [value[i], value[i + 1]];
    if (quoted && c === '"' && next === '"') field += value[++i];
    else if (quoted && c === '"') {
      quoted = false;
      if (next !== undefined && next !== ',') note(i, EXTRANEOUS);
    } else if (quoted) field += c;
    else if (c === '"') {
      quoted = true;
      if (i > start) note(i, 'bare " in non-quoted-field');
    } else if (c === ',') {
      fields.push(field);
      [field, start] = ['', i + 1];
    } else field += c;
  }
  fields.push(field);
  if (quoted) note(value.length, EXTRANEOUS);
  return { fields, fault };
}

const EXTRANEOUS = 'extraneous or missing " in quoted-field';

/** The error for a value that does not fit its flag, in the words of Go's package for flags. */
function invalidArgument(option: Option, value: string, why: string): UsageError {
  return new UsageError(`invalid argument ${goQuote(value)} for "${flagName(option)}" flag: ${why}`);
}

/** A whole number; `min` and `max` are inclusive. */
export function integer(
  flags: string,
  description: string,
  range: { min?: number; max?: number } = {},
): Option {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = range;
  const option = new Option(flags, description);
  return option.argParser((value: string) => {
    const size = parseGoUint(value.replace(/^[+-]/, ''));
    if (size === undefined) throw invalidArgument(option, value, 'expected a whole number');
    const n = value.startsWith('-') ? -Number(size) : Number(size);
    if (n < min || n > max) throw invalidArgument(option, value, `expected a number from ${min} to ${max}`);
    return n;
  });
}

/** The refresh interval of `--watch`: without a pause, who is asked would do nothing else. */
const MIN_INTERVAL_MS = 10;

/** The flag `--interval`. */
export function intervalOption(): Option {
  const option = durationOption('--interval <duration>', 'Refresh interval of --watch', MIN_INTERVAL_MS);
  return option.default(2000, '2s');
}

/** A Go duration (`1h30m`, `2.5s`, `100ms`); the option's value is in milliseconds. */
export function durationOption(flags: string, description: string, minMs = 0): Option {
  const option = new Option(flags, description);
  return option.argParser((value: string) => {
    const ms = parseDurationMs(value);
    if (ms === undefined)
      throw invalidArgument(option, value, 'expected a duration such as 30s, 5m or 1h30m');
    if (ms < minMs) throw new UserError(`${option.long} ${value} is too short: the shortest is ${minMs}ms`);
    return ms;
  });
}

/** `--watch=5s` or `-w 5s`, which is `--watch --interval 5s`: a duration never means anything else there. */
function watchInterval(
  argv: readonly string[],
  at: number,
  options: readonly Option[],
): { value: string; words: number } | undefined {
  const match = /^(?:--watch|-w)(?:=(.+))?$/.exec(argv[at] ?? '');
  if (!match) return undefined;
  const value = match[1];
  const isList = options.some(({ long, required, optional }) => long === '--watch' && !required && !optional);
  if (!isList || !options.some(({ long }) => long === '--interval')) return undefined;
  const given = value ?? argv[at + 1] ?? '';
  return /^[\d.]+(?:ns|us|ms|[smh])/.test(given)
    ? { value: given, words: value === undefined ? 2 : 1 }
    : undefined;
}

/** How the reference names a flag in errors: `-o, --output`. */
export function flagName(option: Option): string {
  return option.short && option.long
    ? `${option.short}, ${option.long}`
    : (option.long ?? option.short ?? '');
}

/** What a switch may be given as for yes. */
export const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/**
 * Rewrites what Go's flag package takes and commander does not: `--flag=false` for switches and `-o=value`.
 * Returns the words for commander and the switches that were turned off.
 */
export function normalize(
  argv: readonly string[],
  options: readonly Option[],
): { argv: string[]; off: Option[] } {
  const words: string[] = [];
  const off: Option[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') return { argv: [...words, ...argv.slice(i)], off };
    const interval = watchInterval(argv, i, options);
    if (interval) {
      words.push('--watch', '--interval', interval.value);
      i += interval.words - 1;
      continue;
    }
    const match = /^(--[^=]+|-[A-Za-z])=(.*)$/s.exec(word);
    const option = match && options.find((o) => o.long === match[1] || o.short === match[1]);
    if (!match || !option) {
      words.push(word);
      const takesNext = options.find((o) => o.required && (o.long === word || o.short === word));
      if (takesNext && i + 1 < argv.length) words.push(argv[++i] ?? '');
      continue;
    }
    const value = match[2] ?? '';
    if (option.required || option.optional) words.push(option.long ?? option.short ?? '', value);
    else if (TRUE.has(value)) words.push(option.long ?? '');
    else if (FALSE.has(value)) off.push(option);
    else throw invalidArgument(option, value, `strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`);
  }
  return { argv: words, off };
}

/** Lines for the end of a verb's help: `.addHelpText('after', examples('cilium status'))`. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** The only argument of a verb, or the usage error that says which one is missing. */
export function requiredArgument(command: Command, value: string | undefined, name: string): string {
  if (value) return value;
  const what = value === '' ? 'Empty' : 'Missing';
  throw new UsageError(`${what} ${name} argument`, {
    hint: `Run "cilium ${pathOf(command)} --help" for its arguments.`,
  });
}

function pathOf(command: Command): string {
  return command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** The value of a flag of the whole family, given behind the verb or before it; undefined when it was not given. */
export function familyFlag<T>(command: Command, name: string): T | undefined {
  for (let here: Command | null = command; here; here = here.parent)
    if (here.getOptionValueSource(name) === 'cli') return here.getOptionValue(name) as T;
  return undefined;
}
