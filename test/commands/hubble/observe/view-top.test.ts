import { expect, test } from '@jest/globals';
import { viewTop } from '../../../../src/commands/hubble/observe/view-top.ts';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import type { GetFlowsResponse } from '../../../../src/model/hubble.gen.ts';
import { serveGrpc } from '../../../helpers/grpc.ts';
import { fixturePath, fixtureText } from '../../../helpers/recordings.ts';
import { run, testContext } from '../../../helpers/run.ts';

const FILE = fixturePath('recordings/flows-1.20.jsonl');
const VERDICTS = fixtureText('recordings/flows-1.20.jsonl')
  .trimEnd()
  .split('\n')
  .map((line) => (JSON.parse(line) as GetFlowsResponse).flow?.verdict);
const top = (...words: string[]) => run(['hubble', 'observe', '--input-file', FILE, '--top', ...words]);
const count = (verdict: string) => VERDICTS.filter((each) => each === verdict).length;

test('--top counts every flow of a file', async () => {
  const { rows, total } = JSON.parse((await top('verdict', '-o', 'json')).stdout);
  expect(total).toBe(VERDICTS.length);
  expect(rows.map(({ verdict, count: flows }: Record<string, unknown>) => [verdict, flows])).toEqual(
    ['FORWARDED', 'DROPPED', 'REDIRECTED'].map((verdict) => [verdict, count(verdict)]),
  );
});

test('--top-rows cuts the ranking, the total stays', async () => {
  const { stdout } = await top('verdict', '--top-rows', '1');
  expect(stdout.split('\n').slice(1)).toEqual([
    expect.stringMatching(new RegExp(`^${count('FORWARDED')} .* FORWARDED$`)),
    '',
    `${VERDICTS.length} flows`,
    '',
  ]);
});

test.each([
  ['verdikt', 'Did you mean "verdict"?'],
  ['zzzzzzzz', 'The keys are the fields of --where: see --where help.'],
])('--top %s is refused with a hint', async (key, hint) => {
  const { stdout, stderr, code } = await top(key);
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  expect(stderr).toContain(`--top: there is no key "${key}"`);
  expect(stderr).toContain(hint);
});

const flow = (uuid: string, time?: string): GetFlowsResponse => ({ flow: { uuid, ...(time && { time }) } });

/** What each batch made the ranking draw in a terminal; the clock moves to the time of the batch. */
async function live(
  batches: readonly [ms: number, GetFlowsResponse[]][],
  more: { follow?: boolean; json?: boolean } = {},
) {
  const stdout: Buffer[] = [];
  let nowMs = 0;
  const context = testContext({ columns: 40 }, stdout);
  const ctx = { ...context, clock: { ...context.clock, nowMs: () => nowMs } };
  const drawn = () => stdout.splice(0).map(String).join('');
  const steps: string[] = [];
  const source = async function* () {
    for (const [ms, batch] of batches) {
      nowMs = ms;
      yield batch;
      steps.push(drawn());
    }
  };
  await viewTop(source(), { keys: ['uuid'], rows: 5, follow: true, json: false, ...more }, ctx);
  return [...steps, drawn()];
}

const BATCHES: [number, GetFlowsResponse[]][] = [
  [999, [flow('a')]],
  [1000, [flow('b'), { lost_events: {} }]],
  [1500, [flow('b')]],
  [2000, [flow('b')]],
];

test('a followed ranking is drawn again every second, in place of the one before', async () => {
  const [early, first = '', between, second = '', final = ''] = await live(BATCHES);
  expect([early, between]).toEqual(['', '']);
  expect(first).toContain('2 flows');
  expect(first).not.toContain('\u001b');
  expect(second.startsWith('\u001b[5A\u001b[J')).toBe(true);
  expect(second).toContain('4 flows');
  expect(second).toContain('1.5/s');
  expect(final.startsWith('\u001b[5A\u001b[J')).toBe(true);
});

test.each([
  [{ follow: false }, 'FLOWS'],
  [{ json: true }, '{'],
])('a ranking with %j is printed once, at the end', async (more, start) => {
  const [final = '', ...before] = (await live(BATCHES, more)).reverse();
  expect(before.join('')).toBe('');
  expect(final.startsWith(start)).toBe(true);
  expect(final).not.toContain('RATE');
});

test('the times of a ranking are those of the flows, else those of their arrival', async () => {
  const { rows } = JSON.parse(
    (await live([[5000, [flow('a'), flow('b', '2026-11-22T08:00:00Z')]]], { json: true })).join(''),
  );
  expect(rows.map((row: { first_seen: string }) => row.first_seen)).toEqual([
    '1970-01-01T00:00:05.000Z',
    '2026-11-22T08:00:00.000Z',
  ]);
});

test('a ranking in a narrow terminal is drawn in lines that do not wrap', async () => {
  const messages = [1, 2].map((n) => encode('observer.GetFlowsResponse', flow(`flow-${n}`)));
  await using server = await serveGrpc({ '/observer.Observer/GetFlows': { messages } });
  const { stdout } = await run(
    ['hubble', 'observe', '--follow', '--top', 'src,dst,verdict,uuid', '--server', server.address],
    { columns: 40, nowMs: 1_700_000_000_000 },
  );
  const lines = stdout.replaceAll(/\u001b\[\d*[AJ]/g, '').split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBe(40);
});
