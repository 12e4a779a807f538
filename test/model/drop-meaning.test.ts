import { expect, test } from '@jest/globals';
import { dropMeaning, KNOWN_REASONS } from '../../src/model/drop-meaning.ts';
import { wrongWords } from '../helpers/command-lines.ts';

test('every reason is told in one or two whole sentences', () => {
  expect(KNOWN_REASONS.length).toBeGreaterThan(70);
  for (const reason of KNOWN_REASONS) {
    const meaning = dropMeaning(reason);
    expect([reason, meaning?.what]).toEqual([reason, expect.stringMatching(/^[A-Z].{20,190}\.$/)]);
    expect([reason, meaning?.look?.at ?? 'nothing']).toEqual([
      reason,
      expect.not.stringMatching(/^[A-Z]|\.$/),
    ]);
  }
});

test('what a name from outside means is not looked up in what objects have', () => {
  expect(dropMeaning('constructor')).toBeUndefined();
  expect(dropMeaning('__proto__')).toBeUndefined();
  expect(dropMeaning('OF_A_RELEASE_TO_COME')).toBeUndefined();
});

const verbs = new Set(KNOWN_REASONS.flatMap((reason) => dropMeaning(reason)?.look?.verb ?? []));

test.each([...verbs])('cilium %s is a command line', async (verb) => {
  expect(await wrongWords(`cilium ${verb}`)).toBeUndefined();
});
