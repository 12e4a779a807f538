import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { run } from '../helpers/run.ts';
import { STEPS } from './files.ts';
import { faultsOf, isOfTime } from './judge.ts';
import { randomOf } from './random.ts';
import type { Input } from './target.ts';
import { TARGETS } from './targets.ts';

const CORPUS = fileURLToPath(new URL('../../fixtures/fuzz', import.meta.url));
const kept = readdirSync(CORPUS)
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({
    file,
    ...(JSON.parse(readFileSync(join(CORPUS, file), 'utf8')) as Input & { target: string }),
  }));

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(TARGETS))('%s', (name, { open }) => {
  test('takes what was found once, and some more', async () => {
    await using stack = new AsyncDisposableStack();
    const target = await open(folder, stack);
    // Maps need root.
    if (typeof target === 'string') return;
    const inputs: [string, Input][] = kept
      .filter((input) => input.target === name)
      .map((input) => [input.file, input]);
    for (let number = 0; number < 20; number++)
      inputs.push([`number ${number}`, target.make(randomOf(7, number))]);
    for (const [which, input] of inputs) {
      const result = await target.run(input, AbortSignal.timeout(120_000));
      const faults = faultsOf(input, result, { cpuMs: 0, wallMs: 0, bytes: 0 });
      expect({ which, faults, stderr: faults.length > 0 ? result.stderr.slice(0, 500) : '' }).toEqual({
        which,
        faults: [],
        stderr: '',
      });
    }
  });
});

test.each(STEPS)('a record of the fuzzer is one that cleanup writes: $step.bring', async ({ kind, step }) => {
  const path = join(folder, 'record');
  const items = [{ id: 'x', kind, what: 'x', restore: [step] }];
  const record = { version: 2, node: hostname(), at: '2026-01-01T00:00:00Z', items, lost: [] };
  writeFileSync(path, JSON.stringify(record), { mode: 0o600 });
  const { stderr, code } = await run(['cleanup', 'undo', path, '--dry-run']);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
});

test('an input follows from its seed and number alone', () => {
  const numbers = (seed: number, number: number) => {
    const random = randomOf(seed, number);
    return Array.from({ length: 5 }, () => random.next());
  };
  expect(numbers(1, 2)).toEqual(numbers(1, 2));
  expect(numbers(1, 2)).not.toEqual(numbers(1, 3));
  expect(numbers(1, 2)).not.toEqual(numbers(2, 2));
});

test('the judge finds what must not be', () => {
  const input: Input = { argv: ['status'], data: {} };
  const fine = { stdout: 'a\n', stderr: '', code: 0 };
  const cheap = { cpuMs: 1, wallMs: 6000, bytes: 0 };
  expect(faultsOf(input, fine, cheap)).toEqual([]);
  expect(faultsOf(input, { ...fine, stdout: 'a\u001b[2J' }, cheap)).toEqual(['control characters on stdout']);
  expect(faultsOf(input, { ...fine, stderr: 'This is a fault in the toolkit itself' }, cheap)).toEqual([
    'internal error: a fault in the toolkit itself',
  ]);
  expect(faultsOf(input, { ...fine, code: 139 }, cheap)).toEqual(['exit code 139']);
  expect(faultsOf(input, { stdout: '', stderr: '', code: 1 }, cheap)).toEqual(['failed without a word']);
  const faults = faultsOf(input, fine, { cpuMs: 6000, wallMs: 31_000, bytes: 400 << 20 });
  expect(faults).toEqual(['computed for 6.0 s', 'took 31.0 s', 'took 400 MB']);
  expect(faults.filter(isOfTime)).toEqual(['computed for 6.0 s', 'took 31.0 s']);
});
