import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Locked, lockFile } from '../../src/lib/file-lock.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A process that has ended, of this boot and this container. */
const ENDED = {
  pid: 4_194_303,
  pidStart: '1',
  host: hostname(),
  boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  space: readlinkSync('/proc/self/ns/pid'),
};

test('of many that find the lock of a process that has ended, one takes it over', async () => {
  const path = join(folder, 'many');
  for (let round = 0; round < 40; round++) {
    writeFileSync(path, JSON.stringify(ENDED));
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => lockFile(path)));
    const held = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const refused = tries.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(held).toHaveLength(1);
    expect(
      refused.every((error) => error instanceof Locked && error.holder === `process ${process.pid}`),
    ).toBe(true);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
    await held[0]?.();
    expect(readdirSync(folder)).toEqual([]);
  }
});

test('a takeover that was killed is taken over as well', async () => {
  const path = join(folder, 'halfway');
  for (const name of [path, `${path}.next`]) writeFileSync(name, JSON.stringify(ENDED));
  await (await lockFile(path))();
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
  ['a link to what has no end', (path: string) => symlinkSync('/dev/zero', path)],
  ['a link to nothing', (path: string) => symlinkSync('/nonexistent', path)],
  ['a file of gigabytes', (path: string) => execFileSync('truncate', ['-s', '8G', path])],
  ['a folder', (path: string) => mkdirSync(path)],
])('%s in the place of a lock is nobody’s, and does not hold up', async (what, make) => {
  const path = join(folder, `odd ${what}`);
  make(path);
  await expect(lockFile(path)).rejects.toEqual(new Locked(undefined));
  // rmSync leaves a link to nothing in Node 24.0.
  if (lstatSync(path).isDirectory()) rmdirSync(path);
  else unlinkSync(path);
});

test('what killed takers left behind is removed, and nothing else', async () => {
  const path = join(folder, 'junk');
  const holders = {
    'junk.0a1b2c3d.tmp': JSON.stringify(ENDED),
    'junk.next.0a1b2c3d.tmp': JSON.stringify(ENDED),
    'junk.00000000.tmp': '',
    'junk.11111111.tmp': '',
    'junk.22222222.tmp': JSON.stringify({ ...ENDED, host: 'elsewhere', boot: 'other' }),
    'junk.33333333.tmp': 'words',
    'junk.notes.tmp': JSON.stringify(ENDED),
    'junk2.0a1b2c3d.tmp': JSON.stringify(ENDED),
  };
  for (const [name, text] of Object.entries(holders)) writeFileSync(join(folder, name), text);
  utimesSync(join(folder, 'junk.00000000.tmp'), new Date(0), new Date(0));
  await (await lockFile(path))();
  const kept = ['junk.11111111.tmp', 'junk.22222222.tmp', 'junk.33333333.tmp', 'junk.notes.tmp'];
  expect(readdirSync(folder).toSorted()).toEqual([...kept, 'junk2.0a1b2c3d.tmp']);
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

test.each([
  ['this machine, started anew since', { pid: 1, boot: 'before' }, undefined],
  ['another machine', { host: 'elsewhere', boot: 'other' }, `process ${ENDED.pid} of the machine elsewhere`],
  ['another container', { host: 'pod', space: 'pid:[1]' }, `process ${ENDED.pid} of another container (pod)`],
  ['another name of this container', { host: 'renamed' }, undefined],
])('a lock of a process of %s', async (_what, part, holder) => {
  const path = join(folder, 'one');
  writeFileSync(path, JSON.stringify({ ...ENDED, ...part }));
  const lock = lockFile(path);
  if (holder === undefined) await (await lock)();
  else await expect(lock).rejects.toMatchObject({ holder });
  rmSync(path, { force: true });
});

test('a lock counts whoever wrote it: users may share a folder', async () => {
  const path = join(folder, 'shared');
  const leave = (holder: object) => {
    writeFileSync(path, JSON.stringify({ ...ENDED, ...holder }));
    chmodSync(path, 0o666);
    if (process.getuid?.() === 0) chownSync(path, 65_534, 65_534);
  };
  leave({ pid: process.ppid, pidStart: '' });
  await expect(lockFile(path)).rejects.toMatchObject({ holder: `process ${process.ppid}` });
  leave({});
  await (await lockFile(path))();
  expect(readdirSync(folder)).toEqual([]);
});
