import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import yauzl from 'yauzl';
import { directoryRecord, endRecords, localHeader } from '../../src/archive/zip-records.ts';
import { ZipWriter } from '../../src/archive/zip-writer.ts';
import { until } from '../helpers/until.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'zip-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const AT = new Date(2026, 10, 29, 7, 5, 4);

/** Names and texts of an archive, by a reader that is strict. */
async function contents(path: string): Promise<Record<string, string>> {
  const file = await yauzl.openPromise(path, { lazyEntries: true });
  const found: Record<string, string> = {};
  for await (const entry of file.eachEntry()) {
    const parts: Buffer[] = [];
    for await (const part of await file.openReadStreamPromise(entry)) parts.push(part as Buffer);
    found[entry.fileName] = Buffer.concat(parts).toString('utf8');
  }
  return found;
}

/** A strict reader and, as they are everywhere, Info-ZIP and Python agree that it is whole; returns how many files it has. */
async function check(path: string): Promise<number> {
  const found = Object.keys(await contents(path)).length;
  // Info-ZIP calls an empty archive a warning.
  if (found > 0) execFileSync('unzip', ['-tqq', path], { stdio: 'pipe' });
  const python = 'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(z.testzip(), len(z.namelist()))';
  expect(execFileSync('python3', ['-c', python, path], { encoding: 'utf8' })).toBe(`None ${found}\n`);
  return found;
}

test('an archive is readable before it is closed, and the same afterwards', async () => {
  const path = join(folder, 'a.zip');
  const writer = await ZipWriter.create(path);
  expect(await check(path)).toBe(0);
  const texts = { 'dump/a.txt': 'one\n', 'dump/ü/b.txt': 'x'.repeat(3_000_000), 'dump/empty': '' };
  for (const [name, text] of Object.entries(texts)) {
    const entry = writer.entry(name, AT);
    await entry.write(Buffer.from(text));
    expect(await entry.close()).toBe(Buffer.byteLength(text));
    expect(Object.keys(await contents(path))).toContain(name);
    await check(path);
  }
  await writer.close();
  expect(await contents(path)).toEqual(texts);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(path).size).toBeLessThan(8000);
  expect(execFileSync('unzip', ['-Z', path, 'dump/a.txt'], { encoding: 'utf8' })).toMatch(
    /^-rw------- .* 26-Nov-29 07:05 dump\/a\.txt/,
  );
});

test('files that are written at once do not mix, and one that is discarded does not appear', async () => {
  const path = join(folder, 'b.zip');
  const writer = await ZipWriter.create(path);
  const entries = ['a', 'b', 'c'].map((name) => writer.entry(name, AT));
  for (let i = 0; i < 200; i++)
    for (const [n, entry] of entries.entries()) await entry.write(Buffer.from(`${n}`.repeat(5000)));
  await entries[1]?.discard();
  await entries[2]?.close();
  await entries[0]?.close();
  await writer.close();
  expect(await contents(path)).toEqual({ a: '0'.repeat(1_000_000), c: '2'.repeat(1_000_000) });
});

test('an archive that outgrows its room stays readable, and nothing lies beside it', async () => {
  const own = mkdtempSync(join(folder, 'own-'));
  const path = join(own, 'c.zip');
  const writer = await ZipWriter.create(path);
  for (let i = 0; i < 12; i++) {
    const entry = writer.entry(`${i}`, AT);
    for (let n = 0; n < 16; n++)
      await entry.write(Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))));
    await entry.close();
    if (i % 4 === 3) expect(await check(path)).toBe(i + 1);
    expect(readdirSync(own)).toEqual(['c.zip']);
  }
  await writer.close();
  expect(await check(path)).toBe(12);
  expect(readdirSync(own)).toEqual(['c.zip']);
});

test('what stands there already is not overwritten', async () => {
  const path = join(folder, 'a.zip');
  const before = readFileSync(path);
  await expect(ZipWriter.create(path)).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(path)).toEqual(before);
});

test('more than 65,535 files', async () => {
  const path = join(folder, 'many.zip');
  const writer = await ZipWriter.create(path);
  for (let i = 0; i < 65_540; i++) await writer.entry(`${i}`, AT).close();
  const python = 'import sys,zipfile; print(len(zipfile.ZipFile(sys.argv[1]).namelist()))';
  expect(execFileSync('python3', ['-c', python, path], { encoding: 'utf8' })).toBe('65540\n');
  await writer.close();
  expect(execFileSync('python3', ['-c', python, path], { encoding: 'utf8' })).toBe('65540\n');
});

test('numbers above 32 bits go into the 64-bit forms', () => {
  const GIB = 2 ** 30;
  const entry = { name: 'a', crc: 1, size: 9 * GIB, packedSize: 5 * GIB, offset: 6 * GIB, modified: AT };
  const local = localHeader(entry);
  expect([local.readUInt32LE(18), local.readUInt32LE(22)]).toEqual([0xffffffff, 0xffffffff]);
  expect([local.readBigUInt64LE(35), local.readBigUInt64LE(43)]).toEqual([BigInt(9 * GIB), BigInt(5 * GIB)]);
  const record = directoryRecord(entry);
  expect([51, 59, 67].map((at) => Number(record.readBigUInt64LE(at)) / GIB)).toEqual([9, 5, 6]);
  const end = endRecords(70_000, 7 * GIB, 100, true);
  expect(end.length).toBe(98);
  expect(Number(end.readBigUInt64LE(48))).toBe(7 * GIB);
  expect(Number(end.readBigUInt64LE(56 + 8))).toBe(7 * GIB + 100);
});

const CHILD = fileURLToPath(new URL('write-until-killed.ts', import.meta.url));
const KILLS = Number(process.env.ZIP_KILLS ?? 8);

test(`killed at ${KILLS} moments, the archive holds what was written until then`, async () => {
  let files = 0;
  for (let i = 0; i < KILLS; i++) {
    const path = join(folder, `killed-${i}.zip`);
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 700));
    // However slow the machine is, some have begun.
    if (i % 2 === 1) await until(async () => statSync(path).size > 100_000);
    child.kill('SIGKILL');
    await once(child, 'close');
    files += await check(path);
    rmSync(path);
  }
  expect(files).toBeGreaterThan(0);
  expect(readdirSync(folder).filter((name) => name.startsWith('.cilium'))).toEqual([]);
});
