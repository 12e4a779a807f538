import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Verb } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';

const COMMANDS = fileURLToPath(new URL('../../src/commands', import.meta.url));

/** Verbs that stand elsewhere than their path says, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  // `observe` by itself is `observe flows`, below `hubble` or alone.
  'hubble observe': 'hubble/observe/flows.ts',
  observe: 'hubble/observe/flows.ts',
  'observe flows': 'hubble/observe/flows.ts',
  // The two streams of events differ in their decoders only.
  'hubble observe agent-events': 'hubble/observe/events.ts',
  'hubble observe debug-events': 'hubble/observe/events.ts',
  'observe agent-events': 'hubble/observe/events.ts',
  'observe debug-events': 'hubble/observe/events.ts',
};

/** Every verb that runs, with its path. `__complete` has no file of its own name: the scripts of `completion` call it. */
function* verbs(
  verb: Verb,
  path: readonly string[] = [],
): Generator<[readonly string[], Required<Verb>['load']]> {
  if (verb.load && path[0] !== '__complete') yield [path, verb.load];
  for (const [name, child] of Object.entries(verb.verbs ?? {})) yield* verbs(child, [...path, name]);
}

test('a verb is declared by the file that its path names', async () => {
  const wrong: string[] = [];
  for (const [path, load] of verbs(TREE)) {
    const name = path.join(' ');
    const named = `${path.join('/')}.ts`;
    // A verb with files of its own stands among them.
    const inFolder = `${path.join('/')}/${path.at(-1)}.ts`;
    const file = ELSEWHERE[name] ?? [named, inFolder].find((place) => existsSync(`${COMMANDS}/${place}`));
    const declared: object = file === undefined ? {} : await import(`${COMMANDS}/${file}`);
    if (!Object.values(declared).includes(await load())) wrong.push(`${name}: ${file ?? named}`);
  }
  expect(wrong).toEqual([]);
});
