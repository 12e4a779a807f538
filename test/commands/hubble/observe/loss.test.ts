import { describe, expect, test } from '@jest/globals';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import type { GetFlowsResponse, LostEvent } from '../../../../src/model/hubble.gen.ts';
import { serveGrpc } from '../../../helpers/grpc.ts';
import { run } from '../../../helpers/run.ts';

const time = '2026-11-22T08:00:00Z';
const flow: GetFlowsResponse = { flow: { time, verdict: 'FORWARDED' }, time };
const lost = (source: LostEvent['source'], num: string): GetFlowsResponse => ({
  lost_events: { ...(source && { source }), num_events_lost: num },
  time,
});
/** 6 of 10 events are lost. */
const MESSAGES = [flow, lost('HUBBLE_RING_BUFFER', '4'), flow, flow, lost(undefined, '2'), flow];
const LINE = '6 events lost (60.00 %): HUBBLE_RING_BUFFER 4, UNKNOWN_LOST_EVENT_SOURCE 2';
const ADVICE = 'this reader falls behind: narrow the filter or raise hubble-event-buffer-capacity';

async function observe(words: readonly string[], messages = MESSAGES, columns?: number) {
  await using server = await serveGrpc({
    '/observer.Observer/GetFlows': { messages: messages.map((m) => encode('observer.GetFlowsResponse', m)) },
  });
  return await run(
    ['hubble', 'observe', '--server', server.address, ...words],
    columns === undefined ? {} : { columns },
  );
}

describe('lost events', () => {
  test('are printed among the flows', async () => {
    const { stdout, stderr } = await observe([]);
    expect(stdout.match(/EVENTS LOST/g)).toHaveLength(2);
    expect(stderr).toBe('');
  });

  test.each([[['--loss-summary']], [['--max-loss', '60']]])('are counted instead with %j', async (words) => {
    const { stdout, stderr, code } = await observe(words);
    expect(stdout.trimEnd().split('\n')).toHaveLength(4);
    expect(stdout).not.toContain('LOST');
    expect({ stderr, code }).toEqual({ stderr: `${LINE} — ${ADVICE}\n`, code: 0 });
  });

  test('keep one line of a terminal up to date', async () => {
    const { stderr } = await observe(['--loss-summary'], MESSAGES, 80);
    const shown = stderr.split('\r\u001b[K').slice(1);
    expect(shown.length).toBeGreaterThan(1);
    expect(shown.at(-1)).toBe(`${LINE} — ${ADVICE}\n`);
    expect(shown[0]).not.toContain('\n');
  });

  test('come without advice from where there is none', async () => {
    const { stderr } = await observe(['--loss-summary'], [flow, lost(undefined, '1')]);
    expect(stderr).toBe('1 events lost (50.00 %): UNKNOWN_LOST_EVENT_SOURCE 1\n');
  });

  test('are not spoken of when there are none', async () => {
    expect(await observe(['--loss-summary', '--max-loss', '0', '-o', 'json'], [flow])).toMatchObject({
      stderr: '',
      code: 0,
    });
  });

  test.each([
    [[], '59.99'],
    [['--top', 'verdict'], '59.99%'],
    [['--collapse'], '0'],
  ] as const)('beyond --max-loss make %j fail', async (words, limit) => {
    const { stderr, code } = await observe([...words, '--max-loss', limit]);
    expect(stderr).toContain(LINE);
    expect(code).toBe(1);
  });

  test('stand below a ranking', async () => {
    expect((await observe(['--top', 'verdict'])).stderr).toContain(LINE);
  });
});

test.each(['', 'x', '-1', '100.5'])('--max-loss "%s" is refused', async (share) => {
  const { stderr, code } = await run(['hubble', 'observe', `--max-loss=${share}`]);
  expect(code).toBe(1);
  expect(stderr).toContain('expected a share between 0 and 100');
});
