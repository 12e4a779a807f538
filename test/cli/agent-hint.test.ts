import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { whoMayOpen } from '../../src/cli/kube/socket-rights.ts';
import { startTestLab } from '../helpers/lab.ts';
import { run } from '../helpers/run.ts';

test('of a lab that was stopped says so, and how it is started or left', async () => {
  const lab = await startTestLab();
  const { dir, name, sockets } = lab.lab.info;
  const env = { CILIUM_LAB: dir, CILIUM_SOCK: sockets.agent };
  expect((await run(['endpoint', 'list'], { env })).code).toBe(0);
  await lab[Symbol.asyncDispose]();
  const { stderr, code } = await run(['endpoint', 'list'], { env });
  expect(stderr).toContain(
    `\nThe lab ${name} has stopped. Start it again: eval "$(cilium lab start --name ${name})". Leave it: unset CILIUM_LAB CILIUM_SOCK HUBBLE_SERVER\n`,
  );
  expect(stderr).not.toContain('Is the agent running?');
  expect(code).toBe(1);
});

test.each([
  ['linux', 'Is the agent running? Its socket is named by --host or CILIUM_SOCK.'],
  ['darwin', 'Agents run on the Linux nodes of a cluster: ask one with --node NAME.'],
  ['win32', 'Agents run on the Linux nodes of a cluster: ask one with --node NAME.'],
])('of a machine without an agent fits %s', async (platform, hint) => {
  const { stderr } = await run(['endpoint', 'list'], {
    platform,
    env: { CILIUM_SOCK: '/nonexistent/agent.sock', HOME: '/nonexistent' },
  });
  expect(stderr).toContain(`no such socket\n${hint}`);
});

test('of a stopped lab is the same for its monitor and its Hubble server', async () => {
  const lab = await startTestLab();
  const { dir, name, sockets } = lab.lab.info;
  await lab[Symbol.asyncDispose]();
  const env = {
    CILIUM_LAB: dir,
    CILIUM_SOCK: sockets.agent,
    CILIUM_MONITOR_SOCK: sockets.monitor,
    HUBBLE_SERVER: `unix://${sockets.hubble}`,
  };
  for (const line of [['monitor'], ['hubble', 'status'], ['hubble', 'observe', '--last', '1']]) {
    const { stderr } = await run(line, { env });
    expect({ line, hint: stderr.trimEnd().split('\n').at(-1) }).toEqual({
      line,
      hint: expect.stringMatching(`^The lab ${name} has stopped\\. Start it again: eval `),
    });
  }
});

const isRoot = process.geteuid?.() === 0;

describe(`of a socket that may not be opened${isRoot ? '' : ' (skipped: not root)'}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'toolkit-rights-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const daemon = Number(/^daemon:[^:]*:(\d+)/m.exec(readFileSync('/etc/group', 'utf8'))?.[1]);
  const how = 'Join it: sudo usermod -aG daemon "$USER", then log in again.';

  (isRoot ? test : test.skip).each([
    [
      'names the group that may, and how to join it',
      { gid: daemon, mode: 0o660 },
      `Run the command as root, or as a member of the group daemon, which may open the socket PATH. ${how}`,
    ],
    [
      'names a group without a name by its number',
      { gid: 424242, mode: 0o660 },
      'Run the command as root, or as a member of the group 424242, which may open the socket PATH.',
    ],
    [
      'names root where the group may not',
      { gid: daemon, mode: 0o600 },
      'Run the command as root: the socket PATH is open to nobody else.',
    ],
    [
      'names the owner beside root',
      { uid: 1, gid: daemon, mode: 0o600 },
      'Run the command as daemon or root: the socket PATH is open to nobody else.',
    ],
    ['claims nothing where the mode does not forbid it', { gid: daemon, mode: 0o666 }, undefined],
  ])('%s', (_, { uid = 0, gid, mode }: { uid?: number; gid: number; mode: number }, expected) => {
    const path = join(folder, 'agent.sock');
    writeFileSync(path, '');
    chownSync(path, uid, gid);
    chmodSync(path, mode);
    expect(whoMayOpen(path)).toBe(expected?.replace('PATH', path));
  });

  (isRoot ? test : test.skip)('names the folder that cannot be entered', () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chownSync(closed, 0, daemon);
    chmodSync(closed, 0o750);
    expect(whoMayOpen(join(closed, 'cilium', 'agent.sock'))).toBe(
      `Run the command as root, or as a member of the group daemon, which may open the folder ${closed}. ${how}`,
    );
  });
});
