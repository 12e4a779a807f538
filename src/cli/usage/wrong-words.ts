import { type Command, CommanderError } from 'commander';
import { ApiError } from '../../agent/client.ts';
import { NoTables } from '../../agent/statedb.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { parseGoUint } from '../../lib/go-integer.ts';
import { NEWEST_RELEASE, type Release, releaseOfPinsOf } from '../../model/release.ts';
import { readGlobals } from '../globals.ts';
import { buildOfAgent } from '../release.ts';
import { hasUsage, typeOfFlag, unknownNoun, usageOfVerb, type VerbUsage } from './usage.ts';

/** A command line that ended with an error, as far as it was understood. */
export interface WrongWords {
  /** The words of the verb. */
  path: readonly string[];
  /** The first word, when no command has that name. */
  unknown?: string | undefined;
  /** The last word. */
  last?: string | undefined;
  /** The verb; undefined when the words named none. */
  command?: Command | undefined;
  /** Whether the verb had begun: its flags were all right then. */
  acted: boolean;
  /** Whether a verb that a cluster and an agent have alike is about the cluster. */
  isClusterMeant: (flags: object, ctx: Context) => Promise<boolean>;
}

/**
 * Prints on stdout what the reference of the agent's release prints there when it is called wrongly: the usage of the verb,
 * or that there is no such command. Nothing for verbs that the reference does not have.
 */
export async function printAsReference(error: unknown, words: WrongWords, ctx: Context): Promise<void> {
  const told = await toldByReference(error, words, ctx);
  if (told !== undefined) await ctx.out.write(told);
}

async function toldByReference(
  error: unknown,
  { path, unknown, last, command, acted, isClusterMeant }: WrongWords,
  ctx: Context,
): Promise<string | undefined> {
  if (!(error instanceof UserError)) return undefined;
  if (!acted && command) await readGlobals(command, 'either', ctx).catch(() => {});
  const [noun = unknown] = path;
  const isNoCommand = path.length === 0 || isUnknownCall(error);
  if (isNoCommand) return noun === undefined ? undefined : unknownNoun(noun, await releaseFor(ctx, noun));
  if (!command || unknown !== undefined || !(error instanceof UsageError) || !hasUsage(path))
    return undefined;
  // The tool of the agent has nothing to say of a cluster.
  const isEither = command.options.some(({ long }) => long === '--cluster');
  if (isEither && (await isClusterMeant(command.opts(), ctx).catch(() => false))) return undefined;
  const flags = acted ? error.flagsError : flagsError(error, path, last);
  if (flags === undefined && isTooMany(error)) return undefined;
  const verb = usageOfVerb(command, path, await releaseFor(ctx, noun));
  if (!verb || isOwnFlag(flags ?? '', verb)) return undefined;
  return flags === undefined ? `${verb.about}\n\n${verb.usage}` : `${verb.usage}\n${flags}\n`;
}

/** Whether the agent has no such call: the reference of its release may not know the verb at all. */
function isUnknownCall(error: unknown): boolean {
  if (error instanceof NoTables || (error instanceof ApiError && error.isUnknownPath)) return true;
  return error instanceof Error && error.cause !== undefined && isUnknownCall(error.cause);
}

/** Nouns that agents called 1.13.90 do not have yet, and the maps, which differ too. */
const EARLY_NOUNS: readonly (string | undefined)[] = ['bpf', 'bgp', 'cgroups', 'envoy', 'nodeid', 'statedb'];

/** The release whose words are meant. */
async function releaseFor(ctx: Context, noun: string | undefined): Promise<Release> {
  if (ctx.globals.agentRelease !== undefined) return ctx.globals.agentRelease;
  const build = await buildOfAgent(ctx).catch(() => undefined);
  if (!build) return NEWEST_RELEASE;
  return EARLY_NOUNS.includes(noun) ? releaseOfPinsOf(build) : build.release;
}

/** More arguments than a verb takes are no fault for the reference. */
function isTooMany({ cause }: UsageError): boolean {
  return cause instanceof CommanderError && cause.code === 'commander.excessArguments';
}

const INVALID = /^invalid argument "(.*)" for "((?:-., )?--([\w-]+))" flag: /s;

/** Whether a flag has a wrong value that only this program has: the reference says nothing of it. */
function isOwnFlag(message: string, { usage }: VerbUsage): boolean {
  const flag = INVALID.exec(message)?.[3];
  return flag !== undefined && !usage.includes(` --${flag} `);
}

/** What Go's package for flags says of a flag; undefined when an argument is wrong. */
function flagsError(
  { message, cause }: UsageError,
  path: readonly string[],
  last: string | undefined,
): string | undefined {
  if (!(cause instanceof CommanderError)) return inGoWords(message, path);
  const flag = /'(-[^']*)'/.exec(message)?.[1] ?? '';
  switch (cause.code) {
    case 'commander.unknownOption':
      return flag.startsWith('--')
        ? `unknown flag: ${flag.replace(/=.*/s, '')}`
        : `unknown shorthand flag: '${flag[1]}' in ${flag}`;
    case 'commander.optionMissingArgument': {
      const long = /--[\w-]+/.exec(flag)?.[0] ?? flag;
      const letter = /^-[^-]*([^-])$/s.exec(last ?? '')?.[1];
      return `flag needs an argument: ${letter ? `'${letter}' in -${letter}` : long}`;
    }
    case 'commander.invalidArgument':
      return message.replace(
        /^option '([^']*)' argument '(.*)' is invalid\. /s,
        (_, names: string, value: string) =>
          `invalid argument "${value}" for "${names.replace(/ <.*/, '')}" flag: `,
      );
    default:
      return undefined;
  }
}

/** The same of a value that does not fit its flag, with the reason that Go gives for its type. */
function inGoWords(message: string, path: readonly string[]): string {
  const [start, value = '', names, long = ''] = INVALID.exec(message) ?? [];
  const type = start === undefined ? undefined : typeOfFlag(path, long);
  const why = type === undefined ? undefined : goReason(type, value);
  return why === undefined ? message : `invalid argument "${value}" for "${names}" flag: ${why}`;
}

/** Why Go takes a text, which is quoted already, for no value of a type; undefined for types that take any. */
function goReason(type: string, value: string): string | undefined {
  const syntax = (name: string) => `strconv.Parse${name}: parsing "${value}": invalid syntax`;
  const range = (name: string) => `strconv.Parse${name}: parsing "${value}": value out of range`;
  if (type === '') return syntax('Bool');
  if (/^uint/.test(type)) return (parseGoUint(value) === undefined ? syntax : range)('Uint');
  if (type === 'int') return (parseGoUint(value.replace(/^[+-]/, '')) === undefined ? syntax : range)('Int');
  return type === 'duration' ? durationReason(value) : undefined;
}

const DURATION =
  /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|[smh]))*(?:\d+\.?\d*|\.\d+)([^\d.]*)/;

function durationReason(value: string): string {
  const unit = DURATION.exec(value)?.[1];
  if (unit === undefined) return `time: invalid duration "${value}"`;
  const what = unit === '' ? 'missing unit' : `unknown unit "${unit}"`;
  return `time: ${what} in duration "${value}"`;
}
