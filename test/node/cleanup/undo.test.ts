import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { reserveUndo } from '../../../src/cli/undo.ts';
import { readUndo, writeUndo } from '../../../src/node/cleanup/undo.ts';
import { NODE_PATHS } from '../../../src/node/state/read.ts';
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
    version: 1,
    node: hostname(),
    at: '2026-01-01',
    items: [item],
    lost: [],
    ...more,
  });
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const ADD = { do: 'run', command: ['ip', 'rule', 'add', 'pref', '9', 'lookup', '2004'] };

describe('a step of an undo file', () => {
  test.each([
    ['a rule', ADD],
    [
      'an IPv6 route',
      { do: 'run', command: ['ip', '-6', 'route', 'replace', 'fd00::/64', 'dev', 'cilium_host'] },
    ],
    [
      'a table',
      { do: 'run', command: ['ip6tables-legacy-restore', '--noflush'], stdin: '*mangle\nCOMMIT\n' },
    ],
    ['a set', { do: 'run', command: ['ipset', 'restore', '-exist'], stdin: 'create cilium_x hash:ip\n' }],
    ['a file', { do: 'write', path: '/etc/cni/net.d/05-cilium.conflist', mode: 0o600, base64: '' }],
    ['a name', { do: 'rename', from: '/etc/cni/net.d/a', to: '/etc/cni/net.d/a.cilium_bak' }],
  ])('%s is taken', async (_what, step) => {
    const path = undoFile([step]);
    await expect(readUndo(path, LIMITS)).resolves.toMatchObject({ items: [{ restore: [step] }] });
  });

  test.each([
    ['a shell', { do: 'run', command: ['sh', '-c', 'id'] }],
    ['ip in a batch', { do: 'run', command: ['ip', '-batch', '/tmp/x'] }],
    ['ip in another namespace', { do: 'run', command: ['ip', 'netns', 'exec', 'x', 'id'] }],
    ['a flag behind the noun', { do: 'run', command: ['ip', 'route', 'add', '-netns', 'x'] }],
    ['a verb that shows', { do: 'run', command: ['ip', 'rule', 'save'] }],
    ['a restore that flushes', { do: 'run', command: ['iptables-nft-restore'], stdin: '' }],
    ['a program by path', { do: 'run', command: ['/tmp/ip', 'rule', 'add'] }],
    ['words that are no strings', { do: 'run', command: ['ip', 'rule', 'add', { toString: 1 }] }],
    ['a file elsewhere', { do: 'write', path: '/etc/cron.d/x', mode: 0o644, base64: '' }],
    ['a path that climbs', { do: 'write', path: '/etc/cni/net.d/../../cron.d/x', mode: 0o644, base64: '' }],
    ['a link elsewhere', { do: 'symlink', path: '/etc/shadow', target: '/tmp/x' }],
    ['a copy from elsewhere', { do: 'copy-back', path: '/var/lib/cilium', copy: '/tmp/tree' }],
    ['a removal', { do: 'remove-tree', path: '/var/lib/cilium' }],
    ['an unknown step', { do: 'constructor' }],
  ])('%s is refused', async (_what, step) => {
    await expect(readUndo(undoFile([ADD, step]), LIMITS)).rejects.toThrow(
      'item "rule 4 pref 9" holds a step that "cilium cleanup" does not record',
    );
  });

  test('is not read out of a pattern in the file', async () => {
    const path = undoFile([{ ...ADD, gone: '(a+)+$' }]);
    const undo = await readUndo(path, LIMITS);
    expect(undo.items).toHaveLength(1);
  });
});

describe('an undo file', () => {
  test.each([
    ['is no object', '[]'],
    ['has labels instead of items', '{"version":1,"node":"a","at":"","items":"x","lost":[]}'],
    ['has an empty item', '{"version":1,"node":"a","at":"","items":[null],"lost":[]}'],
    [
      'has steps that are no steps',
      '{"version":1,"node":"a","at":"","items":[{"id":"a","what":"a","kind":"rule","restore":[1]}],"lost":[]}',
    ],
    ['is another version', '{"version":2,"node":"a","at":"","items":[],"lost":[]}'],
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
    await expect(readUndo(link, LIMITS)).rejects.toThrow(`read undo file ${link}`);
    await expect(readUndo(folder, LIMITS)).rejects.toThrow('it is not a regular file');
    await expect(readUndo('/dev/null', LIMITS)).rejects.toThrow('it is not a regular file');
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

  test('is shown step by step, and nothing runs unless somebody says yes', async () => {
    const path = undoFile([ADD], { at: '\u001b[2J' });
    const shown = await run(['cleanup', 'undo', '--dry-run', path]);
    expect(shown.stdout).toContain('  - IPv4 rule pref 9\n      ip rule add pref 9 lookup 2004\n');
    expect(shown.stdout).not.toContain('\u001b');
    const { stderr, code } = await run(['cleanup', 'undo', path]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('nothing was restored')]);
  });
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
