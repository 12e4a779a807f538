import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as later } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { serveDumpCluster, tarball, unzipped } from '../helpers/dump-cluster.ts';
import { run } from '../helpers/run.ts';

const CILIUM = fileURLToPath(new URL('../../bin/cilium', import.meta.url));
const KILLS = 12;
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sysdump-killed-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('killed at any moment it leaves an archive that is whole and can be asked', async () => {
  const line = 'a line of what a command prints, with its number\n';
  const bugtool = tarball(
    Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`b/cmd/${i}.md`, line.repeat(4000)])),
  );
  await using server = await serveDumpCluster({
    nodes: 6,
    pods: 5,
    api: (path) =>
      path === '/v1/endpoint' ? JSON.stringify([{ id: 7 }]) : JSON.stringify({ path, text: line.repeat(50) }),
    log: () => line.repeat(20_000),
    run: (argv) => {
      if (argv[0] === 'cilium-bugtool') return { stdout: 'x\nGZIP at /tmp/b.tar.gz\n' };
      if (argv[0] === 'tail') return { stdout: bugtool };
      return { stdout: line.repeat(argv.includes('ct') ? 5000 : 30) };
    },
  });
  const kept: number[] = [];
  for (let i = 0; i < KILLS; i++) {
    const cwd = mkdtempSync(join(folder, 'one-'));
    const child = spawn(CILIUM, ['sysdump', '--skip', 'profiles'], {
      cwd,
      env: { ...process.env, KUBECONFIG: server.kubeconfig },
      stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    for (let waited = 0; waited < 2000 && !readdirSync(cwd).some((name) => name.endsWith('.zip')); waited++)
      await later(5);
    await later((i * 2500 * (0.5 + Math.random())) / KILLS);
    child.kill('SIGKILL');
    await exit;
    const [name = ''] = readdirSync(cwd).filter((file) => file.endsWith('.zip'));
    const path = join(cwd, name);
    execFileSync('python3', ['-m', 'zipfile', '-t', path], { stdio: 'pipe' });
    const files = await unzipped(path);
    // One that had ended by itself says nothing.
    if (files.has('index.json')) continue;
    kept.push(files.size);
    if (files.size === 0) continue;
    const nodes = await run(['endpoint', 'list', '--from', path, '--node', 'n0', '-o', 'json'], { env: {} });
    // The agent may not have been read; that is said, and the archive is not called broken.
    if (files.has('agents/n0/agent.json'))
      expect([nodes.code, nodes.stdout]).toEqual([0, expect.any(String)]);
    else expect(nodes.stderr).toMatch(/holds nothing|n0/);
    expect(nodes.stderr).not.toMatch(/ends too early|broken|not a zip/i);
  }
  expect(kept.filter((count) => count > 0).length).toBeGreaterThan(KILLS / 2);
  expect(new Set(kept).size).toBeGreaterThan(KILLS / 3);
}, 120_000);
