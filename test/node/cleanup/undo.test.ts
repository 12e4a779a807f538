import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { reserveUndo } from '../../../src/cli/undo.ts';
import { UserError } from '../../../src/errors.ts';
import { bootId } from '../../../src/lib/alive.ts';
import type { Plan } from '../../../src/model/cleanup.ts';
import { Copies, keepFiles, restoreFiles } from '../../../src/node/cleanup/keep.ts';
import { describeRestore, restoreOrder } from '../../../src/node/cleanup/restore.ts';
import { readUndo, refuseInside, writeUndo } from '../../../src/node/cleanup/undo.ts';
import { NODE_PATHS } from '../../../src/node/state/read.ts';
import { systemRun } from '../../../src/node/state/run.ts';
import fc from '../../helpers/properties.ts';
import { run, testContext } from '../../helpers/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'undo-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LIMITS = { paths: NODE_PATHS, uid: process.getuid?.() };
let count = 0;

/** Writes an undo file with one item. */
function undoFile(restore: unknown, more: Record<string, unknown> = {}): string {
  const path = join(folder, `${count++}.json`);
  const item = { id: 'rule 4 pref 9', kind: 'rule', what: 'IPv4 rule pref 9', restore };
  const text = JSON.stringify({
    version: 2,
    node: hostname(),
    at: '2026-01-01',
    items: [item],
    lost: [],
    ...more,
  });
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const MARK = { src: 'all', fwmark: '0x200', fwmask: '0xf00', table: '2004' };
/** Every place in a value that can be given another one. */
function fieldsOf(value: unknown): [holder: Record<string, unknown>, key: string][] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [
    [holder, key] as [Record<string, unknown>, string],
    ...fieldsOf(holder[key]),
  ]);
}

const ADD = { bring: 'rule', family: 4, rule: { priority: 9, ...MARK } };
const FILE = {
  path: '/etc/cni/net.d/05-cilium.conflist',
  kind: 'file',
  mode: 0o600,
  uid: 0,
  gid: 0,
  mtimeMs: 0,
  base64: '',
};
const files = (more: object) => ({ bring: 'files', entries: [{ ...FILE, ...more }] });
const TABLE = {
  bring: 'firewall',
  program: 'iptables-nft',
  table: 'filter',
  chains: ['CILIUM_INPUT'],
  inside: [],
  feeders: [],
};
const feeder = (chain: string, rule: string) => ({
  ...TABLE,
  feeders: [{ chain, rule, before: [], after: [] }],
});
const SET = { bring: 'ipset', name: 'cilium_node_set_v4', lines: ['create cilium_node_set_v4 hash:ip'] };
const tunnel = (more: object) => ({
  bring: 'link',
  ends: [
    {
      link: {
        ifindex: 4,
        ifname: 'cilium_vxlan',
        flags: [],
        addr_info: [],
        linkinfo: { info_kind: 'vxlan', info_data: { external: true } },
        ...more,
      },
      neighbours: [],
    },
  ],
});
const POLICY = {
  bring: 'xfrm-policy',
  lines: [
    'src 10.0.0.0/24 dst 10.1.0.0/24',
    'dir out priority 0 ptype main',
    'mark 0x3e00/0xff00',
    'tmpl src 1.1.1.1 dst 2.2.2.2',
    'proto esp spi 0x00000003 reqid 1 mode tunnel',
  ],
};

