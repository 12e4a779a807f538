import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { build, resolve, type Verb, type Verbs } from '../src/cli/tree.ts';
import { TREE } from '../src/commands/index.ts';
import { commandLinesIn, wrongWords } from './helpers/command-lines.ts';
import { sourceTexts } from './helpers/hint-texts.ts';
import { testContext } from './helpers/run.ts';

/** What reads like a command line and is none. */
const NONE = new Set(['version/cluster.ts']);

test('every command line that a text tells to run is one', async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const { place, text } of sourceTexts()) {
    if ([...NONE].some((file) => place.includes(file))) continue;
    for (const line of commandLinesIn(text)) {
      count++;
      const why = await wrongWords(line);
      if (why) wrong.push(`${place}: ${line}: ${why}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(count).toBeGreaterThan(80);
});

/** Flags of all verbs. */
async function allFlags(): Promise<Set<string>> {
  const flags = new Set(['--help', '--version']);
  const walk = async (verbs: Verbs, path: string[]) => {
    for (const [name, verb] of Object.entries(verbs)) {
      const words = [...path, name];
      if ((verb as Verb).load) {
        const command = await build(
          new Command('cilium').enablePositionalOptions(),
          TREE,
          resolve(TREE, words).path,
          testContext(),
        );
        for (let at: Command | null = command; at; at = at.parent)
          for (const { long, short } of at.options)
            for (const flag of [long, short]) if (flag) flags.add(flag);
      }
      await walk((verb as Verb).verbs ?? {}, words);
    }
  };
  await walk(TREE.verbs ?? {}, []);
  return flags;
}

/** Flags of other programs that hints name. */
const OF_OTHERS = new Set(['--type', '--set', '--values']);

test('every flag that a hint names is a flag of a verb', async () => {
  const flags = await allFlags();
  const wrong: string[] = [];
  for (const { place, text, isHint } of sourceTexts()) {
    if (!isHint || !/\w .*--|--[\w-]+ .*\w /.test(text)) continue;
    for (const [flag] of text.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*\b/g))
      if (!flags.has(flag) && !OF_OTHERS.has(flag)) wrong.push(`${place}: ${flag}`);
  }
  expect(wrong).toEqual([]);
});

describe('the words of a hint', () => {
  test.each([
    ['cilium endpoint lst', 'there is no verb "lst"'],
    ['cilium endpoint list --nope', 'there is no flag --nope'],
    ['cilium endpoint list one two', '2 arguments are too many'],
    ['hubble observe --where', '--where has no value'],
    ["hubble observe --where 'dst.port = 80' | head", undefined],
  ])('%s: %s', async (line, why) => {
    expect(await wrongWords(line)).toBe(why);
  });

  test('are found in quotes and behind a colon', () => {
    expect(commandLinesIn('Try "cilium endpoint list". See it: cilium policy get -o json.')).toEqual([
      'cilium endpoint list',
      'cilium policy get -o json',
    ]);
  });
});
