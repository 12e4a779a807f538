import { expect, test } from '@jest/globals';
import { viewConnections } from '../../../../src/commands/hubble/observe/view-connections.ts';
import type { Flow, GetFlowsResponse } from '../../../../src/model/hubble.gen.ts';
import { timeFormat } from '../../../../src/render/hubble/flow-time.ts';
import { fixturePath, fixtureText } from '../../../helpers/recordings.ts';
import { run, testContext } from '../../../helpers/run.ts';

const FILE = fixturePath('recordings/flows-1.20.jsonl');
const FLOWS = fixtureText('recordings/flows-1.20.jsonl')
  .trimEnd()
  .split('\n')
  .map((line) => (JSON.parse(line) as GetFlowsResponse).flow ?? {});
const collapse = (...words: string[]) =>
  run(['hubble', 'observe', '--input-file', FILE, '--collapse', ...words]);

interface Printed {
  forward: number;
  reply: number;
}

test('--collapse prints every flow in one of its connections', async () => {
  const { stdout, stderr, code } = await collapse('-o', 'json');
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const connections = stdout
    .trimEnd()
    .split('\n')
    .map((line): Printed => JSON.parse(line));
  expect(connections.reduce((sum, { forward, reply }) => sum + forward + reply, 0)).toBe(FLOWS.length);
  expect((await collapse()).stdout.trimEnd().split('\n')).toHaveLength(connections.length);
});

test('--collapse takes filters, --where and a limit like lines do', async () => {
  const wanted = ['--verdict', 'DROPPED', '--where', 'dst.port >= 1024', '--last', '3', '-o', 'json'];
  const lines = await run(['hubble', 'observe', '--input-file', FILE, ...wanted]);
  expect(lines.stdout.trimEnd().split('\n')).toHaveLength(3);
  const { stdout } = await collapse(...wanted);
  const connections = stdout
    .trimEnd()
    .split('\n')
    .map((line): Printed => JSON.parse(line));
  expect(connections.reduce((sum, { forward, reply }) => sum + forward + reply, 0)).toBe(3);
});

const flow = (port: number, second = 0): { flow: Flow } => ({
  flow: {
    time: `2026-11-22T08:00:0${second}Z`,
    verdict: 'FORWARDED',
    IP: { source: '10.0.0.1', destination: '10.0.0.2' },
    l4: { TCP: { source_port: port, destination_port: 80 } },
  },
});
const STYLE = {
  time: timeFormat('RFC3339'),
  color: false,
  nodeName: false,
  translateIps: true,
  policyNames: false,
};

/** What was printed before each batch came, and at the end. The clock moves to the time of the batch. */
async function view(follow: boolean, batches: readonly [seconds: number, GetFlowsResponse[]][]) {
  const stdout: Buffer[] = [];
  const start = Date.parse('2026-11-22T08:00:00Z');
  let nowMs = start;
  const context = testContext({}, stdout);
  const ctx = { ...context, clock: { ...context.clock, nowMs: () => nowMs } };
  const printed = () =>
    stdout
      .splice(0)
      .map(String)
      .join('')
      .match(/10\.0\.0\.1:\d+/g) ?? [];
  const steps: string[][] = [];
  const source = async function* () {
    for (const [seconds, batch] of batches) {
      nowMs = start + seconds * 1000;
      yield batch;
      steps.push(printed());
    }
  };
  await viewConnections(source(), { json: false, style: STYLE, follow }, ctx);
  return [...steps, printed()];
}

test('a connection that is followed is printed once it is quiet for two seconds', async () => {
  expect(
    await view(true, [
      [0, [flow(1)]],
      [2, [flow(2, 2)]],
      [2.1, [{ lost_events: {} }]],
      [9, []],
    ]),
  ).toEqual([[], [], ['10.0.0.1:1'], ['10.0.0.1:2'], []]);
});

test('a connection of a record that ends is printed at its end', async () => {
  expect(
    await view(false, [
      [0, [flow(1)]],
      [9, [flow(2)]],
    ]),
  ).toEqual([[], [], ['10.0.0.1:1', '10.0.0.1:2']]);
});

test('connections beyond what is held are printed at once, the quietest first', async () => {
  const many = Array.from({ length: 20_001 }, (_, port) => flow(port + 1));
  const [first, end] = await view(false, [[0, many]]);
  expect(first).toEqual(['10.0.0.1:1']);
  expect(end).toHaveLength(20_000);
});
