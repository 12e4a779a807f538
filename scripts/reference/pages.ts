import { type Command, Help } from 'commander';
import { declareProgram } from '../../src/cli/help.ts';
import { build, globalsOf, type Resolved, type Verb } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';
import { contextOf } from '../../src/system.ts';

/** A term of help and what it means: a flag, an argument, a command. */
export interface Entry {
  term: string;
  text: string;
}

/** Flags under one title. */
export interface Group {
  title: string;
  /** They belong to the whole family, not to this command alone. */
  isShared: boolean;
  flags: Entry[];
}

/** What help says of one command. */
export interface Page {
  /** As it is called: `cilium`, `policy`, `import`. */
  words: string[];
  about: string;
  long: string;
  aliases: readonly string[];
  /** Behind the name: `[options] [path]`. */
  usage: string;
  arguments: Entry[];
  groups: Group[];
  commands: Entry[];
  examples: string[];
  /** What else help says at its end. */
  notes: string;
  /** It does something by itself, and is not only a noun. */
  runs: boolean;
  /** Only root may run it. */
  needsRoot: boolean;
}

/** Pages of all commands that help lists, in the order of their names. `cilium observe` is `hubble observe` and has none. */
export async function readPages(): Promise<Page[]> {
  const pages: Page[] = [];
  for (const path of paths(TREE)) {
    if (path[0]?.name !== 'observe') pages.push(await pageOf(path));
  }
  return pages.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** The command as one word, as a manual names it: `cilium-policy-import`. */
export function nameOf({ words }: Pick<Page, 'words'>): string {
  return words.join('-');
}

function* paths(verb: Verb, path: Resolved['path'] = []): Generator<Resolved['path']> {
  yield path;
  for (const [name, child] of Object.entries(verb.verbs ?? {}))
    if (!child.hidden) yield* paths(child, [...path, { name, verb: child }]);
}

async function pageOf(path: Resolved['path']): Promise<Page> {
  const command = await build(declareProgram(TREE.about, ''), TREE, path, noWorld());
  const helper = Object.assign(new Help(), command.configureHelp());
  const names = path.map(({ name }) => name);
  const words = names[0] === 'hubble' ? names : ['cilium', ...names];
  const verb = path.at(-1)?.verb ?? TREE;
  const usage = helper.commandUsage(command);
  const after = afterHelp(command).split(/(?:^|\n)Examples:\n/);
  return {
    words,
    about: verb.about,
    long: verb.long ?? verb.about,
    aliases: verb.aliases ?? [],
    // Usages name the command with its first alias.
    usage: usage.slice(usage.search(/ [[<]/) + 1),
    arguments: helper.visibleArguments(command).map((argument) => ({
      term: helper.argumentTerm(argument),
      text: helper.argumentDescription(argument),
    })),
    groups: groupsOf(command, helper, sharedTitles(path)),
    commands: helper
      .visibleCommands(command)
      .filter((one) => one.name() !== 'help')
      .map((one) => ({ term: one.name(), text: helper.subcommandDescription(one) })),
    examples: (after[1] ?? '')
      .split('\n')
      .map((line) => line.replace(/^ {2}/, ''))
      .filter((line) => line !== ''),
    notes: (after[0] ?? '').trim(),
    runs: verb.load !== undefined,
    needsRoot: Boolean(path.reduce<Verb['root']>((root, step) => step.verb.root ?? root, TREE.root)),
  };
}

function sharedTitles(path: Resolved['path']): Set<string> {
  return new Set(
    [TREE, ...path.map(({ verb }) => verb)].flatMap((verb) => globalsOf(verb).map(({ title }) => title)),
  );
}

function groupsOf(command: Command, helper: Help, shared: ReadonlySet<string>): Group[] {
  const groups = new Map<string, Entry[]>();
  for (const option of helper.visibleOptions(command)) {
    const title = option.helpGroupHeading ?? 'Options:';
    const flags = groups.get(title) ?? [];
    flags.push({ term: helper.optionTerm(option), text: helper.optionDescription(option) });
    groups.set(title, flags);
  }
  return [...groups].map(([title, flags]) => ({
    title: title.replace(/:$/, ''),
    isShared: shared.has(title),
    flags,
  }));
}

function afterHelp(command: Command): string {
  let text = '';
  // What is printed before the texts at its end is the help itself.
  command.configureHelp({ formatHelp: () => '' });
  command
    .configureOutput({
      writeOut: (part) => {
        text += part;
      },
    })
    .outputHelp();
  return text.trimStart();
}

/** A declaration may look at the world; of this one it sees nothing. */
function noWorld() {
  const nowhere = { write: async () => {}, isTTY: false, columns: undefined };
  return contextOf({
    out: nowhere,
    err: nowhere,
    in: { isTTY: false, prompt: undefined, async *[Symbol.asyncIterator]() {} },
    tty: undefined,
    env: {},
    cwd: '/',
    uid: 0,
    platform: 'linux',
    clock: { nowMs: () => 0, uptimeMs: () => 0, sleep: async () => {} },
    signal: new AbortController().signal,
    computing: (work) => work(),
  });
}
