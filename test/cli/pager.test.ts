import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PagedOutput, pagerOf } from '../../src/cli/pager.ts';
import type { Context } from '../../src/context.ts';
import { main } from '../../src/main.ts';
import { contextOf } from '../../src/system.ts';
import { agentOf } from '../helpers/agent.ts';

let folder: string;
let seen: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'toolkit-pager-'));
  seen = join(folder, 'seen');
});
afterEach(() => rmSync(folder, { recursive: true }));

const PATH = process.env.PATH ?? '';

/** A terminal of ten lines, and what is written to it. */
function terminal(env: Record<string, string>): { ctx: Context; written: { out: string; err: string } } {
  const written = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    isTTY: true,
    columns: 100,
    rows: 10,
    write: async (chunk: string | Uint8Array) => {
      written[name] += Buffer.from(chunk).toString();
    },
  });
  const ctx = contextOf({
    out: sink('out'),
    err: sink('err'),
    in: { isTTY: true, prompt: undefined, async *[Symbol.asyncIterator]() {} },
    tty: { stdin: process.stdin, stdout: process.stdout },
    env: { PATH, HOME: folder, ...env },
    cwd: folder,
    uid: 0,
    platform: 'linux',
    clock: { nowMs: () => 0, uptimeMs: () => 0, sleep: async () => {} },
    signal: new AbortController().signal,
    computing: (work) => work(),
  });
  return { ctx, written };
}

const LONG = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join('');

async function page(command: string, text: string) {
  const { ctx, written } = terminal({});
  const out = new PagedOutput(ctx.out, ctx, command);
  for (const line of text.split(/(?<=\n)/)) await out.write(line);
  await out.end();
  return { printed: written.out, paged: existsSync(seen) ? readFileSync(seen, 'utf8') : undefined };
}

describe('a pager', () => {
  test('does not start for what the terminal has room for', async () => {
    expect(await page(`tee ${seen}`, 'a\nb\n')).toEqual({ printed: 'a\nb\n', paged: undefined });
  });

  test('gets all of what is longer', async () => {
    expect(await page(`tee ${seen} >/dev/null`, LONG)).toEqual({ printed: '', paged: LONG });
  });

  test('that breaks loses nothing', async () => {
    expect((await page('exit 3', LONG)).printed).toBe(LONG);
    expect((await page('kill -9 $$', LONG)).printed).toBe(LONG);
    expect((await page('nosuch-pager 2>/dev/null', LONG)).printed).toBe(LONG);
  });

  test('that is left early ends the output quietly, however much comes', async () => {
    const { printed, paged } = await page(`head -1 >${seen}`, LONG.repeat(3000));
    expect({ printed, paged }).toEqual({ printed: '', paged: 'line 0\n' });
  });

  test('sees what a cluster wrote with its control characters escaped', async () => {
    const text = `${LONG}\u001b]0;title\u0007\n`;
    expect((await page(`tee ${seen} >/dev/null`, text)).paged).not.toMatch(/\u001b\]|\u0007/);
  });
});

test.each([
  [{ PAGER: 'head -5' }, 'head -5'],
  [{ PAGER: '/bin/sh -c cat' }, '/bin/sh -c cat'],
  [{ PAGER: '' }, undefined],
  [{ PAGER: 'cat' }, undefined],
  [{ PAGER: 'nosuch-pager -R' }, undefined],
  [{ PAGER: 'head', NO_PAGER: '1' }, undefined],
  [{ PAGER: 'head', TERM: 'dumb' }, undefined],
  [{ PATH: '/nowhere' }, undefined],
])('with %j it is %j', (env, expected) => {
  expect(pagerOf(terminal(env as Record<string, string>).ctx)).toBe(expected);
});

const endpoints = Array.from({ length: 30 }, (_, i) => ({ id: i + 1, status: { state: 'ready' } }));
const ANSWERS = { 'GET /v1/endpoint': { body: endpoints } };

/** What a command line prints in the terminal, and what the pager gets. */
async function shown(argv: readonly string[], env: Record<string, string> = {}) {
  await using agent = await agentOf(ANSWERS);
  const { ctx, written } = terminal({ PAGER: `tee ${seen} >/dev/null`, CILIUM_SOCK: agent.socket, ...env });
  const code = await main(argv, ctx);
  const paged = existsSync(seen) ? readFileSync(seen, 'utf8') : '';
  rmSync(seen, { force: true });
  return { code, printed: written.out, paged, stderr: written.err };
}

test('long help and long lists are paged, and nothing else', async () => {
  for (const argv of [
    ['policy', 'import', '--help'],
    ['help', 'bpf'],
    ['help', 'exit-codes'],
    ['hubble', 'observe', '--where', 'help'],
    ['hubble', 'map', '--where=help'],
    ['endpoint'],
    ['endpoint', 'list'],
  ]) {
    const { printed, paged, code } = await shown(argv);
    expect({ argv, printed, code }).toEqual({ argv, printed: '', code: 0 });
    expect(paged.split('\n').length).toBeGreaterThan(10);
    const plain = await shown([...argv, '--no-pager']);
    expect(plain).toEqual({ code: 0, printed: paged, paged: '', stderr: '' });
    expect((await shown(argv, { NO_PAGER: '1' })).printed).toBe(paged);
  }
  for (const argv of [
    ['endpoint', 'get', '-l', 'a=b'],
    ['endpoint', 'get', '-l', 'app=help'],
    ['endpoint', 'get', '-l', 'help'],
    ['completion', 'bash'],
    ['--version'],
  ])
    expect((await shown(argv)).paged).toBe('');
});

test('a list that fails says so after what it has printed', async () => {
  expect(await shown(['endpoint', 'list'], { CILIUM_SOCK: '/nowhere' })).toEqual({
    code: 1,
    printed: '',
    paged: '',
    stderr: expect.stringMatching(/^Error: cannot get endpoint list/),
  });
});
