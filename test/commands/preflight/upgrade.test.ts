import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { type Gate, startGate } from '../../helpers/rbac-gate.ts';

const folder = mkdtempSync(join(tmpdir(), 'preflight-'));
let cluster: TestCluster;
let gate: Gate;
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 2, version: '1.19' });
  gate = await startGate(cluster.kubeconfig);
});
afterAll(async () => {
  await gate[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Check {
  check: string;
  object: string;
  result: string;
  text: string;
}
async function checks(...argv: string[]): Promise<{ checks: Check[]; code: number; from: string }> {
  const { stdout, code } = await cluster.run(['preflight', 'upgrade', '-o', 'json', ...argv], {
    env: { KUBECONFIG: gate.kubeconfig },
  });
  return { ...JSON.parse(stdout), code };
}

test('looks at everything, and says what it could not look at', async () => {
  const { checks: rows, code, from } = await checks('--to', '1.20');
  expect(from).toBe('1.19');
  const results = Object.fromEntries(rows.map(({ check, result }) => [check, result]));
  expect(results).toEqual({
    // The lab's nodes tell no kernel, and it has no definitions.
    kernel: 'unknown',
    definitions: 'unknown',
    release: 'pass',
    values: 'pass',
    config: 'pass',
    policies: 'pass',
    decisions: 'pass',
    agents: 'pass',
    versions: 'pass',
    pods: 'pass',
  });
  expect(code).toBe(3);
  const text = await cluster.run(['preflight', 'upgrade', '--to', '1.20']);
  expect(text.stdout).toMatch(/^RESULT +CHECK +OBJECT +TEXT\nunknown +definitions /);
  expect(text.stdout).not.toContain('pass');
  expect(text.stderr).toBe('0 fail, 2 unknown, 0 warn, 8 pass\n');
});

test('a minor that is left out, and values that are gone', async () => {
  const values = join(folder, 'values.yaml');
  writeFileSync(values, 'tunnel: disabled\n');
  const old = await checks('--to', '1.20', '-f', values);
  expect(old.code).toBe(1);
  expect(old.checks[0]).toMatchObject({ check: 'values', object: 'tunnel', result: 'fail' });
  const back = await checks('--to', '1.17');
  expect(back.checks[0]).toMatchObject({ check: 'release', result: 'fail' });
});

test('a refusal is one row, and the rest is looked at', async () => {
  gate.allows = ({ resource }) => resource !== 'secrets' && resource !== 'ciliumidentities';
  const { checks: rows } = await checks('--to', '1.20');
  gate.allows = () => true;
  expect(
    rows.filter(({ text }) => text.includes('cannot list')).map(({ check, result }) => [check, result]),
  ).toEqual([
    ['values', 'unknown'],
    ['decisions', 'unknown'],
  ]);
  expect(rows.find(({ check }) => check === 'policies')?.result).toBe('pass');
});

test('which release is meant has to be said', async () => {
  const { stderr, code } = await cluster.run(['preflight', 'upgrade']);
  expect(stderr).toContain("required option '--to <release>' not specified");
  expect(code).toBe(1);
});
