import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from './helpers/cluster.ts';
import { run } from './helpers/run.ts';

const BIN = fileURLToPath(new URL('../bin', import.meta.url));
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
const hasBundle = existsSync(join(BIN, '../dist/cilium.cjs'));
const reason = hasKubectl ? (hasBundle ? '' : ' (skipped: no dist/cilium.cjs)') : ' (skipped: no kubectl)';
const withKubectl = reason === '' ? describe : describe.skip;

withKubectl(`as plugins of the real kubectl${reason}`, () => {
  let cluster: TestCluster;
  const folder = mkdtempSync(join(tmpdir(), 'plugin-'));
  beforeAll(async () => {
    cluster = await startTestCluster({ nodes: 2 });
    // As npm installs them: links, in a folder of their own.
    for (const name of [
      'kubectl-cilium',
      'kubectl-hubble',
      'kubectl_complete-cilium',
      'kubectl_complete-hubble',
    ])
      symlinkSync(join(BIN, name), join(folder, name));
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  function kubectl(
    argv: readonly string[],
    env: Record<string, string> = { KUBECONFIG: cluster.kubeconfig },
  ) {
    const child = spawn('kubectl', argv, {
      env: { PATH: `${folder}${delimiter}${process.env.PATH}`, HOME: folder, ...env },
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    return new Promise<{ stdout: string; stderr: string; code: number | null }>((resolve) =>
      child.on('close', (code) => resolve({ ...said, code })),
    );
  }

  test('kubectl finds both', async () => {
    const { stdout } = await kubectl(['plugin', 'list']);
    expect(stdout).toContain(`${folder}/kubectl-cilium\n${folder}/kubectl-hubble\n`);
  });

  test('kubectl cilium status is that of the cluster', async () => {
    const { stdout, stderr, code } = await kubectl(['cilium', 'status']);
    expect([stdout.includes('DaemonSet              cilium'), code]).toEqual([true, 0]);
    expect(stderr).not.toContain('Error');
  });

  test('flags that kubectl has itself are taken', async () => {
    const flags = ['--kubeconfig', cluster.kubeconfig, '-n', 'kube-system'];
    const nodes = await kubectl(['cilium', 'endpoint', 'list', '-o', 'name', ...flags], {});
    const own = await cluster.run(['endpoint', 'list', '-o', 'name', '-n', 'kube-system']);
    expect(nodes).toEqual(own);
    const nowhere = await kubectl(['cilium', 'status', '--context', 'nowhere']);
    expect(nowhere.stderr).toContain('the kubeconfig has no context "nowhere"');
    expect(nowhere.code).toBe(1);
  });

  test('usage and hints say how it was called', async () => {
    const help = await kubectl(['cilium', 'bgp', 'peers', '--help']);
    expect(help.stdout).toMatch(/^Usage: kubectl cilium bgp peers/);
    expect(help.stdout).toMatch(/\nExamples:\n {2}kubectl cilium bgp peers --node worker-1\n/);
    const wrong = await kubectl(['cilium', 'stats']);
    expect(wrong).toEqual({
      stdout: '',
      stderr: 'Error: unknown command "stats" for "kubectl cilium"\nDid you mean "kubectl cilium status"?\n',
      code: 1,
    });
    expect((await kubectl(['hubble', 'observe', '--help'])).stdout).toMatch(/^Usage: kubectl hubble observe/);
  });

  test('kubectl completes their words', async () => {
    const { stdout } = await kubectl(['__complete', 'cilium', 'bgp', 'p']);
    expect(stdout).toBe('peers\tList current state of all peers\n:4\n');
    const hubble = await kubectl(['__complete', 'hubble', 'obs']);
    expect(hubble.stdout).toMatch(/^observe\t.*\n:4\n$/);
    const none = await kubectl(['__complete', 'cilium', 'bgp', 'zz']);
    expect(none.stdout).toBe(':4\n');
    const file = await kubectl(['__complete', 'cilium', 'policy', 'import', 'x']);
    expect(file.stdout).toBe('yaml\nyml\njson\n:8\n');
  });
});

test('without its launcher nothing of kubectl is said', async () => {
  const plain = await run(['bgp', 'peers', '--help']);
  expect(plain.stdout).not.toContain('kubectl');
  const called = await run(['--help'], { env: { CILIUM_CALLED_BY: 'kubectl' } });
  expect(called.stdout).toMatch(/^Usage: kubectl cilium /);
  // The noun `hubble` in the list of verbs is no command line.
  expect(called.stdout).toMatch(/^ {2}hubble /m);
});
