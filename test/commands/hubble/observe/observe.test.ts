import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import type { Flow } from '../../../../src/model/hubble.gen.ts';
import { recordedMessages, serveGrpc } from '../../../helpers/grpc.ts';
import { fixturePath, fixtureText } from '../../../helpers/recordings.ts';
import { type RunOptions, run } from '../../../helpers/run.ts';

const RECORDED = fixturePath('recordings/flows-1.20.jsonl');
const [FIRST = '', SECOND = '', THIRD = ''] = fixtureText('recordings/flows-1.20.jsonl').split('\n');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'observe-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs observe on these lines. */
function observe(lines: readonly string[], flags: readonly string[] = [], options: RunOptions = {}) {
  const file = join(folder, 'flows.jsonl');
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  return run(['hubble', 'observe', '--input-file', file, ...flags], options);
}

const flow = (fields: Flow) => JSON.stringify({ flow: { time: '2026-11-22T08:00:00Z', ...fields } });

describe('observe reads a file', () => {
  test('with a line far longer than the reference can hold', async () => {
    const long = flow({ IP: { source: '1.1.1.1', destination: '2.2.2.2' }, Summary: 'x'.repeat(3_000_000) });
    const { stdout, code } = await observe([FIRST, long, SECOND], ['-o', 'json']);
    expect(stdout).toBe(`${FIRST}\n${long}\n${SECOND}\n`);
    expect(code).toBe(0);
  });

  test('past lines that are broken or cut short, and names each', async () => {
    const broken = ['nonsense', '{"flow":', '[1]', '{"flow":{"verdict":"NOPE"}}', '', FIRST.slice(0, 300)];
    const { stdout, stderr, code } = await observe([FIRST, ...broken, SECOND], ['-o', 'json'], { nowMs: 0 });
    expect(stdout).toBe(`${FIRST}\n${SECOND}\n`);
    expect(code).toBe(0);
    const warnings = stderr.trimEnd().split('\n');
    expect(warnings).toHaveLength(5);
    for (const warning of warnings)
      expect(warning).toMatch(/level=WARN msg="Failed to unmarshal JSON" error="proto: /);
    expect(warnings[3]).toContain('invalid value for enum field verdict');
  });

  test('with fields of a later release, and warns of them once', async () => {
    const later = FIRST.replace('"uuid"', '"shiny":{"a":[1]},"uuid"');
    const { stdout, stderr } = await observe([later, later, SECOND], ['-o', 'json']);
    expect(stdout).toBe(`${FIRST}\n${FIRST}\n${SECOND}\n`);
    expect(stderr.match(/WARN/g)).toHaveLength(1);
    expect(stderr).toMatch(/unknown field/);
  });

  test('without a newline at its end, and from stdin', async () => {
    const { stdout } = await run(['hubble', 'observe', '--input-file', '-', '-o', 'json'], {
      stdin: `${FIRST}\r\n${SECOND}`,
    });
    expect(stdout).toBe(`${FIRST}\n${SECOND}\n`);
  });

  test.each([
    [
      ['--first', '2'],
      [FIRST, SECOND],
    ],
    [['--last', '1'], [THIRD]],
    [
      ['--last', '2'],
      [SECOND, THIRD],
    ],
    [
      ['--last', '9'],
      [FIRST, SECOND, THIRD],
    ],
    [['--all'], [FIRST, SECOND, THIRD]],
  ] as const)('and keeps with %j what is asked for', async (flags, lines) => {
    for (const format of ['json', 'compact']) {
      const { stdout } = await observe([FIRST, SECOND, THIRD], [...flags, '-o', format]);
      expect(stdout).toBe((await observe(lines, ['-o', format])).stdout);
    }
  });

  test('and refuses to keep more than a million', async () => {
    const { stderr, code } = await observe([FIRST], ['--last', '1000001']);
    expect({ stderr, code }).toEqual({ stderr: '--last must be <= 1_000_000, got 1000001\n', code: 1 });
  });
});

describe('what comes from the cluster', () => {
  const evil = flow({
    IP: { source: '1.1.1.1', destination: '2.2.2.2' },
    source: { namespace: 'a\u001b[2J', pod_name: 'b\rc\nd' },
    node_name: '\u009b1m',
    Summary: '\u001b]0;title\u0007',
  });

  test.each(['compact', 'dict', 'table'])('never reaches the terminal raw in %s', async (format) => {
    const { stdout } = await observe([evil], ['-o', format, '--print-node-name', '--color', 'never']);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(stdout).toContain('a^[[2J/b\\rc\\nd');
  });

  test('is escaped over the wire too', async () => {
    const message = encode('observer.GetFlowsResponse', JSON.parse(evil));
    await using server = await serveGrpc({ '/observer.Observer/GetFlows': { messages: [message] } });
    const { stdout } = await run(['hubble', 'observe', '--server', server.address]);
    expect(stdout).toBe(
      'Nov 22 08:00:00.000: a^[[2J/b\\rc\\nd (unknown) <> 2.2.2.2 (unknown) UNKNOWN VERDICT_UNKNOWN (^[]0;title\\x07)\n',
    );
  });

  test('is escaped in JSON as the reference does', async () => {
    const { stdout } = await observe([flow({ Summary: '<a>&"\u0007\u2028' })], ['-o', 'json']);
    expect(stdout).toContain('"Summary":"\\u003ca\\u003e\\u0026\\"\\u0007\\u2028"');
  });
});

describe('the printers', () => {
  test('name the policies that decided, and how a flow was authenticated', async () => {
    const line = flow({
      verdict: 'DROPPED',
      auth_type: 'SPIRE',
      IP: { source: '1.1.1.1', destination: '2.2.2.2' },
      event_type: { type: 5 },
      traffic_direction: 'INGRESS',
      ingress_denied_by: [{ name: 'deny', kind: 'CiliumNetworkPolicy' }, { name: 'nokind' }],
      ip_trace_id: { trace_id: '7' },
      Summary: 'TCP',
    });
    const { stdout } = await observe([line], ['--print-policy-names']);
    expect(stdout).toBe(
      'Nov 22 08:00:00.000: 1.1.1.1 (unknown) <> 2.2.2.2 (unknown) policy-verdict:none INGRESS DENIED BY deny (CiliumNetworkPolicy) (IP Trace ID: 7; TCP; Auth: SPIRE)\n',
    );
  });

  test('give bare flows to those who still read them', async () => {
    const { stdout } = await observe([FIRST], ['-o', 'json'], {
      env: { HUBBLE_COMPAT: 'x,legacy-json-output' },
    });
    expect(stdout).toBe(`${JSON.stringify(JSON.parse(FIRST).flow)}\n`);
  });

  test('print no table without records', async () => {
    const { stdout, code } = await observe([FIRST], ['-o', 'table', '--verdict', 'ERROR']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
  });

  test('take filters from the environment after those of the flags', async () => {
    const { stdout } = await run(['hubble', 'observe', '--print-raw-filters', '--pod', 'b'], {
      env: { HUBBLE_ALLOWLIST: '{"source_pod":["a/"]}{"verdict":["DROPPED"]}' },
    });
    expect(stdout).toContain(`- '{"source_pod":["a/"]}'\n    - '{"verdict":["DROPPED"]}'\n`);
  });
});

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

test('watch peers prints who comes and goes', async () => {
  const messages = [
    encode('peer.ChangeNotification', {
      name: 'lab/node1',
      address: '10.0.0.1:4244',
      type: 'PEER_ADDED',
      tls: { server_name: 'node1.lab.hubble-grpc.cilium.io' },
    }),
  ];
  await using server = await serveGrpc({ '/peer.Peer/Notify': { messages } });
  const { stdout } = await run(['hubble', 'watch', 'peers', '--server', server.address]);
  expect(stdout).toBe(
    'PEER_ADDED   10.0.0.1:4244 lab/node1 (TLS.ServerName: node1.lab.hubble-grpc.cilium.io)\n',
  );
});

test('cilium observe is hubble observe', async () => {
  const flags = ['--input-file', RECORDED, '--last', '3'];
  expect(await run(['observe', ...flags])).toEqual(await run(['hubble', 'observe', ...flags]));
});

test.each([
  [['--verdict', 'dropped'], /invalid --verdict value: dropped/],
  [['--not', '--not', '--pod', 'a'], /consecutive --not statements/],
  [['--pod', 'a', '--not'], /trailing --not found in the arguments/],
  [['--fqdn', 'a..'], /multiple trailing dots in pattern/],
  [['--http-url', '('], /invalid http url filter: failed to compile regexp/],
  [['-t', 'drop', '--http-method', 'get'], /requires the event type filter to only match 'l7' events/],
  [['--protocol', 'quux'], /unknown protocol: "quux"/],
  [['--label', '!!'], /invalid label filter/],
  [['--node-name', 'a/b/c'], /too many slashes/],
  [['--cel-expression', '_flow.nope == 1'], /failed to compile CEL expression/],
  [['-o', 'table', '--field-mask', 'uuid'], /not compatible with custom field mask/],
  [['-o', 'json', '--field-mask', 'nope'], /invalid path "nope" for message "flow.Flow"/],
  [['--last', '-1'], /invalid argument "-1" for "--last" flag/],
])('observe %j is refused before anything is printed', async (flags, message) => {
  const { stdout, stderr, code } = await observe([FIRST], flags);
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^Error: /);
});

test('a pattern that would take other engines for ever is answered at once', async () => {
  const line = flow({ l7: { http: { url: `http://h/${'a'.repeat(2000)}` } } });
  const { code } = await observe([line], ['--http-url', '(a+)+$b', '--http-path', '(a|aa)*c']);
  expect(code).toBe(0);
});