describe('a step of an undo file', () => {
  test.each([
    ['a rule', ADD],
    [
      'the rule for local addresses',
      { bring: 'local-rule', family: 6, rule: { priority: 100, src: 'all', table: 'local' } },
    ],
    ['a route', { bring: 'route', family: 6, route: { dst: 'fd00::/64', dev: 'cilium_host' } }],
    ['a link', tunnel({})],
    ['a table', TABLE],
    ['a rule that leads to a chain', feeder('INPUT', '-A INPUT -j CILIUM_INPUT')],
    ['a set', SET],
    ['a policy of IPsec', POLICY],
    ['a mount', { bring: 'mount', type: 'cgroup2', target: '/run/cilium/cgroupv2' }],
    ['a file', files({})],
    ['a file that was set aside', files({ path: '/etc/cni/net.d/10-x.conflist.cilium_bak' })],
    ['settings', files({ path: '/etc/sysctl.d/99-zzz-override_cilium.conf' })],
    ['a state folder', files({ path: '/var/lib/cilium', kind: 'folder' })],
    ['a name', { bring: 'rename', from: '/etc/cni/net.d/a', to: '/etc/cni/net.d/a.cilium_bak' }],
  ])('%s is taken', async (_what, step) => {
    const path = undoFile([step]);
    await expect(readUndo(path, LIMITS)).resolves.toMatchObject({ items: [{ restore: [step] }] });
  });

  test.each([
    ['a command', { do: 'run', command: ['sh', '-c', 'id'] }],
    ['a command with another name', { bring: 'run', command: ['sh', '-c', 'id'] }],
    ['a rule of somebody else', { ...ADD, rule: { priority: 9, table: '2004' } }],
    ['a rule of no family', { ...ADD, family: '4 rule flush' }],
    ['a rule that is none', { ...ADD, rule: null }],
    [
      'the rule for local addresses elsewhere',
      { bring: 'local-rule', family: 4, rule: { priority: 1, table: 'local' } },
    ],
    ['a route to elsewhere', { bring: 'route', family: 4, route: { dst: 'default', dev: 'eth0' } }],
    ['a flag within a route', { bring: 'route', family: 4, route: { dst: '-force', dev: 'cilium_host' } }],
    ['a link of somebody else', tunnel({ ifname: 'eth9' })],
    ['a flag within a link', tunnel({ address: '-netns x' })],
    ['a chain of somebody else', { ...TABLE, chains: ['INPUT'] }],
    ['a table that is none', { ...TABLE, table: '__proto__' }],
    ['a rule in a chain of somebody else', { ...TABLE, inside: ['-A INPUT -j ACCEPT'] }],
    ['a rule that leads elsewhere', feeder('INPUT', '-A INPUT -j ACCEPT')],
    ['two lines as one rule', feeder('INPUT', '-A INPUT -j X\n-F INPUT -j CILIUM_INPUT')],
    ['a program that is none', { ...TABLE, program: '/tmp/iptables' }],
    ['a set of somebody else', { ...SET, name: 'corp', lines: ['create corp hash:ip'] }],
    ['another order for sets', { ...SET, lines: [...SET.lines, 'destroy corp'] }],
    [
      'a policy of somebody else',
      { ...POLICY, lines: POLICY.lines.with(4, 'proto esp reqid 7 mode tunnel') },
    ],
    [
      'a policy with more',
      { ...POLICY, lines: [...POLICY.lines, 'level use', 'tmpl src 3.3.3.3 dst 4.4.4.4'] },
    ],
    ['a mount elsewhere', { bring: 'mount', type: 'cgroup2', target: '/etc/cilium/../cgroupv2' }],
    ['a mount of another kind', { bring: 'mount', type: 'ext4', target: '/run/cilium/cgroupv2' }],
    ['a file elsewhere', files({ path: '/etc/cron.d/x' })],
    ['a path that climbs', files({ path: '/etc/cni/net.d/../../cron.d/x' })],
    ['a link elsewhere', files({ kind: 'link', path: '/etc/shadow', target: '/tmp/x' })],
    ['a copy from elsewhere', files({ copy: '../../etc/shadow' })],
    [
      'a file behind a link of its own',
      {
        bring: 'files',
        entries: [
          { ...FILE, path: '/var/run/cilium', kind: 'folder' },
          { ...FILE, path: '/var/run/cilium/out', kind: 'link', target: '/etc' },
          { ...FILE, path: '/var/run/cilium/out/cron.d' },
        ],
      },
    ],
    ['a file deep in a folder that is not recorded', files({ path: '/var/run/cilium/out/cron.d' })],
    ['a device', files({ kind: 'device' })],
    ['a file that is not of Cilium', files({ path: '/etc/cni/net.d/10-calico.conflist' })],
    ['a file of settings that is not of Cilium', files({ path: '/etc/sysctl.d/99-x.conf' })],
    ['a file of a state folder without the folder', files({ path: '/var/lib/cilium/x' })],
    ['a state folder that is a link', files({ kind: 'link', path: '/var/lib/cilium', target: '/etc' })],
    ['no file', { bring: 'files', entries: [] }],
    ['two files', { bring: 'files', entries: [FILE, { ...FILE, path: '/etc/cni/net.d/06-cilium.conf' }] }],
    [
      'a name that nobody has set aside',
      { bring: 'rename', from: '/etc/cni/net.d/10-calico.conflist', to: '/etc/cni/net.d/00-x.conflist' },
    ],
    [
      'a name set aside for another',
      { bring: 'rename', from: '/etc/cni/net.d/10-calico.conflist', to: '/etc/cni/net.d/x.cilium_bak' },
    ],
    ['a name elsewhere', { bring: 'rename', from: '/etc/shadow', to: '/etc/cni/net.d/x' }],
    ['an unknown step', { bring: 'constructor' }],
  ])('%s is refused', async (_what, step) => {
    await expect(readUndo(undoFile([ADD, step]), LIMITS)).rejects.toThrow(
      'item "rule 4 pref 9" holds a step that "cilium cleanup" does not record',
    );
  });

  test('that is changed anywhere is taken or refused, and never a fault of the program', async () => {
    const odd: readonly unknown[] = [
      null,
      5,
      '',
      '__proto__',
      '-netns',
      'a\nb',
      [],
      {},
      [[]],
      { constructor: 1 },
      true,
      '../../etc',
      'eth0',
    ];
    const steps = [
      ADD,
      tunnel({ address: 'aa:aa' }),
      feeder('INPUT', '-A INPUT -j CILIUM_INPUT'),
      SET,
      POLICY,
      files({}),
    ];
    const changed = fc.record({
      steps: fc.constantFrom(...steps).map((step) => [structuredClone(step) as object]),
      place: fc.nat(),
      value: fc.option(fc.constantFrom(...odd), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(changed, async ({ steps: [step], place, value }) => {
        const places = fieldsOf(step);
        const [holder, key] = places[place % places.length] ?? [];
        if (holder !== undefined && key !== undefined) holder[key] = value;
        const undo = await readUndo(undoFile([step]), LIMITS).catch((error: unknown) => {
          expect(error).toBeInstanceOf(UserError);
          return undefined;
        });
        for (const { restore } of restoreOrder(undo?.items ?? []))
          for (const each of restore) describeRestore(each);
      }),
      { numRuns: 300 },
    );
  });

  test('is not read out of a pattern in the file', async () => {
    const path = undoFile([{ ...ADD, gone: '(a+)+$' }]);
    const undo = await readUndo(path, LIMITS);
    expect(undo?.items).toHaveLength(1);
  });
});

describe('an undo file', () => {
  test.each([
    ['is no object', '[]'],
    ['has labels instead of items', '{"version":2,"node":"a","at":"","items":"x","lost":[]}'],
    ['has an empty item', '{"version":2,"node":"a","at":"","items":[null],"lost":[]}'],
    [
      'has steps that are no steps',
      '{"version":2,"node":"a","at":"","items":[{"id":"a","what":"a","kind":"rule","restore":[1]}],"lost":[]}',
    ],
    ['is of an earlier build', '{"version":1,"node":"a","at":"","items":[],"lost":[]}'],
  ])('that %s is refused', async (_what, text) => {
    const path = join(folder, `${count++}.json`);
    writeFileSync(path, text, { mode: 0o600 });
    await expect(readUndo(path, LIMITS)).rejects.toThrow('is not an undo file of "cilium cleanup"');
  });

  test('that others can write is refused', async () => {
    const path = undoFile([ADD]);
    chmodSync(path, 0o622);
    await expect(readUndo(path, LIMITS)).rejects.toThrow('others than its owner can write it');
  });

  test('of another user is refused', async () => {
    const uid = (process.getuid?.() ?? 0) + 1;
    const path = undoFile([ADD]);
    if (process.getuid?.() === 0) await expect(readUndo(path, { ...LIMITS, uid })).resolves.toBeDefined();
    else await expect(readUndo(path, { ...LIMITS, uid })).rejects.toThrow('it belongs to user');
  });

  test('behind a symbolic link, a folder and a pipe are refused', async () => {
    const link = join(folder, 'link.json');
    symlinkSync(undoFile([ADD]), link);
    await expect(readUndo(link, LIMITS)).rejects.toThrow(`undo file ${link}: it is a symbolic link`);
    await expect(readUndo(folder, LIMITS)).rejects.toThrow('it is not a regular file');
    await expect(readUndo('/dev/null', LIMITS)).rejects.toThrow('it is not a regular file');
  });

  test('that is empty was left by a cleanup that removed nothing; half of one is an error', async () => {
    const path = undoFile([ADD]);
    writeFileSync(path, '');
    expect(await run(['cleanup', 'undo', path])).toEqual({
      stdout: `${path} is empty: that cleanup ended before it had removed anything.\n`,
      stderr: '',
      code: 0,
    });
    writeFileSync(path, '{"version":2,');
    const { stderr, code } = await run(['cleanup', 'undo', path]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('has removed nothing')]);
  });

  test('that cannot be written leaves nothing behind and says so', async () => {
    const path = join(folder, 'no-such-folder', 'u.json');
    const plan = { node: 'a', items: [], notes: [], leftAlone: [] };
    await expect(writeUndo(plan, path, 0)).rejects.toThrow(`record what will be removed in ${path}`);
  });

  test('of another node is restored only when it is forced', async () => {
    const path = undoFile([], { node: 'elsewhere', items: [] });
    const { stderr, code } = await run(['cleanup', 'undo', path]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('was recorded on node elsewhere')]);
    expect(await run(['cleanup', 'undo', '--force', path])).toMatchObject({ code: 0 });
  });

  test('of an earlier boot is told of', async () => {
    const words = (more: Record<string, unknown>) => ['cleanup', 'undo', '--dry-run', undoFile([ADD], more)];
    expect((await run(words({ boot: 'earlier' }))).stderr).toMatch(
      /^Note: the machine was started anew since/,
    );
    expect((await run(words({ boot: bootId() }))).stderr).toBe('');
    expect((await run(words({}))).stderr).toBe('');
    await expect(readUndo(undoFile([ADD], { boot: 7 }), LIMITS)).rejects.toThrow('is not an undo file');
  });

  test('is shown step by step, and nothing runs unless somebody says yes', async () => {
    const path = undoFile([ADD], { at: '\u001b[2J' });
    const shown = await run(['cleanup', 'undo', '--dry-run', path]);
    expect(shown.stdout).toContain(
      '  - IPv4 rule pref 9\n      ip -4 rule add pref 9 fwmark 0x200/0xf00 lookup 2004\n',
    );
    expect(shown.stdout).not.toContain('\u001b');
    const { stderr, code } = await run(['cleanup', 'undo', path]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('nothing was restored')]);
  });
});

