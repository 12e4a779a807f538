import { Command, CommanderError } from 'commander';
import { normalize } from '../../cli/flags.ts';
import { build, type Resolved, type Verb } from '../../cli/tree.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { nearest } from '../../lib/nearest.ts';

/** Refuses flags that the verb of a command line does not have, and values that its flags do not take. Nothing is run. */
export async function checkFlags(
  words: readonly string[],
  tree: Verb,
  path: Resolved['path'],
  ctx: Context,
): Promise<void> {
  const silent = new Command('cilium').exitOverride().configureOutput({ writeErr: () => {} });
  const verb = await build(silent, tree, path, ctx);
  const called = `cilium ${path.map(({ name }) => name).join(' ')}`;
  const unknown = unknownFlag(verb, words, called);
  if (unknown === undefined) return;
  const near = nearest(
    unknown,
    verb.options.flatMap(({ long, hidden }) => (long && !hidden ? long : [])),
  );
  throw new UserError(`${called} has no flag ${unknown}`, {
    hint: near ? `Did you mean ${near}?` : `Its flags: ${called} --help.`,
  });
}

function unknownFlag(verb: Command, words: readonly string[], called: string): string | undefined {
  try {
    const { argv } = normalize(words, verb.options);
    return verb.parseOptions(argv).unknown.find((word) => /^-./.test(word) && !/^(?:-h|--help)$/.test(word));
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // What a flag needs does not hang on its value, which may be left out at the end.
    if (error.code === 'commander.optionMissingArgument' && words.length > 0)
      return unknownFlag(verb, words.slice(0, -1), called);
    const message = error.message.replace(/^error: /, '');
    throw new UserError(`${called}: ${message}`, { hint: `Its flags: ${called} --help.`, cause: error });
  }
}
