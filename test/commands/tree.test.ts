import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Verb } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';

const COMMANDS = fileURLToPath(new URL('../../src/commands', import.meta.url));

/** Verbs that stand elsewhere than their path says, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  // `observe` by itself is `observe flows`.
  'hubble observe': 'hubble/observe/declare.ts',
  'hubble observe flows': 'hubble/observe/declare.ts',
  // One script serves both programs.
  'completion install': '../cli/completion/install.ts',
  'completion uninstall': '../cli/completion/uninstall.ts',
  'hubble completion install': '../cli/completion/install.ts',
  'hubble completion uninstall': '../cli/completion/uninstall.ts',
  // `encrypt status` without a cluster is of this node.
  'encryption status': 'encrypt/cluster-status.ts',
  // The same verbs as those of `encrypt`.
  'encryption create-key': 'encrypt/create-key.ts',
  'encryption rotate-key': 'encrypt/rotate-key.ts',
  'encryption key-status': 'encrypt/key-status.ts',
};

/** Verbs that are about the tree itself, which the tree hands to them. */
const OF_THE_TREE = ['__complete', 'rbac'];

/** Every verb that runs, with its path. */
function* verbs(verb: Verb, path: readonly string[] = []): Generator<[string[], Required<Verb>['load']]> {
  // `cilium observe` is `hubble observe`.
  if (verb.load && !OF_THE_TREE.includes(path[0] ?? ''))
    yield [path[0] === 'observe' ? ['hubble', ...path] : [...path], verb.load];
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