test('a file below what takes no folder is an error, not a search without an end', async () => {
  const entry = {
    path: '/proc/nope/deep/x',
    kind: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    mtimeMs: 0,
    base64: '',
  } as const;
  await expect(restoreFiles([entry], join(folder, 'u.json'), systemRun({}))).rejects.toThrow('ENOENT');
  const behind = { ...entry, path: '/dev/null/deep/x' };
  await expect(restoreFiles([behind], join(folder, 'u.json'), systemRun({}))).rejects.toThrow('ENOTDIR');
});

test('a record is never written over, and an empty name is refused', async () => {
  const path = undoFile([ADD]);
  const before = readFileSync(path, 'utf8');
  const ctx = testContext({ env: { XDG_STATE_HOME: folder }, nowMs: 0 });
  await expect(reserveUndo(ctx, 'cleanup', path)).rejects.toThrow(`--undo-file: ${path} exists`);
  await expect(reserveUndo(ctx, 'cleanup', '')).rejects.toThrow('expected a path');
  await expect(reserveUndo(ctx, 'cleanup', join(folder, 'no/u.json'))).rejects.toThrow('create undo file');
  expect(readFileSync(path, 'utf8')).toBe(before);
  // Two operations within one second.
  const names = await Promise.all([1, 2, 3].map(() => reserveUndo(ctx, 'cleanup', undefined)));
  expect(new Set(names).size).toBe(3);
});

