import { Command, type Option } from 'commander';
import { build, resolve, type Verb } from '../../cli/tree.ts';
import type { Context } from '../../context.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { argumentCandidates, type Candidate, flagCandidates } from './candidates.ts';

/** Declares the hidden verb that the completion scripts call: `__complete -- WORD… CURRENT`. */
export function addCompleteCommand(command: Command, tree: Verb, ctx: Context): void {
  command.argument('[words...]').action((words: string[]) => runComplete(words, tree, ctx));
}

/** Prints a line per candidate: the word, a tab, what it means. Fails silently. */
export async function runComplete(words: readonly string[], tree: Verb, ctx: Context): Promise<void> {
  const current = words.at(-1) ?? '';
  const candidates = await candidatesFor(words.slice(0, -1), current, tree, ctx);
  const lines = candidates
    .filter(({ value }) => value.startsWith(current))
    .map(({ value, meaning }) => `${value}\t${sanitizeCell(meaning)}\n`);
  await ctx.out.write(lines.join(''));
}

async function candidatesFor(
  before: readonly string[],
  current: string,
  tree: Verb,
  ctx: Context,
): Promise<Candidate[]> {
  const { path, unknown } = resolve(tree, before);
  if (unknown !== undefined || before.includes('--')) return [];
  const program = new Command('cilium').exitOverride().enablePositionalOptions();
  const command = await build(program, tree, path, ctx);
  const options = flagsOf(command);
  takeHost(before, ctx);
  const names = path.map(({ name }) => name);

  const open = options.find((option) => option.required && matches(option, before.at(-1) ?? ''));
  if (open) return valuesOf(open, names, ctx);
  const inline = /^(--[^=]+)=/.exec(current);
  if (inline) {
    const option = options.find(({ long }) => long === inline[1]);
    const values = option ? await valuesOf(option, names, ctx) : [];
    return values.map(({ value, meaning }) => ({ value: `${inline[0]}${value}`, meaning }));
  }
  if (current.startsWith('-')) return flags(options);
  const here: Verb = path.at(-1)?.verb ?? tree;
  const atNoun = before.filter((word) => !word.startsWith('-')).at(-1) === names.at(-1) || names.length === 0;
  const verbs = atNoun ? verbsOf(here) : [];
  if (verbs.length > 0 && !here.load) return verbs;
  return [...verbs, ...(await argumentCandidates(names, ctx))];
}

function flagsOf(command: Command): Option[] {
  const own = [...command.options];
  return command.parent ? [...own, ...flagsOf(command.parent)] : own;
}

function matches(option: Option, word: string): boolean {
  return option.long === word || option.short === word;
}

function verbsOf({ verbs = {} }: Verb): Candidate[] {
  return Object.entries(verbs)
    .filter(([, verb]) => !verb.hidden)
    .map(([value, verb]) => ({ value, meaning: verb.about }));
}

function flags(options: readonly Option[]): Candidate[] {
  const seen = new Map<string, Candidate>();
  for (const { long, hidden, description } of options) {
    if (long && !hidden && !seen.has(long)) seen.set(long, { value: long, meaning: description });
  }
  return [...seen.values(), { value: '--help', meaning: 'display help for command' }];
}

async function valuesOf(option: Option, path: readonly string[], ctx: Context): Promise<Candidate[]> {
  const fixed = option.argChoices ?? (option.long === '--output' ? OUTPUTS : []);
  if (fixed.length > 0) return fixed.map((value) => ({ value, meaning: '' }));
  return flagCandidates(option.long ?? '', path, ctx);
}

const OUTPUTS = ['json', 'yaml', 'jsonpath='];

/** The agent that the line itself names is the one to ask. */
function takeHost(words: readonly string[], ctx: Context): void {
  words.forEach((word, i) => {
    const given =
      /^--host=(.*)$/.exec(word)?.[1] ?? (word === '-H' || word === '--host' ? words[i + 1] : undefined);
    if (given) ctx.globals.host = given;
  });
}
