import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';

/** Adds arguments, flags and the action to a command. Its name, aliases and description are there already, from the tree. */
export type AddCommand = (command: Command, ctx: Context) => void;

/** A verb: loaded only when the command line names it. */
export interface Verb {
  /** What it does, in the list of verbs. */
  about: string;
  /** The same at more length, for the verb's own help. */
  long?: string;
  aliases?: readonly string[];
  hidden?: boolean;
  /**
   * Whether only root may run it and what is below it, unless that says otherwise. A string is what the refusal calls
   * the command, where the reference uses more words than its path.
   */
  root?: boolean | string;
  /** It changes the agent, always or as it was called: of a cluster one agent is named, never all at once. */
  changes?: boolean | ((command: Command) => boolean);
  /** It prints what happens until it is stopped: of several agents, line by line as it comes. */
  streams?: boolean;
  /** It is about what happens while it runs, which no archive tells. */
  lives?: boolean;
  /** It may compute for long, and changes nothing: a signal ends it at once. */
  computes?: boolean;
  /** Who is asked: the API server of a cluster, or as the flags and the machine say one of the two. Default: an agent. */
  asks?: 'cluster' | 'either';
  /** It reads the kernel: of an agent of a cluster its own command line is run in its pod, with the same words. */
  inPod?: boolean;
  /** It answers from an archive by itself, where others print what the agent's own command line printed. */
  derives?: boolean;
  /** It reads this machine, and no agent's own command line has it or what is below it. */
  here?: boolean;
  /** Loads the verb's file. A noun that also runs by itself (`config`, `observe`) has `verbs` as well. */
  load?: () => Promise<AddCommand>;
  verbs?: Verbs;
  /** Flags shared by everything below this noun, instead of those above it that have the same title. */
  globals?: GlobalFlags | readonly GlobalFlags[];
  /** Title under which help lists it. */
  section?: string;
  /**
   * A program of its own that lives under this one, as `hubble` does: it takes none of the flags above it, and
   * its errors are printed without a word in front. False for a verb below one that is of the program around it again.
   */
  standalone?: boolean;
}

export type Verbs = Readonly<Record<string, Verb>>;

/** Flags that are accepted before and after the verbs of a family. */
export interface GlobalFlags {
  /** Fresh Option objects: commander keeps state in them. */
  options: () => Option[];
  /** Title of their section in help. */
  title: string;
}

/** Flags of both programs: how much they say, and how it is shown. */
export const TALK_FLAGS = (): Option[] => [
  new Option('-q, --quiet', 'Say nothing on stderr but errors: no progress, notes or hints'),
  new Option('--no-pager', 'Print long output at once instead of through the pager'),
];

/** Title of the flags that name an agent or a cluster. */
export const ELSEWHERE_TITLE = 'Cluster Flags:';

/** Where a command line leads in the tree. */
export interface Resolved {
  /** Of the tree that was looked through. */
  root: Verb;
  /** From the root down; empty when no word named a command. */
  path: { name: string; verb: Verb }[];
  /** The first word that names nothing at the place where a noun expected a verb. */
  unknown?: string;
  /** The same of a noun that also runs by itself, where it may be an argument. */
  rest?: string;
}

/** The flags that a noun shares with what is below it. */
export function globalsOf({ globals }: Verb): readonly GlobalFlags[] {
  return globals === undefined ? [] : [globals].flat();
}

function isLong(option: Option, word: string): boolean {
  return option.long === word || option.short === word;
}

/** Finds a child by name or alias. */
function childOf(verbs: Verbs, word: string): [string, Verb] | undefined {
  const own = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
  if (own) return [word, own];
  return Object.entries(verbs).find(([, verb]) => verb.aliases?.includes(word));
}

/** Walks the words of `argv`, stepping over global flags and their values, to the command they name. */
export function resolve(root: Verb, argv: readonly string[]): Resolved {
  const path: Resolved['path'] = [];
  let here = root;
  const globals = [...globalsOf(root)];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') break;
    if (word.startsWith('-')) {
      const flag = globals.flatMap(({ options }) => options()).find((option) => isLong(option, word));
      if (flag?.required) i++;
      continue;
    }
    const child = here.verbs && childOf(here.verbs, word);
    if (!child) {
      if (!here.verbs) return { root, path };
      return here.load ? { root, path, rest: word } : { root, path, unknown: word };
    }
    path.push({ name: child[0], verb: child[1] });
    here = child[1];
    if (here.standalone) globals.length = 0;
    globals.push(...globalsOf(here));
    if (!here.verbs) break;
  }
  return { root, path };
}

