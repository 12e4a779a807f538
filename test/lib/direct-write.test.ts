import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'direct-write-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROOT = join(import.meta.dirname, '../..');
const MODULE = join(ROOT, 'src/lib/direct-write.ts');
const program = join(folder, 'program.mts');
writeFileSync(
  program,
  `import { directWriter } from ${JSON.stringify(MODULE)};
  const direct = directWriter(1);
  const parts = process.argv.slice(2).map((length, at) => Buffer.alloc(Number(length), 97 + at));
  const taken = parts.map((bytes) => direct.write(bytes));
  process.stderr.write(JSON.stringify([direct.mayBeTerminal, ...taken]));`,
);
/** The program writes so many bytes each to stdout; what it says of that goes to the file "said". */
const write = (...lengths: number[]) =>
  `${process.execPath} --import tsx ${program} ${lengths.join(' ')} 2>${folder}/said`;
const sh = (script: string) =>
  execFileSync('bash', ['-c', script.replaceAll('{}', folder)], { cwd: ROOT, encoding: 'utf8' });
const said = () => JSON.parse(readFileSync(join(folder, 'said'), 'utf8')) as unknown[];

test.each([
  { to: '| cat >/dev/null', what: 'a pipe' },
  { to: '>/dev/null', what: '/dev/null' },
  { to: '>{}/new', what: 'a file' },
])('$what takes all that is written', ({ to }) => {
  sh(`${write(3, 4)} ${to}`);
  expect(said()).toEqual([false, 3, 4]);
});

test('a file is appended to where it stands', () => {
  sh(`echo first > {}/file; ${write(3, 4)} >> {}/file; echo last >> {}/file`);
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('first\naaabbbblast\n');
});

test('a pipe that is full takes a part and then nothing, and no write waits', () => {
  const wait = 'until [ -s {}/said ]; do sleep 0.05; done';
  const bytes = sh(`rm {}/said; ${write(60_000, 60_000, 10)} | { ${wait}; wc -c; }`);
  const [, first, second, third] = said() as number[];
  expect(first).toBe(60_000);
  expect(second).toBeLessThan(60_000);
  expect(third).toBe(0);
  expect(Number(bytes)).toBe(60_000 + Number(second));
});

test('a pipe that nobody reads any more is broken', () => {
  sh(`exec 3> >(true); wait $!; ${write(3)} >&3 || true`);
  expect(readFileSync(join(folder, 'said'), 'utf8')).toContain('EPIPE: broken pipe, write');
});

test('a socket is left to the streams of Node', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', program, '3'], { stdio: 'pipe' });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  await once(child, 'close');
  expect(said).toBe('[false,0]');
});
