import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { makeRunFolder } from '../../src/lib/run-folder.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'run-folder-'));
});
afterEach(() => rmSync(parent, { recursive: true }));

/** Leaves a folder of the name that `change` makes of a real one. */
async function left(
  change: (name: string) => string,
  put: (path: string) => void = mkdirSync,
): Promise<string> {
  await using folder = await makeRunFolder(parent, 'a-');
  const path = join(parent, change(basename(folder.path)));
  put(path);
  return path;
}
/** The number of a process that has ended. */
const ended = () => spawnSync('true').pid;
const of = (pid: number) => (name: string) => name.replace(/-\d+-\w*-\w{6}$/, `-${pid}-7-abcdef`);

test('it is gone when it is done with', async () => {
  {
    await using folder = await makeRunFolder(parent, 'a-');
    writeFileSync(join(folder.path, 'x'), '');
    await using other = await makeRunFolder(parent, 'a-');
    expect([folder, other].map(({ path }) => existsSync(path))).toEqual([true, true]);
  }
  expect(readdirSync(parent)).toEqual([]);
});

test('what a killed run left goes, what another one uses stays', async () => {
  const killed = await left(of(ended()));
  writeFileSync(join(killed, 'values.yaml'), 'secret');
  const reused = await left(of(process.pid));
  const elsewhere = (name: string) => name.replace(/^a-\w{8}/, 'a-00000000');
  const far = await left((name) => elsewhere(of(ended())(name)));
  const old = await left((name) => elsewhere(of(1)(name)));
  utimesSync(old, 1, 1);
  const foreign = await left(() => 'a-notes');
  const ofOther = await left((name) => of(ended())(name).replace(/^a-/, 'b-'));
  const link = await left(
    (name) => of(ended())(name).replace(/abcdef$/, 'zzzzzz'),
    (path) => symlinkSync(parent, path),
  );
  await using now = await makeRunFolder(parent, 'a-');
  expect(readdirSync(parent).toSorted()).toEqual(
    [far, foreign, ofOther, link, now.path].map((path) => basename(path)).toSorted(),
  );
  expect([killed, reused, old].some((path) => existsSync(path))).toBe(false);
});
