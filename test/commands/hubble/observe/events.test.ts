import { describe, expect, test } from '@jest/globals';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import { recordedMessages, serveGrpc } from '../../../helpers/grpc.ts';
import { run } from '../../../helpers/run.ts';

describe('observe agent-events', () => {
  const recorded = {
    '/observer.Observer/GetAgentEvents': { messages: recordedMessages('getagentevents.grpc') },
  };
  const events = async (...flags: string[]) => {
    await using server = await serveGrpc(recorded);
    return (await run(['hubble', 'observe', 'agent-events', '--server', server.address, ...flags])).stdout;
  };

  test('prints a line for each', async () => {
    const [line = ''] = (await events()).split('\n');
    expect(line).toMatch(
      /^Nov 22 \d\d:\d\d:\d\d\.\d{3}: ENDPOINT_REGENERATE_SUCCESS \(id: \d+, labels: \[[^\]]+\]\)$/,
    );
  });

  test('prints JSON in the form of the recorded file', async () => {
    const lines = (await events('-o', 'json')).trimEnd().split('\n');
    expect(lines).toHaveLength(recorded['/observer.Observer/GetAgentEvents'].messages.length);
    for (const line of lines) expect(JSON.parse(line).agent_event.type).toMatch(/^[A-Z_]+$/);
  });

  test('glues the separator of dicts to the next record, as the reference does', async () => {
    expect(await events('-o', 'dict', '--print-node-name')).toMatch(
      /^ {2}TIMESTAMP: .*\n {7}NODE: lab\/node1\n {7}TYPE: \w+\n {4}DETAILS: .*\n-{12} {2}TIMESTAMP: /,
    );
  });

  test.each(['--numeric', '--color=never', '--verdict=DROPPED', '--allowlist={}'])(
    'has no flag %s',
    async (word) => {
      const { stdout, stderr, code } = await run(['hubble', 'observe', 'agent-events', word]);
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
      expect(stderr).toMatch(/unknown option/);
    },
  );

  test('asks for the last 20 even when it follows', async () => {
    await using server = await serveGrpc(recorded);
    await run(['hubble', 'observe', 'agent-events', '--follow', '--server', server.address]);
    expect(server.seen[0]?.requests[0]?.toString('hex')).toBe('08141001');
  });
});

test('observe debug-events prints where a message comes from, its mark and its CPU', async () => {
  const messages = [
    encode('observer.GetDebugEventsResponse', {
      debug_event: {
        type: 'DBG_CT_MATCH',
        source: { ID: 7, namespace: 'default', pod_name: 'web' },
        hash: 255,
        cpu: 3,
        message: 'CT entry found',
      },
      time: '2026-11-22T08:00:00Z',
    }),
    encode('observer.GetDebugEventsResponse', {
      debug_event: { source: { ID: 1, labels: ['reserved:host'] } },
    }),
  ];
  await using server = await serveGrpc({ '/observer.Observer/GetDebugEvents': { messages } });
  const { stdout } = await run(['hubble', 'observe', 'debug-events', '--server', server.address]);
  expect(stdout).toBe(
    'Nov 22 08:00:00.000: default/web (ID: 7) DBG_CT_MATCH MARK: 0xff CPU: 03 (CT entry found)\n' +
      'N/A: reserved:host (ID: 1) DBG_EVENT_UNKNOWN MARK: N/A CPU: N/A ()\n',
  );
});

test.each([
  ['agent-events', 'GetAgentEvents', 'not an agent event'],
  ['debug-events', 'GetDebugEvents', 'not a debug event'],
])('observe %s refuses an answer without an event', async (verb, method, why) => {
  const messages = [encode('observer.GetAgentEventsResponse', { node_name: 'n' })];
  await using server = await serveGrpc({ [`/observer.Observer/${method}`]: { messages } });
  for (const format of ['compact', 'dict', 'table', 'json']) {
    const argv = ['hubble', 'observe', verb, '-o', format, '--server', server.address];
    expect(await run(argv)).toEqual({ stdout: '', stderr: `${why}\n`, code: 1 });
  }
});
