import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { build, type Resolved, resolve, type Verb } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';
import { run, testContext } from '../helpers/run.ts';

/** Every command of the tree with the path that leads to it. */
function* paths(verb: Verb, path: Resolved['path'] = []): Generator<Resolved['path']> {
  if (path.length > 0) yield path;
  for (const [name, child] of Object.entries(verb.verbs ?? {}))
    yield* paths(child, [...path, { name, verb: child }]);
}

function commandAt(path: Resolved['path']): Promise<Command> {
  return build(new Command('cilium').enablePositionalOptions(), TREE, path, testContext());
}

/** Every spelling of every flag that a command takes. */
function flagsOf(command: Command): Set<string | undefined> {
  const own = command.options.flatMap(({ long, short }) => [long, short]);
  return new Set([...own, ...(command.parent ? flagsOf(command.parent) : [])]);
}

/** Lists of forms stand as the reference has them: `json| yaml| …`. */
const LIST_OF_FORMS = /^[a-z]+\|/;
const begins = (text: string) => text === '' || !/^[a-z]/.test(text) || LIST_OF_FORMS.test(text);

test('every verb and flag is told of in a text that begins like a sentence and ends like a title', async () => {
  const wrong: string[] = [];
  for (const path of paths(TREE)) {
    const command = await commandAt(path);
    const name = path.map((step) => step.name).join(' ');
    const texts = [
      [name, command.description()],
      ...command.options.map((option) => [`${name} ${option.flags}`, option.description]),
    ] as const;
    for (const [what, text = ''] of texts)
      if (!begins(text) || /[^.]\.$/.test(text)) wrong.push(`${what}: ${text}`);
  }
  expect(wrong).toEqual([]);
});

/** Words of a shell line, quotes taken off, up to a redirection or pipe; without `kubectl … |` in front. */
function wordsOf(line: string): string[] {
  const own = line.split(' | ').find((part) => /^(cilium|hubble) /.test(part)) ?? line;
  const inner = /[$<]\((.*?)\)/.exec(own)?.[1] ?? own;
  const [command = ''] = inner.split(' > ');
  return (command.match(/(?:'[^']*'|"[^"]*"|\S)+/g) ?? []).map((word) => word.replaceAll(/['"]/g, ''));
}

test('every example of the help names verbs and flags that there are', async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const path of paths(TREE)) {
    const { stdout } = await run([...path.map((step) => step.name), '--help']);
    const lines = (stdout.split('\nExamples:\n')[1] ?? '')
      .split('\n')
      .filter((line) => line.startsWith('  '));
    for (const line of lines) {
      count++;
      const [program, ...words] = wordsOf(line.trim());
      const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
      const found = resolve(TREE, program === 'hubble' ? ['hubble', ...own] : own);
      const flags = flagsOf(await commandAt(found.path));
      const unknown = own.filter((word) => /^--?[a-z]/.test(word) && !flags.has(word.split('=')[0] ?? ''));
      if (found.unknown !== undefined || unknown.length > 0)
        wrong.push(`${line}: ${found.unknown} ${unknown}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(count).toBeGreaterThan(30);
});

test.each([60, 200])(
  'no line is cut at a terminal of %d columns, but for usages, examples and long words',
  async (columns) => {
    const wide: string[] = [];
    for (const path of paths(TREE)) {
      const { stdout } = await run([...path.map((step) => step.name), '--help'], { columns });
      const [told = ''] = stdout.split('\nExamples:\n');
      for (const line of told.split('\n'))
        if (line.length > columns && !line.startsWith('Usage:') && /^ *\S+ +\S/.test(line)) wide.push(line);
    }
    expect(wide).toEqual([]);
  },
);
