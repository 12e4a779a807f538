import { type Command, CommanderError, type Option } from 'commander';
import { refuseOfArchive } from './cli/archive.ts';
import { helpAsCalled, hintAsCalled, isPlugin } from './cli/called-as.ts';
import { RunEverywhere, RunInPod } from './cli/everywhere.ts';
import { normalize } from './cli/flags.ts';
import { AGENT_GLOBALS } from './cli/global-flags.ts';
import { readGlobals } from './cli/globals.ts';
import { declareProgram } from './cli/help.ts';
import type { PagedOutput } from './cli/pager.ts';
import { asksHelp, build, type Resolved, resolve, type Verb } from './cli/tree.ts';
import type { WrongWords } from './cli/usage/wrong-words.ts';
import { HUBBLE } from './commands/hubble/index.ts';
import type { Context } from './context.ts';
import { causesOf, errorMessage, SilentExit, Stopped, UsageError, UserError } from './errors.ts';
import { nearest } from './lib/nearest.ts';
import { VERSION } from './version.ts';

/** Runs one command line and returns its exit code. Nothing is thrown: every error is printed here, once. */
export async function main(argv: readonly string[], ctx: Context): Promise<number> {
  const tree = await treeOf(argv);
  const asked = asksHelp(tree, argv);
  const words = asked ?? argv;
  const found = resolve(tree, words);
  const progress: Progress = { acted: false, last: words.at(-1) };
  const isWithin = ctx.globals.archive !== undefined;
  try {
    if (asked && (await isTopic(found, words, ctx))) return 0;
    if (asked && found.rest !== undefined) found.unknown = found.rest;
    return await answer(argv, words, found, progress, ctx);
  } finally {
    if (ctx.globals.archive && !isWithin) {
      const { closeArchive } = await import('./cli/archive.ts');
      await closeArchive(ctx).catch(() => {});
    }
  }
}

/** Of `hubble` it is hubble's alone: two hundred other verbs would cost its start a millisecond. */
async function treeOf(words: readonly string[]): Promise<Verb> {
  if (words[0] === 'hubble') return { about: '', globals: AGENT_GLOBALS, verbs: { hubble: HUBBLE } };
  return (await import('./commands/index.ts')).TREE;
}

/** `help exit-codes`, of both programs: what is no command. */
async function isTopic(
  { path, unknown, rest }: Resolved,
  words: readonly string[],
  ctx: Context,
): Promise<boolean> {
  const word = unknown ?? rest;
  if (word === undefined || path.length > 1) return false;
  const { printTopic } = await import('./cli/topics.ts');
  let isOne = false;
  await throughPager(words, ctx, async (within) => {
    isOne = await printTopic(word, within);
  });
  return isOne;
}

async function answer(
  argv: readonly string[],
  words: readonly string[],
  found: Resolved,
  progress: Progress,
  ctx: Context,
): Promise<number> {
  try {
    await paged(words, found, progress, ctx);
    return ctx.exitCode;
  } catch (error) {
    if (error instanceof RunEverywhere) return everywhere(argv, error, found, progress.command, ctx);
    const instead = error instanceof RunInPod ? error : withoutRelay(error, found, ctx);
    if (instead) return inPod(words, instead, found, progress, ctx);
    return await report(error, found, progress, ctx).catch(() => 1);
  }
}

/** `--where help` lists what the flag takes; to other flags the word is a value. */
function asksForHelp(word: string, i: number, words: readonly string[]): boolean {
  const before = words[i - 1] ?? '';
  if (word === 'help') return before === '--where' || !before.startsWith('-');
  return ['--help', '-h', '--where=help'].includes(word);
}

/** Help and lists that are longer than the terminal is high are shown by its pager. */
async function paged(
  words: readonly string[],
  found: Resolved,
  progress: Progress,
  ctx: Context,
): Promise<void> {
  const isHelp = words.some(asksForHelp);
  const isLong =
    isHelp || found.path.at(-1)?.verb.load === undefined || found.path.some(({ name }) => name === 'list');
  if (!isLong) return run(words, found, progress, ctx);
  await throughPager(words, ctx, (within, out) => {
    if (out) progress.out = out;
    return run(words, found, progress, within);
  });
}

/** Does work whose output the user's pager shows, where there is one and it is long. */
async function throughPager(
  words: readonly string[],
  ctx: Context,
  work: (ctx: Context, out?: PagedOutput) => Promise<void>,
): Promise<void> {
  if (!ctx.out.isTTY || words.includes('--no-pager')) return work(ctx);
  const { PagedOutput, pagerOf } = await import('./cli/pager.ts');
  const command = pagerOf(ctx);
  if (command === undefined) return work(ctx);
  const out = new PagedOutput(ctx.out, ctx, command);
  const within: Context = { ...ctx, out };
  try {
    await work(within, out);
  } finally {
    await out.end();
    ctx.exitCode = within.exitCode;
  }
}

