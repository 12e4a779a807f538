import { expect, test } from '@jest/globals';
import { ProgressLine } from '../../src/cli/progress.ts';
import { CLEAR_LINE } from '../../src/render/text/screen.ts';
import { answerJson, serveKube } from '../helpers/kube.ts';
import { run } from '../helpers/run.ts';

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
