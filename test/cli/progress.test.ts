import { expect, jest, test } from '@jest/globals';
import { ProgressLine, withProgress } from '../../src/cli/progress.ts';
import { CLEAR_LINE } from '../../src/render/text/screen.ts';
import { answerJson, serveKube } from '../helpers/kube.ts';
import { run, testContext } from '../helpers/run.ts';

test('a text stands in place of the one before, not too often, and goes when it is taken away', async () => {
  let written = '';
  const out = (isTTY: boolean) => ({
    isTTY,
    columns: undefined,
    write: async (text: string) => {
      written += text;
    },
    pass: async () => {},
  });
  const line = new ProgressLine(out(true));
  await line.clear();
  await line.show('1 of 3');
  await line.show('2 of 3');
  await line.clear();
  await line.clear();
  expect(written).toBe(`${CLEAR_LINE}1 of 3${CLEAR_LINE}`);
  written = '';
  await new ProgressLine(out(false)).show('1 of 3');
  expect(written).toBe('');
});

test.each([
  [
    'in a terminal',
    80,
    [`${CLEAR_LINE}2 read, 1 s`, CLEAR_LINE, 'Note: slow\n', `${CLEAR_LINE}3 read, 2 s`, CLEAR_LINE],
  ],
  ['in a pipe', undefined, ['Note: slow\n']],
])('what takes more than a second is said %s, and goes when it has ended', async (_, columns, expected) => {
  jest.useFakeTimers();
  try {
    const stderr: Buffer[] = [];
    const ctx = testContext(columns === undefined ? {} : { columns }, [], stderr);
    let read = 1;
    const work = async (told: typeof ctx) => {
      await jest.advanceTimersByTimeAsync(999);
      expect(stderr).toEqual([]);
      read++;
      await jest.advanceTimersByTimeAsync(1);
      await told.err.write('Note: slow\n');
      read++;
      await jest.advanceTimersByTimeAsync(1000);
      return 'done';
    };
    expect(await withProgress(ctx, () => `${read} read`, work)).toBe('done');
    await jest.advanceTimersByTimeAsync(5000);
    const shown = stderr.map(String);
    expect(shown).toEqual(expected.map((text) => text.replaceAll(CLEAR_LINE, '\r\u001b[K')));
  } finally {
    jest.useRealTimers();
  }
});

test.each([
  ['a terminal', 80, /1 of 3 ciliumnodes read/],
  ['a pipe', undefined, /^$/],
])('a list that comes in pages says on %s how far it is', async (_, columns, expected) => {
  await using kube = await serveKube((request, response) => {
    const at = Number(new URL(request.url ?? '', 'http://x').searchParams.get('continue') ?? 0);
    answerJson(response, {
      kind: 'Table',
      metadata: at < 2 ? { continue: String(at + 1), remainingItemCount: 2 - at } : {},
      columnDefinitions: [{ name: 'Name' }],
      rows: [{ cells: [`n${at}`], object: { metadata: { name: `n${at}` } } }],
    });
  });
  const env = { KUBECONFIG: kube.kubeconfig, CILIUM_TARGET: 'cluster' };
  const { stdout, stderr, code } = await run(['node', 'list'], {
    env,
    ...(columns !== undefined && { columns }),
  });
  expect([stdout, code]).toEqual(['NAME\nn0\nn1\nn2\n', 0]);
  expect(stderr).toMatch(expected);
});

test('a printed list whose state the server no longer has begins anew, once', async () => {
  let asked = 0;
  await using kube = await serveKube((request, response) => {
    const next = new URL(request.url ?? '', 'http://x').searchParams.get('continue');
    if (next !== null && ++asked === 1)
      return answerJson(response, { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }, 410);
    answerJson(response, {
      kind: 'Table',
      metadata: next === null ? { continue: 'more' } : {},
      columnDefinitions: [{ name: 'Name' }],
      rows: [{ cells: [next ?? 'first'], object: { metadata: { name: next ?? 'first' } } }],
    });
  });
  const { stdout, code } = await run(['node', 'list'], {
    env: { KUBECONFIG: kube.kubeconfig, CILIUM_TARGET: 'cluster' },
  });
  expect([stdout, code, asked]).toEqual(['NAME\nfirst\nmore\n', 0, 2]);
});