/** Runs the command line for each agent of a cluster. */
async function everywhere(
  argv: readonly string[],
  asked: RunEverywhere,
  found: Resolved,
  command: Command | undefined,
  ctx: Context,
): Promise<number> {
  try {
    const { runEverywhere } = await import('./cli/fan-out.ts');
    const verb = found.path.at(-1)?.verb;
    const { changes } = verb ?? {};
    if (typeof changes === 'function' ? !command || changes(command) : changes)
      throw new UserError(
        '--all-nodes and --limit-nodes are for verbs that read: this one changes the agent',
        {
          hint: 'Name one agent at a time: --node NAME.',
        },
      );
    const isOfJson = command?.getOptionValue('output') === 'json';
    const { streams = verb?.streams === true, namesNode = false, isJson = isOfJson } = asked.printing;
    return await runEverywhere(argv, asked.everywhere, { streams, namesNode, isJson }, main, ctx);
  } catch (error) {
    return await report(error, found, { acted: true }, ctx).catch(() => 1);
  }
}

/** What is done where the relay to an agent's socket cannot run in its pod, since there is no perl. */
function withoutRelay(error: unknown, found: Resolved, { globals }: Context): RunInPod | undefined {
  const { elsewhere, archive } = globals;
  if (elsewhere?.transport !== 'auto' || isStandalone(found)) return undefined;
  if (archive) {
    const isMissing = causesOf(error).some(({ name }) => name === 'NotCollected');
    return isMissing ? new RunInPod(elsewhere, error) : undefined;
  }
  const hasNoPerl = causesOf(error).some(
    ({ name, message }) => name === 'ExecNotStarted' && /\bperl\b/.test(message),
  );
  return hasNoPerl ? new RunInPod(elsewhere) : undefined;
}

/** Runs the command line by the agent's own program. */
async function inPod(
  words: readonly string[],
  { elsewhere, instead }: RunInPod,
  found: Resolved,
  progress: Progress,
  ctx: Context,
): Promise<number> {
  try {
    const { runInPod } = await import('./cli/kube/in-pod.ts');
    await runInPod(words, found.path, progress.command, elsewhere, ctx);
    return ctx.exitCode;
  } catch (error) {
    return await report(instead ?? error, found, progress, ctx).catch(() => 1);
  }
}

/** How far a command line came. */
type Progress = Pick<WrongWords, 'command' | 'acted' | 'last'> & {
  /** Where stdout is held back for the pager. */
  out?: PagedOutput;
};

async function run(
  words: readonly string[],
  found: Resolved,
  progress: Progress,
  ctx: Context,
): Promise<void> {
  const program = declareProgram(found.root.about, VERSION).exitOverride().showSuggestionAfterError(true);
  const pending: Promise<void>[] = [];
  program.configureOutput({
    writeOut: (text) => void pending.push(ctx.out.write(helpAsCalled(text, ctx))),
    writeErr: () => {},
    getOutHelpWidth: () => ctx.out.columns ?? 100,
    getOutHasColors: () => false,
  });
  try {
    const command = await build(program, found.root, found.path, ctx);
    progress.command = command;
    if (found.unknown !== undefined) throw unknownCommand(found, found.unknown);
    if (!isStandalone(found)) {
      const asks = found.path.at(-1)?.verb.asks;
      program.hook('preAction', async (_, action) => {
        await readGlobals(action, asks, ctx);
        if (ctx.globals.archive) refuseOfArchive(found, action, ctx);
      });
      program.hook('preAction', async () => {
        const { elsewhere, archive } = ctx.globals;
        const isInPod = elsewhere?.transport === 'cli' || found.path.some(({ verb }) => verb.inPod);
        if (!isInPod || (archive && found.path.at(-1)?.verb.derives)) return;
        if (elsewhere) throw new RunInPod(elsewhere);
        if (!archive) return;
        const { soleNode } = await import('./cli/kube/replay.ts');
        throw new RunInPod({ target: { node: await soleNode(ctx) } });
      });
    }
    program.hook('preAction', async (_, action) => {
      progress.acted = true;
      ctx.globals.quiet = ancestors(action).some((one) => one.getOptionValue('quiet') === true);
      if (action.getOptionValue('watch')) await progress.out?.plain();
    });
    const { argv: normal, off } = normalize(
      words,
      ancestors(command).flatMap((c) => [...c.options]),
    );
    turnOff(command, off);
    const runs = found.path.at(-1)?.verb.load !== undefined;
    const asked = normal.includes('--help') || normal.includes('-h');
    if (!runs && !asked) refuseUnknownFlag(command, normal, found);
    const act = () => program.parseAsync(runs || asked ? normal : [...normal, '--help'], { from: 'user' });
    await (found.path.some(({ verb }) => verb.computes) ? ctx.computing(act) : act());
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error, found);
  } finally {
    await Promise.all(pending);
  }
}

