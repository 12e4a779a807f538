import { expect, test } from '@jest/globals';
import { TREE } from '../../src/commands/index.ts';
import { resolve, type Verb } from '../../src/commands/tree.ts';
import { run } from '../helpers/run.ts';

function examplesOf(verb: Verb, path: string[] = []): [path: string[], example: string][] {
  return [
    ...(verb.examples ?? []).map((example): [string[], string] => [path, example]),
    ...Object.entries(verb.verbs ?? {}).flatMap(([name, child]) => examplesOf(child, [...path, name])),
  ];
}

test.each(examplesOf(TREE))(
  '%j: the example %s is one of it, with flags that it has',
  async (path, example) => {
    const words = /\bcilium (?<words>[^|)>]+)/.exec(example)?.groups?.words?.trim().split(/\s+/) ?? [];
    expect(resolve(TREE, words).path.map(({ name }) => name)).toEqual(path);
    const { stdout, code } = await run([...path, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`\n  ${example}`);
    const [before = ''] = stdout.split('\nExamples:\n');
    for (const flag of words.filter((word) => word.startsWith('-') && word !== '-'))
      expect(before).toMatch(new RegExp(`^  (-\\w, )?${flag}[ ,]`, 'm'));
  },
);
