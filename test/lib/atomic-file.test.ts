import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeAtomically, writeNew } from '../../src/lib/atomic-file.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'atomic-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a new file appears with its content, and of many writers one makes it', async () => {
  const path = join(folder, 'new');
  const made = await Promise.all(Array.from({ length: 10 }, (_, i) => writeNew(path, `${i}`.repeat(1000))));
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(readFileSync(path, 'utf8')).toBe(`${made.indexOf(true)}`.repeat(1000));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['new']);
});

test('a file that stands is replaced as a whole, or kept', async () => {
  const path = join(folder, 'old');
  await writeAtomically(path, 'a');
  expect(await writeNew(path, 'b')).toBe(false);
  expect(readFileSync(path, 'utf8')).toBe('a');
  await writeAtomically(path, 'c');
  expect(readFileSync(path, 'utf8')).toBe('c');
});

test('what cannot be written leaves nothing', async () => {
  await expect(writeNew(join(folder, 'no', 'file'), 'a')).rejects.toMatchObject({ code: 'ENOENT' });
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
