import { Command, type Option } from 'commander';
import { normalize } from '../../cli/flags.ts';
import { readGlobals } from '../../cli/globals.ts';
import { build, resolve, type Verb } from '../../cli/tree.ts';
import type { Context } from '../../context.ts';
import { Deadline } from '../../lib/deadline.ts';
import { parseDurationMs } from '../../lib/duration.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { argumentPlace } from './argument-places.ts';
import { flagPlace } from './flag-places.ts';
import { formatsOf } from './formats.ts';
import { type Ask, type Candidate, inTime, type Place } from './place.ts';

/** A key press does not wait longer than this for an agent, a cluster or a server; `CILIUM_COMPLETION_WAIT` says how long. */
const PATIENCE_MS = 300;

/** What the shell shall do with the candidates: the numbers of cobra, which kubectl reads too. */
const DIRECTIVE = { filesToo: 0, noSpace: 2, noFiles: 4, filesOfKind: 8, folders: 16 } as const;

/** Declares the hidden verb that the completion scripts call: `__complete -- WORD… CURRENT`. */
export function addCompleteCommand(command: Command, tree: Verb, ctx: Context): void {
  command.argument('[words...]').action((words: string[]) => runComplete(words, tree, ctx));
}

/** What is printed: candidates, or for files of a kind how they end, and what the shell shall do. */
interface Answer {
  candidates: readonly Candidate[];
  directive: number;
}

const NOTHING: Answer = { candidates: [], directive: DIRECTIVE.noFiles };

/**
 * Prints a line per candidate, with a tab and what it means, and a last one such as `:4` that tells the shell what to do:
 * the sum of numbers, see docs/completion.md. Fails silently.
 */
export async function runComplete(words: readonly string[], tree: Verb, ctx: Context): Promise<void> {
  const { candidates, directive } = await answerTo(words.slice(0, -1), words.at(-1) ?? '', tree, ctx).catch(
    () => NOTHING,
  );
  const lines = candidates.map(({ value, meaning }) => `${value}\t${sanitizeCell(meaning)}\n`);
  await ctx.out.write(`${lines.join('')}:${directive}\n`);
}

async function answerTo(
  before: readonly string[],
  current: string,
  tree: Verb,
  ctx: Context,
): Promise<Answer> {
  const { path: steps, unknown } = resolve(tree, before);
  if (unknown !== undefined) return NOTHING;
  const path = steps.map(({ name }) => name);
  // What follows is the command line of something else.
  if (before.includes('--')) return { candidates: [], directive: DIRECTIVE.filesToo };
  if (path[0] === 'rbac' && path.length === 1 && !current.startsWith('-')) {
    const inner = before.slice(before.indexOf('rbac') + 1);
    if (!inner.some((word) => word.startsWith('-'))) return answerTo(inner, current, tree, ctx);
  }
  const again = (world: Context) =>
    build(new Command('cilium').exitOverride().enablePositionalOptions(), tree, steps, world);
  const command = await again(ctx);
  const options = flagsOf(command);
  const open = options.find((option) => option.required && isCalled(option, before.at(-1) ?? ''));
  const given = argumentsIn(command, options, open ? before.slice(0, -1) : before).slice(path.length);
  const verb = steps.at(-1)?.verb ?? tree;
  await takeFlags(command, path, verb, ctx);
  using deadline = new Deadline(
    parseDurationMs(ctx.env.CILIUM_COMPLETION_WAIT ?? '') ?? PATIENCE_MS,
    ctx.signal,
  );
  const ask: Ask = { ctx, command, again, path, given, current, deadline: deadline.signal };

  if (open) return await offer(placeOf(open, path), ask);
  const [, head, rest = ''] = /^(--[^=]+=|-\w=)(.*)$/s.exec(current) ?? [];
  if (head !== undefined) {
    const option = options.find((one) => isCalled(one, head.slice(0, -1)));
    if (!option) return NOTHING;
    const { candidates, directive } = await offer(placeOf(option, path), { ...ask, current: rest });
    const isFiles = (directive & (DIRECTIVE.filesOfKind | DIRECTIVE.folders)) !== 0;
    return {
      candidates: isFiles
        ? candidates
        : candidates.map(({ value, meaning }) => ({ value: `${head}${value}`, meaning })),
      directive,
    };
  }
  if (current.startsWith('-')) return answer(flags(options), current);
  const verbs = given.length === 0 ? verbsOf(verb) : [];
  if (verbs.length > 0 && !verb.load) return answer(verbs, current);
  const arguments_ = await offer(argumentPlace(ask), ask);
  if (verbs.length === 0) return arguments_;
  return answer([...verbs, ...arguments_.candidates], current);
}

