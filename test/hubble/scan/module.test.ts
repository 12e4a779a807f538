import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../../../scripts/build-scan.mjs', import.meta.url));
const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
const COMPILER_MISSING = 2;

(status === COMPILER_MISSING ? test.skip : test)('the module is what its source compiles to', () => {
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
