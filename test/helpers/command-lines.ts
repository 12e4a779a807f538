import { Command, type Option } from 'commander';
import { build, resolve } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';
import { testContext } from './run.ts';

/** The command lines that a text tells a user to run: in quotes, behind a colon to the end of its sentence, or before `shows`. */
export function commandLinesIn(text: string): string[] {
  const quoted = Array.from(
    text.matchAll(/["`]((?:cilium|hubble) [a-z][^"`\n]*)["`]/g),
    ([, line = '']) => line,
  );
  const behind = Array.from(
    text.matchAll(/: ((?:cilium|hubble) [a-z][^"`\n]*?)(?=[.;,)]?\s*(?:$|\n)|[.;,] | with --)/g),
    ([, line = '']) => line,
  );
  const shown = Array.from(
    text.matchAll(/; ((?:cilium|hubble) [a-z][^"`\n;]*?)(?= shows )/g),
    ([, line = '']) => line,
  );
  return [...quoted, ...behind, ...shown];
}

/** The words of a command line as a shell has them, without what it does with the output. */
export function wordsOf(line: string): string[] {
  const [own = ''] = line.split(/ [|>] /);
  return (own.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) => word.replaceAll("'", ''));
}

/** What is wrong with the words of a command line: a verb or flag that is not there, or too many or too few arguments. */
export async function wrongWords(line: string): Promise<string | undefined> {
  const [name, ...rest] = wordsOf(line);
  // `rbac` takes the words of another command.
  const own = rest[0] === 'rbac' && /^[a-z]/.test(rest[1] ?? '') ? rest.slice(1) : rest;
  const words = name === 'hubble' ? ['hubble', ...rest] : own;
  const found = resolve(TREE, words);
  if (found.unknown !== undefined) return `there is no verb "${found.unknown}"`;
  const command = await build(
    new Command('cilium').enablePositionalOptions(),
    TREE,
    found.path,
    testContext(),
  );
  const options = optionsOf(command);
  let given = -found.path.length;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (!/^-./.test(word)) {
      given++;
      continue;
    }
    const [flag = '', value] = word.split('=');
    const option = options.find(({ long, short }) => flag === long || flag === short);
    if (!option && flag !== '--help') return `there is no flag ${flag}`;
    if (option?.required && value === undefined && words[++i] === undefined) return `${flag} has no value`;
  }
  const wanted = command.registeredArguments;
  if (given > wanted.length && !wanted.at(-1)?.variadic) return `${given} arguments are too many`;
  return undefined;
}

function optionsOf(command: Command): Option[] {
  return [...command.options, ...(command.parent ? optionsOf(command.parent) : [])];
}
