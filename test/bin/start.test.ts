import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');

test('a process whose work never ends, with nothing left to wait for, fails and says so', () => {
  const script = `const { failHalfWay } = require('./src/bin/start.ts'); failHalfWay(); new Promise(() => {}).then(() => process.exit(0));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '-e', script], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
  });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain('Error: the work ended half-way');
});
