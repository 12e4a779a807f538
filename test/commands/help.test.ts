import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { TREE } from '../../src/commands/index.ts';
import { build, type Resolved, type Verb } from '../../src/commands/tree.ts';
import { testContext } from '../helpers/run.ts';

/** Every command of the tree with the path that leads to it. */
function* paths(verb: Verb, path: Resolved['path'] = []): Generator<Resolved['path']> {
  if (path.length > 0) yield path;
  for (const [name, child] of Object.entries(verb.verbs ?? {}))
    yield* paths(child, [...path, { name, verb: child }]);
}

/** Lists of forms stand as the reference has them: `json| yaml| …`. */
const LIST_OF_FORMS = /^[a-z]+\|/;
const begins = (text: string) => text === '' || !/^[a-z]/.test(text) || LIST_OF_FORMS.test(text);

test('every verb and flag is told of in a text that begins like a sentence and ends like a title', async () => {
  const wrong: string[] = [];
  for (const path of paths(TREE)) {
    const command = await build(new Command('cilium').enablePositionalOptions(), TREE, path, testContext());
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
