import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import { selfCommand } from '../../../src/lab/spawn.ts';
import { podTest, startPodCluster } from '../../helpers/pods.ts';
import { until } from '../../helpers/until.ts';

/** Every process with its parent and its network. */
function processes(): { pid: number; parent: number; network: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(/^.*\) \S (\d+)/s.exec(stat)?.[1]);
      return [{ pid: Number(name), parent, network: readlinkSync(`/proc/${name}/ns/net`) }];
    } catch {
      return [];
    }
  });
}

/** What a process has begun, with all that came of that. */
function descendants(pid: number): { pid: number; network: string }[] {
  const all = processes();
  const found = [pid];
  for (const one of found)
    found.push(...all.filter(({ parent }) => parent === one).map((child) => child.pid));
  return all.filter((one) => found.includes(one.pid) && one.pid !== pid);
}

/**
 * What this machine's own namespaces hold. File systems of BPF are left out:
 * labs of tests beside this one mount them, and these labs are started without maps.
 */
function machine() {
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8' });
  return {
    links: run('ip', '-o', 'link')
      .split('\n')
      .map((line) => line.split(':')[1]),
    addresses: run('ip', '-o', 'addr')
      .split('\n')
      .map((line) => line.split(/\s+/).slice(1, 4).join(' ')),
    routes: run('ip', 'route'),
    rules: run('ip', 'rule'),
    filters: run('nft', 'list', 'ruleset'),
    named: run('ip', 'netns'),
    forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => !line.includes(' - bpf '))
      .map((line) => line.split(' ')[4]),
  };
}

/** Waits until the machine is as it was: what other tests do beside this one passes. */
async function expectMachine(before: ReturnType<typeof machine>): Promise<void> {
  await until(async () => isDeepStrictEqual(machine(), before)).catch(() => {});
  expect(machine()).toEqual(before);
}

podTest('nothing of the machine changes while pods run, and nothing is left when the lab stops', async () => {
  const before = machine();
  const pods = await startPodCluster();
  let mine: { pid: number; network: string }[];
  try {
    await pods.deploy('echo', { serves: true });
    await pods.deploy('client');
    mine = descendants(process.pid).filter(({ network }) => network !== readlinkSync('/proc/self/ns/net'));
    // Two nodes have processes only where something runs; three pods do.
    expect(new Set(mine.map(({ network }) => network)).size).toBeGreaterThanOrEqual(4);
    await expectMachine(before);
  } finally {
    await pods[Symbol.asyncDispose]();
  }
  await until(async () => processes().every(({ network }) => !mine.some((one) => one.network === network)));
  await expectMachine(before);
});

podTest('nothing is left of a lab that was killed', async () => {
  const before = machine();
  const folder = mkdtempSync(join(tmpdir(), 'killed-'));
  const { command, args } = selfCommand();
  const words = [
    'lab',
    'start',
    '--foreground',
    '--announce',
    '--kube',
    '--nodes',
    '2',
    '--pods',
    '--maps',
    'off',
  ];
  const lab = spawn(command, [...args, ...words, '--dir', join(folder, 'lab')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(lab.stdout, 'data');
    const mine = descendants(lab.pid ?? 0);
    expect(mine.length).toBeGreaterThan(3);
    lab.kill('SIGKILL');
    await until(async () => processes().every(({ pid }) => !mine.some((one) => one.pid === pid)));
    const networks = new Set(mine.map(({ network }) => network));
    networks.delete(readlinkSync('/proc/self/ns/net'));
    expect(processes().filter(({ network }) => networks.has(network))).toEqual([]);
    await expectMachine(before);
  } finally {
    lab.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});
