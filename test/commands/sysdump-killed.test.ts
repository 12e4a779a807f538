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
  /** So much was asked for. */
  let asked = 0;
  await using server = await serveDumpCluster({
    nodes: 6,
    pods: 5,
    api: (path) => {
      asked++;
      return path === '/v1/endpoint'
        ? JSON.stringify([{ id: 7 }])
        : JSON.stringify({ path, text: line.repeat(50) });
    },
    log: () => {
      asked++;
      return line.repeat(20_000);
    },
    run: (argv) => {
      asked++;
      if (argv[0] === 'cilium-bugtool') return { stdout: 'x\nGZIP at /tmp/b.tar.gz\n' };
      if (argv[0] === 'tail') return { stdout: bugtool };
      return { stdout: line.repeat(argv.includes('ct') ? 5000 : 30) };
    },
  });
  /** Runs one until it has asked for so much, or ends; its archive. */
  const killedAt = async (wanted: number) => {
    asked = 0;
    const cwd = mkdtempSync(join(folder, 'one-'));
    const child = spawn(CILIUM, ['sysdump', '--skip', 'profiles'], {
      cwd,
      env: { ...process.env, KUBECONFIG: server.kubeconfig },
      stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    const archive = () => readdirSync(cwd).find((name) => name.endsWith('.zip'));
    while ((!archive() || asked < wanted) && child.exitCode === null) await later(2);
    // And not always at the same place of what it writes then.
    await later(50 * Math.random());
    child.kill('SIGKILL');
    await exit;
    const name = archive();
    if (name === undefined)
      throw new Error(`it ended by itself with ${child.exitCode}, and there is no archive`);
    return join(cwd, name);
  };
  await killedAt(Number.POSITIVE_INFINITY);
  const whole = asked;
  const kept: number[] = [];
  for (let i = 0; i < KILLS; i++) {
    const path = await killedAt((i * whole) / KILLS);
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
    else expect(nodes.stderr).toMatch(/holds no|n0/);
    expect(nodes.stderr).not.toMatch(/ends too early|broken|not a zip/i);
  }
  expect(kept.filter((count) => count > 0).length).toBeGreaterThan(KILLS / 2);
  expect(new Set(kept).size).toBeGreaterThan(KILLS / 3);
}, 600_000);