/**
 * `help observe` is `observe --help`, and `policy help import` is `policy import --help`; undefined when nobody asks for help
 * in this way.
 */
export function asksHelp(root: Verb, argv: readonly string[]): string[] | undefined {
  const at = argv.indexOf('help');
  if (at < 0) return undefined;
  const { path, unknown, rest } = resolve(root, argv.slice(0, at));
  const noun = path.at(-1)?.verb ?? root;
  // Elsewhere the word may be an argument, and behind a flag its value, as in `observe --where help`.
  if (!noun.verbs || unknown !== undefined || rest !== undefined) return undefined;
  const flag = argv[at - 1] ?? '';
  const globals = [root, ...path.map(({ verb }) => verb)].flatMap(globalsOf);
  const isSwitch = globals.some(({ options }) =>
    options().some((option) => !option.required && [option.long, option.short].includes(flag)),
  );
  if (flag.startsWith('-') && !isSwitch) return undefined;
  return [...argv.toSpliced(at, 1), '--help'];
}

/**
 * Registers the named command and the names of what is below it, for help. Only the files along the path are loaded.
 * Neighbours along the way are registered where a word may also be an argument, as in `config Debug=true`; elsewhere
 * `resolve` has already told which of them is meant, and they would only cost time.
 */
export async function build(
  program: Command,
  root: Verb,
  path: Resolved['path'],
  ctx: Context,
): Promise<Command> {
  let here = program;
  let verb = root;
  let needsRoot = verb.root;
  let isHere = false;
  const globals: GlobalFlags[] = [];
  const enter = (command: Command, entered: Verb) => {
    if (entered.standalone !== undefined) globals.length = 0;
    isHere ||= entered.here === true;
    if (entered.standalone === false) globals.push(...globalsOf(root));
    const own = globalsOf(entered);
    const titles = new Set(own.map(({ title }) => title));
    globals.splice(0, globals.length, ...globals.filter(({ title }) => !titles.has(title)), ...own);
    for (const flags of globals) {
      command.optionsGroup(flags.title);
      // What does not work here is not offered, but read, so that it can be said why.
      for (const option of flags.options())
        addGlobal(command, option.hideHelp(isHere && flags.title === ELSEWHERE_TITLE));
    }
  };
  enter(here, verb);
  for (const step of path) {
    if (verb.load) addStubs(here, verb, step.name);
    verb = step.verb;
    here = declare(here, step.name, verb);
    if (verb.long) here.description(verb.long);
    if (verb.load) (await verb.load())(here, ctx);
    else here.usage('[command]');
    needsRoot = verb.root ?? needsRoot;
    enter(here, verb);
  }
  if (needsRoot) {
    const called =
      typeof needsRoot === 'string' ? needsRoot : ['cilium', ...path.map((step) => step.name)].join(' ');
    here.hook('preAction', () => {
      // Elsewhere the API server says who may.
      if (!ctx.globals.elsewhere && !ctx.globals.archive) requireRoot(called, ctx.uid);
    });
  }
  addStubs(here, verb);
  if (verb.verbs && (!verb.load || verb.standalone))
    here.helpCommand('help [command]', 'Display help for command');
  return here;
}

/** Ends a verb that needs root and is run by somebody else, in the reference's words. */
export function requireRoot(command: string, uid: number | undefined): void {
  if (uid !== 0 && uid !== undefined)
    throw new UserError(`Please run "${command}" command(s) with root privileges.`);
}

function declare(parent: Command, name: string, verb: Verb): Command {
  const command = parent.command(name, { hidden: verb.hidden ?? false }).description(verb.about);
  if (verb.aliases) command.aliases(verb.aliases);
  if (verb.section) command.helpGroup(verb.section);
  return command;
}

/** A verb's own flag goes before a global one of its name; of one whose letter is taken the long form stays. */
function addGlobal(command: Command, option: Option): void {
  if (command.options.some(({ long }) => long === option.long)) {
    // An archive cannot be left out: where the word means something else it has a longer one.
    if (option.long === '--from')
      command.addOption(new Option('--from-archive <archive>', option.description));
    return;
  }
  if (option.short !== undefined && command.options.some(({ short }) => short === option.short)) {
    option.flags = option.flags.replace(/^-\w, /, '');
    delete option.short;
  }
  command.addOption(option);
}

function addStubs(command: Command, verb: Verb, except?: string): void {
  for (const [name, child] of Object.entries(verb.verbs ?? {})) {
    if (name !== except) declare(command, name, child);
  }
}
