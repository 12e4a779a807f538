import type { Command, Option } from 'commander';
import { editDistance } from '../../lib/nearest.ts';
import { atLeast, compareReleases, type Release } from '../../model/release.ts';
import { goUsage, type UsageFlag } from '../../render/text/go-usage.ts';
import {
  type Dated,
  GLOBAL_FLAGS,
  NOUNS,
  type ReferenceFlag,
  type ReferenceVerb,
  VERBS,
} from './reference.ts';

/** What the reference prints of a verb: the words that head its help, and its usage. */
export interface VerbUsage {
  about: string;
  usage: string;
}

/** What the reference of a release prints of a verb; undefined for a verb that it does not have. */
export function usageOfVerb(
  command: Command,
  path: readonly string[],
  release: Release,
): VerbUsage | undefined {
  const verb = hasUsage(path) ? VERBS[path.join(' ')] : undefined;
  if (!verb || !isIn(verb, release)) return undefined;
  const program = programName(release);
  const examples = verb.examples && dated(verb.examples, release).replaceAll('{name}', program);
  const args = verb.args === undefined ? '' : dated(verb.args, release);
  const usage = goUsage({
    line: [program, ...path, ...(args === '' ? [] : [args]), '[flags]'].join(' '),
    aliases: verb.aliases ?? ownAliases(command),
    examples,
    flags: verbFlags(command, verb, release),
    globals: Object.entries(GLOBAL_FLAGS)
      .filter(([, flag]) => isIn(flag, release))
      .map(([long, flag]) => usageFlag(long, flag, optionOf(command, long), release)),
  });
  return { about: verb.about === undefined ? command.description() : dated(verb.about, release), usage };
}

/** Whether the reference of some release has the verb. */
export function hasUsage(path: readonly string[]): boolean {
  return Object.hasOwn(VERBS, path.join(' '));
}

/** The long names of a verb's flags in any release of the reference; undefined where its flags are not known. */
export function flagsOfVerb(path: readonly string[]): ReadonlySet<string> | undefined {
  const verb = hasUsage(path) ? VERBS[path.join(' ')] : undefined;
  return verb && new Set(Object.keys(verb.flags ?? {}));
}

/** The type of a flag's value, as the reference names it, empty for a switch; undefined for a flag that it does not have. */
export function typeOfFlag(path: readonly string[], long: string): string | undefined {
  const own = hasUsage(path) ? VERBS[path.join(' ')]?.flags?.[long] : undefined;
  const flag = own ?? GLOBAL_FLAGS[long];
  return typeof flag === 'string' ? flag : flag && (flag.type ?? '');
}

/** What the reference of a release calls itself. */
export function programName(release: Release): string {
  return atLeast(release, '1.15') ? 'cilium-dbg' : 'cilium';
}

/** What the reference of a release prints of a first word that it does not know; undefined for one that it knows. */
export function unknownNoun(word: string, release: Release): string | undefined {
  const nouns = Object.keys(NOUNS).filter((noun) => isIn(NOUNS[noun] ?? {}, release));
  if (nouns.includes(word)) return undefined;
  const near = nouns.filter((noun) => isNear(word, noun));
  const meant = near.map((noun) => `\t${noun}\n`).join('');
  return `unknown command "${word}" for "${programName(release)}"\n${near.length > 0 ? `\nDid you mean this?\n${meant}\n` : ''}`;
}

function verbFlags(command: Command, verb: ReferenceVerb, release: Release): UsageFlag[] {
  const own = Object.entries(verb.flags ?? {})
    .map(([long, flag]): [string, ReferenceFlag] => [long, typeof flag === 'string' ? { type: flag } : flag])
    .filter(([, flag]) => isIn(flag, release))
    .map(([long, flag]) => usageFlag(long, flag, optionOf(command, long), release));
  return [...own, { short: 'h', long: 'help', type: '', text: `help for ${command.name()}` }];
}

function usageFlag(
  long: string,
  { type = '', text }: ReferenceFlag,
  option: Option | undefined,
  release: Release,
): UsageFlag {
  const said = text === undefined ? `${option?.description ?? ''}${defaultOf(option)}` : dated(text, release);
  return { short: option?.short?.slice(1), long, type, text: said };
}

/** Go shows the default of a number that is not zero. */
function defaultOf(option: Option | undefined): string {
  const value: unknown = option?.defaultValue;
  return typeof value === 'number' && value !== 0 ? ` (default ${value})` : '';
}

/** The option of a command or of a family above it. */
function optionOf(command: Command | null, long: string): Option | undefined {
  if (!command) return undefined;
  return command.options.find((option) => option.long === `--${long}`) ?? optionOf(command.parent, long);
}

function ownAliases(command: Command): string | undefined {
  const aliases = command.aliases();
  return aliases.length > 0 ? [command.name(), ...aliases].join(', ') : undefined;
}

function isIn({ since, until }: { since?: Release; until?: Release }, release: Release): boolean {
  return (
    (since === undefined || atLeast(release, since)) && (until === undefined || !atLeast(release, until))
  );
}

function dated(value: Dated<string>, release: Release): string {
  if (typeof value === 'string') return value;
  const firsts = (Object.keys(value) as Release[]).toSorted(compareReleases);
  const first = firsts.findLast((known) => atLeast(release, known)) ?? firsts[0];
  return (first && value[first]) ?? '';
}

/** Names that cobra offers instead of a word: two letters away at most, or longer ones that begin with it. */
function isNear(word: string, name: string): boolean {
  return editDistance(word.toLowerCase(), name) <= 2 || name.startsWith(word.toLowerCase());
}