describe('files and folders', () => {
  const onHere = systemRun(process.env);
  /** What is below a folder: kind, mode, owner, contents or target, and time. */
  const facts = (path: string): string[] => {
    const info = lstatSync(path);
    const what = info.isSymbolicLink()
      ? readlinkSync(path)
      : info.isFile()
        ? readFileSync(path, 'utf8').length
        : '';
    const line = [path, info.mode.toString(8), info.uid, info.gid, what, Math.round(info.mtimeMs)].join(' ');
    return [
      line,
      ...(info.isDirectory()
        ? readdirSync(path)
            .sort()
            .flatMap((name) => facts(join(path, name)))
        : []),
    ];
  };
  const build = () => {
    const root = mkdtempSync(join(folder, 'state-'));
    mkdirSync(join(root, 'sub'));
    writeFileSync(join(root, 'sub/key'), 's3cret', { mode: 0o600 });
    writeFileSync(join(root, 'big'), 'x'.repeat(200_000));
    chmodSync(join(root, 'big'), 0o4711);
    symlinkSync('nowhere', join(root, 'dangling'));
    execFileSync('mkfifo', ['-m', '0620', join(root, 'fifo')]);
    const socket = 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';
    execFileSync('python3', ['-c', socket, join(root, 'socket')]);
    if (process.getuid?.() === 0) lchownSync(join(root, 'dangling'), 5, 6);
    chmodSync(join(root, 'sub'), 0o1771);
    utimesSync(join(root, 'sub'), 1e9, 1e9);
    utimesSync(root, 1e9, 1e9);
    return root;
  };

  test('come back as they were: owners, modes, times, links, pipes and sockets; and once is enough', async () => {
    const root = build();
    const before = facts(root);
    const entries = await keepFiles(root, new Copies(join(folder, 'copies')));
    rmSync(root, { recursive: true });
    expect(await restoreFiles(entries, join(folder, 'copies'), onHere)).toBe(true);
    expect(facts(root)).toEqual(before);
    expect(await restoreFiles(entries, join(folder, 'copies'), onHere)).toBe(false);
    expect(facts(root)).toEqual(before);
  });

  test('that stand are left, and what an interrupted undo left is taken away', async () => {
    const root = build();
    const entries = await keepFiles(root, new Copies(join(folder, 'more-copies')));
    rmSync(join(root, 'big'));
    writeFileSync(join(root, 'sub/key'), 'changed since');
    writeFileSync(join(root, '.0123abcd.cilium-undo'), 'half');
    expect(await restoreFiles(entries, join(folder, 'more-copies'), onHere)).toBe(true);
    expect(readFileSync(join(root, 'sub/key'), 'utf8')).toBe('changed since');
    expect(readdirSync(root).sort()).toEqual(['big', 'dangling', 'fifo', 'socket', 'sub']);
  });

  test('are not made where a link has taken the place of their folder', async () => {
    const root = build();
    const entries = await keepFiles(root, new Copies(join(folder, 'late-copies')));
    const outside = mkdtempSync(join(folder, 'outside-'));
    rmSync(join(root, 'sub'), { recursive: true });
    symlinkSync(outside, join(root, 'sub'));
    await expect(restoreFiles(entries, join(folder, 'late-copies'), onHere)).rejects.toThrow(
      'sub is no folder by now',
    );
    expect(readdirSync(outside)).toEqual([]);
  });

  test('are those of the folder that was looked at, whatever takes its place meanwhile', async () => {
    const root = build();
    const outside = build();
    writeFileSync(join(outside, 'sub/key'), 'of somebody else');
    writeFileSync(join(root, 'sub/a-big-one'), 'x'.repeat(200_000));
    class Swapping extends Copies {
      override async add(path: string): Promise<string> {
        const name = await super.add(path);
        if (name === '1') {
          renameSync(join(root, 'sub'), join(root, 'moved'));
          symlinkSync(join(outside, 'sub'), join(root, 'sub'));
        }
        return name;
      }
    }
    const entries = await keepFiles(root, new Swapping(join(folder, 'swapped-copies')));
    const key = entries.find(({ path }) => path === join(root, 'sub/key'));
    expect(Buffer.from(key?.base64 ?? '', 'base64').toString()).toBe('s3cret');
  });

  test('what a folder lies on is not followed out of it', async () => {
    const root = build();
    const outside = build();
    symlinkSync(outside, join(root, 'out'));
    const entries = await keepFiles(root, new Copies(join(folder, 'other-copies')));
    expect(entries.filter(({ path }) => path.includes('/out'))).toMatchObject([
      { kind: 'link', target: outside },
    ]);
  });
});

