import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestLab } from '../helpers/lab.ts';
import { obstacle } from './cleanup/obstacle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'rights-'));
const why = obstacle();
const onKernel = why ? test.skip : test;

beforeAll(() => {
  // Does nothing when the bundle is as new as the sources.
  if (!why) spawnSync(process.execPath, [join(ROOT, 'scripts/prepare.mjs')], { stdio: 'ignore' });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const USER = 'setpriv --reuid 65534 --regid 65534 --clear-groups';
const BPF_ALONE = '--inh-caps -all,+bpf --bounding-set -all,+bpf';
const WHO = {
  'a user': `${USER} --`,
  'a user with CAP_BPF alone': `${USER} ${BPF_ALONE} --ambient-caps -all,+bpf --`,
  'root with CAP_BPF alone': `setpriv ${BPF_ALONE} --`,
  'root under a seccomp profile that refuses bpf()': `python3 ${ROOT}/test/node/no-bpf.py`,
};

/** Runs verbs on a node with Cilium, each as those that are given; the lines of each. */
function answers(who: keyof typeof WHO, verbs: readonly string[]): string[][] {
  const script = `cd ${ROOT}/test/node/cleanup/matrix
LOSABLE=1 ./build.sh >/run/build.log 2>&1 || { cat /run/build.log; exit 1; }
${verbs.map((verb) => `${WHO[who]} ${ROOT}/bin/cilium ${verb} 2>&1; echo "exit $?"; echo ==`).join('\n')}`;
  const { stdout } = spawnSync(
    join(ROOT, 'test/node/cleanup/matrix/enter.sh'),
    [scratch, 'bash', '-c', script],
    { encoding: 'utf8', timeout: 180_000 },
  );
  return stdout.split('==\n').map((text) => text.trim().split('\n'));
}

describe(`those with fewer rights than they need${why ? ` (skipped: ${why})` : ''}`, () => {
  onKernel.each(['a user', 'a user with CAP_BPF alone'] as const)('%s is told who may', (who) => {
    const verbs = [
      'bpf maps list',
      'doctor',
      'cleanup --force',
      'cleanup undo /run/x',
      'cleanup baseline /run/x',
    ];
    const found = answers(who, [...verbs, 'status']);
    expect(found.slice(0, verbs.length)).toEqual(
      verbs.map((verb) => [
        `Error: Please run "cilium ${verb.replace(/ (--force|\/run\/x)$/, '')}" command(s) with root privileges.`,
        'exit 1',
      ]),
    );
    expect(found[verbs.length]?.join('\n')).toContain('Run the command as root');
  });

  onKernel('root with CAP_BPF alone opens pins, and is told of what the kernel does not list', () => {
    const [maps, doctor, cleanup] = answers('root with CAP_BPF alone', [
      'bpf maps dump cilium_lxc',
      'doctor',
      'cleanup --force --undo-file /run/u.json',
    ]);
    expect(maps).toEqual(['exit 0']);
    expect(doctor?.join('\n')).toMatch(/skipped.*stale pins.*list program ids: operation not permitted/);
    const text = cleanup?.join('\n') ?? '';
    expect(text).toContain('Not looked at: BPF links: list program ids: operation not permitted');
    expect(text).toContain('Left alone: link cilium_host: the BPF programs on it could not be read');
    expect(text).not.toMatch(/fault in the toolkit|^removed {2}cilium_/m);
  });

  onKernel('root under a seccomp profile that refuses bpf() keeps the links that may have programs', () => {
    const [maps, doctor, cleanup] = answers('root under a seccomp profile that refuses bpf()', [
      'bpf maps dump cilium_lxc',
      'doctor',
      'cleanup --force --undo-file /run/u.json',
    ]);
    expect(maps?.join('\n')).toMatch(
      /^Error: open pin .*cilium_lxc: operation not permitted\n.*CAP_BPF.*\nexit 1$/,
    );
    expect(doctor?.join('\n')).not.toContain('fault in the toolkit');
    const text = cleanup?.join('\n') ?? '';
    expect(text).toContain('Left alone: link cilium_host: the BPF programs on it could not be read');
    expect(text).toContain('removed  IPv4 rule pref 10 fwmark 0xa00/0xf00 lookup 2005');
    expect(text).not.toMatch(/fault in the toolkit|^removed {2}cilium_/m);
  });
});

const isRoot = process.geteuid?.() === 0;
const asRoot = isRoot ? test : test.skip;

asRoot(
  `a user of the socket's group may ask the agent and change it, and nothing else${isRoot ? '' : ' (skipped: not root)'}`,
  async () => {
    await using lab = await startTestLab({ scenario: 'shop', version: '1.17' });
    const { agent, hubble, monitor } = lab.lab.info.sockets;
    const group = 4242;
    // As an agent does it: the socket is its group's, and the folders above it can be passed.
    for (const socket of [agent, hubble, monitor]) {
      chownSync(socket, 0, group);
      chmodSync(socket, 0o660);
    }
    for (let folder = dirname(agent); folder !== dirname(tmpdir()); folder = dirname(folder))
      chmodSync(folder, 0o711);
    const as = (groups: string, ...verb: string[]) => {
      const who = ['--reuid', '65534', '--regid', '65534', ...groups.split(' ')];
      const env = { PATH: process.env.PATH, CILIUM_SOCK: agent, HOME: '/nonexistent' };
      // The lab answers from this process: it must not be held.
      return new Promise<{ stdout: string; stderr: string; ok: boolean }>((resolve) =>
        execFile('setpriv', [...who, join(ROOT, 'bin/cilium'), ...verb], { env }, (error, stdout, stderr) =>
          resolve({ stdout, stderr, ok: !error }),
        ),
      );
    };
    const member = `--groups ${group}`;
    expect((await as(member, 'endpoint', 'list')).stdout).toContain('ENDPOINT');
    expect((await as(member, 'config', 'PolicyVerdictNotification=true')).ok).toBe(true);
    expect((await as(member, 'bpf', 'maps', 'list')).stderr).toContain('with root privileges');
    const stranger = await as('--clear-groups', 'endpoint', 'list');
    expect(stranger.ok).toBe(false);
    const who = (path: string) => `a member of the group ${group}, which may open the socket ${path}.`;
    expect(stranger.stderr).toContain(who(agent));
    const flows = await as('--clear-groups', 'hubble', 'status', '--server', `unix://${hubble}`);
    expect(flows.stderr).toContain(who(hubble));
    const events = await as('--clear-groups', 'monitor', '--monitor-socket', monitor);
    expect(events.stderr).toContain(who(monitor));
    const self = await as('--clear-groups', 'doctor', '--self');
    expect(self.stdout).toContain(who(agent));
    expect(self.ok).toBe(true);
  },
);
