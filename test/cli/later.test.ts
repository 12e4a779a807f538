import { expect, test } from '@jest/globals';
import { Later } from '../../src/cli/later.ts';
import { testContext } from '../helpers/run.ts';

test('what is said while a screen is shown is bounded: the last lines are kept, and the others counted', async () => {
  const shown: string[] = [];
  const later = new Later((line) => void shown.push(line));
  const lines = Array.from({ length: 5000 }, (_, i) => `note ${i}`);
  for (const line of lines) await later.write(`${line}\n`);
  expect(shown).toEqual(lines);
  expect(later.last(2)).toEqual(['note 4998', 'note 4999']);
  const stderr: Buffer[] = [];
  await later.writeTo(testContext({}, [], stderr).err);
  const left = Buffer.concat(stderr).toString().trimEnd().split('\n');
  expect(left[0]).toBe(`(${5000 - Later.MOST} messages before these are left out)`);
  expect(left.slice(1)).toEqual(lines.slice(-Later.MOST));
});

test('nothing is said where nothing was', async () => {
  const stderr: Buffer[] = [];
  await new Later(() => {}).writeTo(testContext({}, [], stderr).err);
  expect(stderr).toEqual([]);
});