test('copies go to a folder of the record’s own, and never to one that somebody else has made', async () => {
  const tree = mkdtempSync(join(folder, 'tree-'));
  writeFileSync(join(tree, 'key'), 'x'.repeat(100_000));
  const path = undoFile([]);
  const theirs = mkdtempSync(join(folder, 'theirs-'));
  symlinkSync(theirs, `${path}.d`);
  const item = { id: 'x', kind: 'folder', what: 'x', why: 'x' } as const;
  const plan: Plan = {
    node: 'a',
    items: [{ ...item, remove: [{ do: 'remove-tree', path: tree }] }],
    notes: [],
    leftAlone: [],
  };
  await expect(writeUndo(plan, path, 0)).rejects.toThrow(
    `record what will be removed in ${path}: file exists`,
  );
  expect(readdirSync(theirs)).toEqual([]);
  const own = undoFile([]);
  await writeUndo(plan, own, 0);
  expect(readdirSync(`${own}.d`)).toEqual(['0']);
  expect(lstatSync(`${own}.d`).mode & 0o777).toBe(0o700);
});

test('a record in a folder that will be removed is refused', async () => {
  const tree = mkdtempSync(join(folder, 'tree-'));
  const link = join(folder, 'way');
  symlinkSync(tree, link);
  const item = {
    id: 'x',
    kind: 'folder',
    what: 'x',
    why: 'x',
    remove: [{ do: 'remove-tree', path: tree }],
  } as const;
  const plan = { node: 'a', items: [{ ...item, remove: [...item.remove] }], notes: [], leftAlone: [] };
  await expect(refuseInside(join(tree, 'u.json'), plan)).rejects.toThrow('which will be removed');
  await expect(refuseInside(join(link, 'u.json'), plan)).rejects.toThrow('which will be removed');
  await expect(refuseInside(join(folder, 'u.json'), plan)).resolves.toBeUndefined();
});

test('routes through a gateway come back behind those that lead to it, and kinds in the reverse order', () => {
  const route = (id: string, more: object) => ({
    id,
    kind: 'route' as const,
    what: id,
    restore: [{ bring: 'route' as const, family: 4 as const, route: { dst: id, ...more } }],
  });
  const rule = { id: 'rule', kind: 'rule' as const, what: '', restore: [] };
  const items = [rule, route('a', { gateway: '10.0.0.1' }), route('b', {}), route('c', {})];
  expect(restoreOrder(items).map(({ id }) => id)).toEqual(['b', 'c', 'a', 'rule']);
});
