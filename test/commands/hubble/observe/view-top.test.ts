import { expect, test } from '@jest/globals';
import { viewTop } from '../../../../src/commands/hubble/observe/view-top.ts';
import type { Context } from '../../../../src/context.ts';
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
    expect.stringMatching(new RegExp(`^FORWARDED +${count('FORWARDED')} `)),
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
  await viewTop(source, { keys: ['uuid'], rows: 5, follow: true, json: false, ...more }, ctx);
  return [...steps, drawn()];
}

const BATCHES: [number, GetFlowsResponse[]][] = [
  [999, [flow('a')]],
  [1000, [flow('b'), { lost_events: {} }]],
  [1500, [flow('b')]],
  [2000, [flow('b')]],
];

test('a followed ranking is drawn again every second, on a screen of its own, and stays when that ends', async () => {
  const [early, first = '', between, second = '', final = ''] = await live(BATCHES);
  expect([early, between]).toEqual(['', '']);
  expect(first).toMatch(/^\u001b\[\?1049h\u001b\[\?25l\u001b\[H.*2 flows · 1s/);
  expect(second).toMatch(/^\u001b\[H.*4 flows · 2s/);
  expect(second).toContain('1.5/s');
  const [, left = ''] = final.split('\u001b[?25h\u001b[?1049l');
  expect(left.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual([
    'UUID',
    'b',
    'a',
    '',
    '4 flows',
    '',
  ]);
});

test('what is said of the source stands in the title of a followed ranking, and on stderr at its end', async () => {
  const [stdout, stderr]: Buffer[][] = [[], []];
  const ctx = testContext({ columns: 60, rows: 4 }, stdout, stderr);
  const source = async function* (told: Context) {
    yield ['a', 'b', 'c'].map((uuid) => flow(uuid));
    await told.err.write('The stream broke: connecting again.\n');
  };
  await viewTop(source, { keys: ['uuid'], rows: 5, follow: true, json: false }, ctx);
  const shown = Buffer.concat(stdout ?? []).toString();
  expect(shown).toContain('\u001b[33mThe stream broke: connecting again.\u001b[39m');
  expect(shown).toContain('… 3 more of 3 lines do not fit');
  expect(Buffer.concat(stderr ?? []).toString()).toBe('The stream broke: connecting again.\n');
});

test('replies count for what they answer, where an end of a connection is asked for', async () => {
  const end = (pod_name: string) => ({ namespace: 'shop', pod_name });
  const ports = (source_port: number, destination_port: number) => ({
    l4: { TCP: { source_port, destination_port } },
  });
  const call = { source: end('web'), destination: end('api'), is_reply: false, ...ports(40000, 80) };
  const reply = { source: end('api'), destination: end('web'), is_reply: true, ...ports(80, 40000) };
  const ranked = async (...keys: string[]) => {
    const stdout: Buffer[] = [];
    const source = async function* () {
      yield [{ flow: call }, { flow: reply }, { flow: reply }] as GetFlowsResponse[];
    };
    await viewTop(source, { keys, rows: 5, follow: false, json: false }, testContext({}, stdout));
    return Buffer.concat(stdout)
      .toString()
      .replaceAll(/ +\d\d:\d\d:\S+/g, '')
      .split('\n');
  };
  expect((await ranked('src', 'dst', 'port')).slice(1)).toEqual([
    'shop/web   shop/api   80         3       100.0%',
    '',
    '3 flows, of which 2 are replies, counted with what they answer',
    '',
  ]);
  expect((await ranked('reply')).slice(1, 3)).toEqual(['true    2       66.7%', 'false   1       33.3%']);
});

test.each([
  [{ follow: false }, 'UUID'],
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
  const { stdout, stderr, code } = await run(
    ['hubble', 'observe', '--follow', '--top', 'src,dst,verdict,uuid', '--server', server.address],
    { columns: 40, nowMs: 1_700_000_000_000 },
  );
  expect([stderr, code]).toEqual(['', 0]);
  const lines = stdout
    .replaceAll(/\u001b\[(?:H|\?1049l)/g, '\n')
    .replaceAll(/\u001b\[[?\d;]*[A-Za-z]/g, '')
    .split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBe(40);
});