function answer(candidates: readonly Candidate[], current: string): Answer {
  return {
    candidates: candidates.filter(({ value }) => value.startsWith(current)),
    directive: DIRECTIVE.noFiles,
  };
}

/** What is at a place: its values, or which files the shell shall look for. */
async function offer(place: Place, ask: Ask): Promise<Answer> {
  const { list, files, folders } = place;
  const cut = list ? ask.current.lastIndexOf(',') + 1 : 0;
  const head = ask.current.slice(0, cut);
  const chosen = new Set(head.split(','));
  const values = (await valuesAt(place, { ...ask, current: ask.current.slice(cut) }))
    .filter(({ value }) => !chosen.has(value))
    .map(({ value, meaning }) => ({ value: `${head}${value}`, meaning }));
  const found = answer(values, ask.current);
  if (folders) return { candidates: [], directive: DIRECTIVE.folders };
  if (files === undefined) {
    const isOpen = found.candidates.length === 1 && /[=/]$/.test(found.candidates[0]?.value ?? '');
    return { ...found, directive: DIRECTIVE.noFiles + (isOpen ? DIRECTIVE.noSpace : 0) };
  }
  if (found.candidates.length > 0 || files.length === 0) return { ...found, directive: DIRECTIVE.filesToo };
  return {
    candidates: files.map((value) => ({ value, meaning: '' })),
    directive: DIRECTIVE.filesOfKind,
  };
}

/**
 * Words that neither a shell nor this program reads as anything but themselves. bash expands what a completion puts on its
 * line, zsh looks for a program behind a `=`, PowerShell takes `@name` for a list, and a word that begins with `-` is a flag.
 */
const PLAIN_WORD = /^[\w./:][\w.:/@%+=,-]*$/;

/**
 * Without somebody who answers there are no candidates: completion never prints errors. Of what was named only plain words are
 * offered: `$(…)` in the name of a map must not run, and `--host=…` must not become a flag.
 */
async function valuesAt({ values }: Place, ask: Ask): Promise<readonly Candidate[]> {
  if (!values) return [];
  return (await inTime(values, ask)).filter(({ value }) => PLAIN_WORD.test(value));
}

/** Whom the line itself names is the one to ask. What is wrong on it is told when it is run. */
async function takeFlags(command: Command, path: readonly string[], verb: Verb, ctx: Context): Promise<void> {
  if (path[0] === 'hubble' || path[0] === 'observe') return;
  await readGlobals(command, verb.asks, ctx).catch(() => {});
}

/** Takes the flags that stand on the line, and returns its words without them. */
function argumentsIn(command: Command, options: readonly Option[], words: readonly string[]): string[] {
  try {
    const { operands, unknown } = command.parseOptions(normalize(words, options).argv);
    return [...operands, ...unknown.filter((word) => !word.startsWith('-'))];
  } catch {
    return words.filter((word) => !word.startsWith('-'));
  }
}

function flagsOf(command: Command): Option[] {
  const own = [...command.options];
  return command.parent ? [...own, ...flagsOf(command.parent)] : own;
}

function isCalled(option: Option, word: string): boolean {
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

/** What a flag takes. */
export function placeOf(option: Option, path: readonly string[]): Place {
  const { long = '', argChoices, flags: text } = option;
  if (argChoices) return { values: () => argChoices.map((value) => ({ value, meaning: '' })) };
  if (long === '--output' && /<formats?>$/.test(text)) return { values: () => formatsOf(option) };
  return flagPlace(path, long, /[<[](.*)[>\]]$/.exec(text)?.[1] ?? '');
}
