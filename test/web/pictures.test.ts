import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { checkPictures, NOTES } from '../../scripts/pictures/check.ts';
import {
  BLOCKS,
  looksDifference,
  type PictureNotes,
  wordsDifference,
} from '../../scripts/pictures/compare.ts';
import { REPORT, SCENES } from '../../scripts/pictures/take.ts';
import { fixturePath } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { inBrowser, launch } from './browser.ts';

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));
const PICTURES = join(DOCS, 'pictures');

let browser: Browser | undefined;
let folder: string;
let report: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pictures-'));
  report = join(folder, 'report.html');
  const { code } = await run(['hubble', 'report', ...REPORT, '-o', report], { cwd: fixturePath('page') });
  expect(code).toBe(0);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

test.each(SCENES)('the picture $name is small, and shown in the docs', ({ name }) => {
  const size = readFileSync(join(PICTURES, `${name}.png`)).length;
  expect(size).toBeGreaterThan(10_000);
  expect(size).toBeLessThan(200_000);
  expect(readFileSync(join(DOCS, 'hubble-map.md'), 'utf8')).toContain(`(pictures/${name}.png)`);
});

test('no picture is kept that nothing makes', () => {
  const made = [NOTES, ...SCENES.map(({ name }) => `${name}.png`)];
  expect(readdirSync(PICTURES).sort()).toEqual(made.sort());
});

inBrowser('the pictures show what the page shows ("npm run pictures" makes them again)', async () => {
  if (!browser) throw new Error('there is no browser');
  expect(await checkPictures(browser, report, PICTURES)).toEqual([]);
});

inBrowser('one that no longer is like the page is named, with what is different', async () => {
  if (!browser) throw new Error('there is no browser');
  const notes = JSON.parse(readFileSync(join(PICTURES, NOTES), 'utf8')) as PictureNotes;
  const [first, second, ...rest] = notes.pictures;
  if (!first || !second) throw new Error('there are no pictures');
  const changed = {
    ...notes,
    pictures: [{ ...first, words: first.words.map((word) => word.replace('could not', 'cannot')) }, ...rest],
  };
  for (const { name } of notes.pictures)
    writeFileSync(join(folder, `${name}.png`), readFileSync(join(PICTURES, `${name}.png`)));
  writeFileSync(join(folder, NOTES), JSON.stringify(changed));
  expect(await checkPictures(browser, report, folder)).toEqual([
    expect.stringMatching(
      /^report-1280\.png: it shows ".*cannot reach.*", and the page now ".*could not reach/,
    ),
    'report-edge-1280-dark.png is not there',
  ]);
});

test('words are compared in their order', () => {
  expect(wordsDifference(['a', 'b'], ['a', 'b'])).toBeUndefined();
  expect(wordsDifference(['a', 'b'], ['a', 'c'])).toBe('it shows "a | b", and the page now "a | c"');
  expect(wordsDifference(['a', 'b'], ['a'])).toBe('it shows "a | b", and the page now "a"');
  expect(wordsDifference([], ['a'])).toBe('it shows "nothing", and the page now "a"');
});

test('looks are compared by blocks: a few may be off, and all a little', () => {
  const { columns, rows } = BLOCKS;
  const white = Array.from({ length: 3 * columns * rows }, () => 255);
  const painted = (count: number, value: number, from = 0) =>
    white.map((each, i) => (i >= 3 * from && i < 3 * (from + count) ? value : each));
  expect(looksDifference(white, white)).toBeUndefined();
  expect(looksDifference(white, painted(columns * rows, 235))).toBeUndefined();
  expect(looksDifference(white, painted(columns, 0))).toBeUndefined();
  expect(looksDifference(white, painted(4 * columns, 0, 10 * columns))).toBe(
    '10 % of it look different, between 25 % and 35 % of its height',
  );
  expect(looksDifference(white, [])).toBe('it has another size');
});
