import { execFile } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeAtomically, writeNamed, writeNew } from '../../src/lib/atomic-file.ts';

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

test('of a file that a user names a link stays a link, and the file behind it keeps its mode', async () => {
  const [link, file] = [join(folder, 'link'), join(folder, 'file')];
  writeFileSync(file, 'before');
  chmodSync(file, 0o640);
  symlinkSync('file', link);
  await writeNamed(link, 'after');
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(file, 'utf8')).toBe('after');
  expect(statSync(file).mode & 0o777).toBe(0o640);
});

test('a link to a file that is not there yet stays one, and its file is made', async () => {
  const first = join(folder, 'first');
  mkdirSync(join(folder, 'far'));
  symlinkSync('second', first);
  symlinkSync('far/made', join(folder, 'second'));
  await writeNamed(first, 'text');
  expect(lstatSync(first).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, 'far/made'), 'utf8')).toBe('text');
  symlinkSync('round', join(folder, 'round'));
  await expect(writeNamed(join(folder, 'round'), 'text')).rejects.toMatchObject({ code: 'ELOOP' });
});

test('a pipe and a device stay what they are', async () => {
  const pipe = join(folder, 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  const reader = promisify(execFile)('cat', [pipe]);
  await writeNamed(pipe, 'through');
  expect((await reader).stdout).toBe('through');
  expect(lstatSync(pipe).isFIFO()).toBe(true);
  await writeNamed('/dev/null', 'nothing');
  expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
});

test('a folder is refused, and nothing is left beside it', async () => {
  const path = join(folder, 'folder');
  mkdirSync(path);
  await expect(writeNamed(path, 'a')).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(writeAtomically(path, 'a')).rejects.toMatchObject({ code: 'EISDIR' });
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
