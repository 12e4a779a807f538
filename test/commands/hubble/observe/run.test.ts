import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import type { Flow } from '../../../../src/model/hubble.gen.ts';
import { serveGrpc } from '../../../helpers/grpc.ts';
import { fixturePath, fixtureText } from '../../../helpers/recordings.ts';
import { type RunOptions, run } from '../../../helpers/run.ts';

const RECORDED = fixturePath('recordings/flows-1.20.jsonl');
const [FIRST = ''] = fixtureText('recordings/flows-1.20.jsonl').split('\n');

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

describe('what comes from the cluster', () => {
  const evil = flow({
    IP: { source: '1.1.1.1', destination: '2.2.2.2' },
    source: { namespace: 'a\u001b[2J', pod_name: 'b\rc\nd' },
    node_name: '\u009b1m',
    Summary: '\u001b]0;title\u0007',
  });

  // differs: observe-control
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

  test('print a table without colours, which would count as width', async () => {
    const plain = await observe([FIRST], ['-o', 'table', '--color', 'never']);
    const { stdout } = await observe([FIRST], ['-o', 'table', '--color', 'always']);
    expect(stdout).toBe(plain.stdout);
    expect((await observe([FIRST], ['-o', 'dict', '--color', 'always'])).stdout).toContain('\u001b[');
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

test('cilium observe is hubble observe', async () => {
  const flags = ['--input-file', RECORDED, '--last', '3'];
  expect(await run(['observe', ...flags])).toEqual(await run(['hubble', 'observe', ...flags]));
});

test.each([
  [['--verdict', 'dropped'], /invalid --verdict value: dropped/],
  [['--not', '--not', '--pod', 'a'], /consecutive --not statements/],
  [['--pod', 'a', '--not'], /trailing --not found in the arguments/],
  [['--fqdn', 'a..'], /multiple trailing dots in pattern/],
  [['--http-url', '('], /^invalid http url filter: \(: error parsing regexp: missing closing \): `\(`/],
  [['-t', 'drop', '--http-method', 'get'], /requires the event type filter to only match 'l7' events/],
  [['--protocol', 'quux'], /unknown protocol: "quux"/],
  [['--label', '!!'], /invalid label filter/],
  [['--node-name', 'a/b/c'], /too many slashes/],
  [['--cel-expression', '_flow.nope == 1'], /failed to compile CEL expression/],
  [['-o', 'table', '--field-mask', 'uuid'], /not compatible with custom field mask/],
  [['-o', 'json', '--field-mask', 'nope'], /invalid path "nope" for message "flow.Flow"/],
  [['--last', '-1'], /invalid argument "-1" for "--last" flag/],
  [['-o', 'table', '-f'], /table output format is not compatible with follow mode/],
  [['--reply', '--not-reply'], /filters --reply and --not-reply cannot be combined/],
  [['--to-cluster', ''], /name must not be empty/],
  [['--not', '--from-service', ''], /name must not be empty/],
  [['--pod', ''], /name must not be empty/],
  [['--node-name', ''], /empty pattern/],
  [['--http-status', '600'], /invalid status code prefix: "600"/],
  [['-n', 'a', '-n', 'b', '--service', 'a/x'], /namespace conflict: "b" does not contain "a\/x"/],
  [['--from-all-namespaces', '--service', 'a/x'], /namespace conflict: "" does not contain "a\/x"/],
  [['--from-pod', 'a/x', '--from-service', 'y'], /namespace of service "y" conflict with pod "a"/],
])('observe %j is refused before anything is printed', async (flags, message) => {
  const { stdout, stderr, code } = await observe([FIRST], flags);
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^Error: /);
});

test.each([
  [['--since', 'yesterday'], /failed to parse the since time: failed to convert yesterday to time/],
  [['--until', 'x'], /failed to parse the until time/],
  [['--first', '1', '--last', '1'], /cannot set both --first and --last/],
  [['--first', '1', '--all'], /cannot set both --first and --all/],
  [['-o', 'nope'], /invalid output format: nope/],
  [['--field-mask', 'source'], /compact output format is not compatible with custom field mask/],
  [['-o', 'json', '--field-mask', 'nope'], /invalid path "nope"/],
  [['-o', 'table', '--follow'], /not compatible with follow mode/],
  [['--denylist', '{"nope":1}'], /invalid --denylist flag/],
])('--print-raw-filters %j is refused as the real call is', async (flags, message) => {
  const { stdout, stderr, code } = await run(['hubble', 'observe', '--print-raw-filters', ...flags]);
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  expect(stderr).toMatch(message);
});

test('--reply and --not-reply ask for what answers, and for what does not', async () => {
  const lines = [true, false, undefined].map((is_reply, i) =>
    flow({ uuid: String(i), ...(is_reply !== undefined && { is_reply }) }),
  );
  const uuids = async (word: string) =>
    (await observe(lines, [word, '-o', 'json'])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).flow.uuid);
  expect(await uuids('--reply')).toEqual(['0']);
  expect(await uuids('--not-reply')).toEqual(['1']);
});

test.each([
  [{ event_type: { type: 4 }, verdict: 'DROPPED' }, 'DROPPED'],
  [{ verdict: 'FORWARDED' }, 'ALLOWED BY yes (CNP)'],
  [{ verdict: 'REDIRECTED' }, 'ALLOWED BY yes (CNP)'],
  [{ verdict: 'ERROR' }, 'DENIED BY no (CCNP)'],
  [{ verdict: 'AUDIT' }, 'AUDITED BY no (CCNP)'],
  [{ verdict: 'TRACED' }, 'TRACED'],
  [{ verdict: 'DROPPED', traffic_direction: 'INGRESS' }, 'DENIED'],
] as const)('--print-policy-names names for %j those that decided', async (fields, verdict) => {
  const line = flow({
    event_type: { type: 5 },
    traffic_direction: 'EGRESS',
    egress_allowed_by: [{ name: 'yes', kind: 'CNP' }],
    egress_denied_by: [{ name: 'no', kind: 'CCNP' }],
    ...fields,
  });
  const { stdout } = await observe([line], ['--print-policy-names', '-o', 'dict']);
  expect(stdout).toContain(`VERDICT: ${verdict}\n`);
});

// differs: re2
test('a pattern that would take other engines for ever is answered at once', async () => {
  const line = flow({ l7: { http: { url: `http://h/${'a'.repeat(2000)}` } } });
  const { code } = await observe([line], ['--http-url', '(a+)+$b', '--http-path', '(a|aa)*c']);
  expect(code).toBe(0);
});

test.each([
  [[], 'Range: follow'],
  [['--last', '5'], 'Range: follow'],
  [['--first', '5'], 'Range: number 5'],
])('a live screen %j says: %s', async (words, range) => {
  await using server = await serveGrpc({});
  const { stderr } = await run(
    ['hubble', 'observe', '--tui', '--explain', '--server', server.address, ...words],
    { columns: 80, typed: [] },
  );
  expect(stderr).toContain(range);
});
