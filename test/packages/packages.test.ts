// What "npm run package" makes, tried as it is meant to be used.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { testDeb } from './deb.ts';
import { missingForPackages } from './debian.ts';
import { testMade } from './made.ts';
import { testNpm } from './npm.ts';
import { testRoots } from './roots.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'packages-'));
/** PACKAGES=FOLDER takes what is there, for who writes these tests. */
const out = process.env.PACKAGES ?? join(folder, 'packages');

/** Makes all packages in a folder. */
function make(target: string): void {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'scripts/package.mjs'), '--out', target, '--url', 'https://example.org/0.1.0'],
    { encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, expect.stringContaining('SHA256SUMS')]);
}

beforeAll(() => {
  if (missingForPackages() === undefined && !process.env.PACKAGES) make(out);
}, 900_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const again = () => {
  make(join(folder, 'again'));
  return join(folder, 'again');
};

testMade({ out, again });
testNpm(out);
testRoots(out);
testDeb(out);