function isStandalone(found: Resolved): boolean {
  return found.path.findLast(({ verb }) => verb.standalone !== undefined)?.verb.standalone === true;
}

function ancestors(command: Command): Command[] {
  return command.parent ? [command, ...ancestors(command.parent)] : [command];
}

function turnOff(command: Command, off: readonly Option[]): void {
  for (const option of off) {
    for (const owner of ancestors(command)) {
      if (owner.options.includes(option))
        owner.setOptionValueWithSource(option.attributeName(), option.negate, 'cli');
    }
  }
}

/** A noun by itself prints its help, but not when it is given a flag that it does not have. */
function refuseUnknownFlag(command: Command, words: readonly string[], found: Resolved): void {
  const flag = command.parseOptions([...words]).unknown.find((word) => /^-./.test(word));
  if (flag !== undefined) throw new UsageError(`unknown option '${flag}'`, { hint: flagsHint(found) });
}

/** How the user calls the command: `hubble` is a program of its own. */
function calledAs(found: Resolved): string {
  const names = found.path.map((step) => step.name);
  return (names[0] === 'hubble' && isStandalone(found) ? names : ['cilium', ...names]).join(' ');
}

function flagsHint(found: Resolved): string {
  return `Run "${calledAs(found)} --help" for its flags and arguments.`;
}

function unknownCommand(found: Resolved, word: string): UsageError {
  const at = calledAs(found);
  const verbs = found.path.at(-1)?.verb.verbs ?? found.root.verbs ?? {};
  const names = Object.entries(verbs)
    .filter(([, verb]) => !verb.hidden)
    .map(([name]) => name);
  const near = nearest(word, names);
  return new UsageError(`unknown command "${word}" for "${at}"`, {
    hint: near ? `Did you mean "${at} ${near}"?` : `Run "${at} --help" for the list of commands.`,
  });
}

function usageError(error: CommanderError, found: Resolved): UsageError {
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*?)\?\)$/, ' (did you mean $1?)');
  return new UsageError(message, { hint: flagsHint(found), cause: error });
}

/** The one map from errors to what is printed and the exit code. */
async function report(error: unknown, found: Resolved, progress: Progress, ctx: Context): Promise<number> {
  if (error instanceof SilentExit) return error.exitCode;
  if (ctx.signal.aborted) return ctx.signal.reason instanceof Stopped ? ctx.signal.reason.exitCode : 130;
  const expected = error instanceof UserError;
  const said = errorMessage(error);
  const message = error instanceof UsageError ? hintAsCalled(said, ctx) : said;
  const lines = [`${isStandalone(found) && expected ? '' : 'Error: '}${message}`];
  if (expected && error.hint && !ctx.globals.quiet) {
    lines.push(await hintFor(hintAsCalled(error.hint, ctx), error, progress.command, ctx));
  }
  if (!expected && !ctx.globals.debug)
    lines.push('This is a fault in the toolkit itself: run again with --debug for its stack.');
  const { columns } = ctx.err;
  if (columns !== undefined) {
    const { wrapWords } = await import('./lib/wrap-words.ts');
    for (const [i, line] of lines.entries()) lines[i] = wrapWords(line, columns);
  }
  if (ctx.globals.debug) lines.push(stackOf(error));
  // What the command line of an agent prints of wrong words is no word of kubectl's.
  if (!isStandalone(found) && !isPlugin(ctx)) {
    const { unknown } = found;
    const path = found.path.map(({ name }) => name);
    const { printAsReference } = await import('./cli/usage/wrong-words.ts');
    const { isClusterMeant } = await import('./cli/kube/target.ts');
    await printAsReference(error, { ...progress, path, unknown, isClusterMeant }, ctx);
  }
  await ctx.err.write(`${lines.join('\n')}\n`);
  return expected ? error.exitCode : 1;
}

/** A hint as it fits this machine, where no agent or socket was reached; wrong words load nothing for that. */
async function hintFor(
  hint: string,
  error: unknown,
  command: Command | undefined,
  ctx: Context,
): Promise<string> {
  const causes = causesOf(error);
  if (!causes.some((one) => 'fault' in one || 'address' in one)) return hint;
  const { agentHint } = await import('./cli/kube/agent-hint.ts');
  return agentHint(hint, causes, command, ctx);
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('stack' in error)) return String(error);
  const cause = 'cause' in error && error.cause !== undefined ? `\ncaused by: ${stackOf(error.cause)}` : '';
  return `${error.stack}${cause}`;
}
