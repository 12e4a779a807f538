import { describe, expect, test } from '@jest/globals';
import { lineReader } from '../../../src/hubble/captures/line-reader.ts';
import { decode, encode } from '../../../src/hubble/protobuf/codec.ts';
import { rowLines } from '../../../src/hubble/scan/holes.ts';
import { chunkReader } from '../../../src/hubble/scan/scanner.ts';
import type { FlowRow } from '../../../src/model/flow-row.ts';
import type { FlowFilter, GetFlowsResponse } from '../../../src/model/hubble.gen.ts';
import { sanitizeRow } from '../../../src/render/hubble/flow.ts';
import { type FlowFormat, FlowRenderer } from '../../../src/render/hubble/flow-renderer.ts';
import { timeFormat } from '../../../src/render/hubble/flow-time.ts';
import { goJson } from '../../../src/render/text/json.ts';
import { forTerminal } from '../../../src/render/text/sanitize.ts';
import { messages } from '../../helpers/hubble-arbitrary.ts';
import fc from '../../helpers/properties.ts';
import { fixtureText } from '../../helpers/recordings.ts';

const STYLE = {
  time: timeFormat('RFC3339Nano'),
  color: false,
  nodeName: true,
  translateIps: true,
  policyNames: true,
};
const RECORDED = fixtureText('recordings/flows-1.20.jsonl').trimEnd().split('\n');

interface Query {
  allow: FlowFilter[];
  deny: FlowFilter[];
  since?: { seconds: number; nanos: number };
}

/** What the lines print with the fast readers, and what was said about them. */
async function fast(lines: readonly string[], format: FlowFormat, query: Query) {
  const problems: string[] = [];
  const reader = await lineReader(query, (problem) => problems.push(problem.kind));
  const renderer = new FlowRenderer(format, STYLE, 'all');
  const printer = {
    policies: STYLE.policyNames,
    clean: sanitizeRow,
    line: (row: FlowRow) => renderer.line(row),
    safe: (text: string) => text,
  };
  const asText = rowLines(printer, STYLE.time.layout);
  const read = chunkReader(reader, {
    want: format === 'json' ? 'json' : format === 'legacy-json' ? 'messages' : asText,
    parsedFirst: 0,
  });
  const chunk = Buffer.from(`${lines.join('\n')}\n`);
  let text = '';
  read(chunk, {
    texts: (bytes, _, plain) => {
      // As the door does with what is not plain.
      text += plain ? bytes.toString() : forTerminal(bytes.toString());
      return true;
    },
    message: (message) => {
      text += renderer.response(message);
      return true;
    },
    most: () => Number.POSITIVE_INFINITY,
  });
  return { text, problems, status: renderer.takeStatus() };
}

/** The same by way of the parser alone. */
async function general(lines: readonly string[], format: FlowFormat, query: Query) {
  const problems: string[] = [];
  const reader = await lineReader(query, (problem) => problems.push(problem.kind));
  const renderer = new FlowRenderer(format, STYLE, 'all');
  let text = '';
  for (const line of lines) {
    const message = reader.read(Buffer.from(line));
    if (message) text += renderer.response(message);
  }
  return { text, problems, status: renderer.takeStatus() };
}

const filters: fc.Arbitrary<FlowFilter> = fc.oneof(
  fc.constantFrom<FlowFilter>(
    {},
    { verdict: ['DROPPED'] },
    { drop_reason_desc: ['POLICY_DENIED'] },
    { source_workload: [{ name: 'caf\u00e9' }] },
    { source_service: ['a/b'], destination_workload: [{ name: 'a' }] },
    { event_type: [{ type: 1 }] },
    { source_label: ['app=web', 'k8s:app==api'] },
    { uuid: ['a'], trace_id: ['a'] },
    { verdict: ['DROPPED', 'FORWARDED'], source_identity: [1, 66398] },
    { source_pod: ['default/'] },
    { destination_pod: ['default/web'], destination_port: ['80', '8080'] },
    { source_ip: ['10.11.0.0/16'] },
    { source_ip: ['10.0.0.1'] },
    { source_label: ['app=web', 'reserved:host'] },
    { event_type: [{ type: 4, match_sub_type: true }, { type: 129 }] },
    { protocol: ['tcp', 'dns'], traffic_direction: ['EGRESS'] },
    { http_method: ['get'], http_url: ['items'] },
    { tcp_flags: [{ SYN: true }] },
    { node_name: ['lab/*'], reply: [false] },
    { destination_fqdn: ['*.example.com'] },
    { ip_version: ['IP_NOT_USED'] },
    { encrypted: [true] },
    { interface: [{ name: 'a' }] },
    { experimental: { cel_expression: ['_flow.source.identity == 1u'] } },
    {
      experimental: {
        cel_expression: ['_flow.verdict == Verdict.DROPPED && has(_flow.l4.TCP) && _flow.l4.TCP.flags.SYN'],
      },
    },
    {
      experimental: {
        cel_expression: ['_flow.IP.source == _flow.IP.destination || "a" in _flow.source_names'],
      },
    },
  ),
);

/** Flows whose verdict policies decided; the names are such as have to be read with care. */
const decided = fc
  .record({
    verdict: fc.constantFrom('FORWARDED', 'DROPPED', 'AUDIT', 'TRACED'),
    type: fc.constantFrom(1, 5),
    direction: fc.constantFrom('EGRESS', 'INGRESS'),
    list: fc.constantFrom('egress_allowed_by', 'ingress_allowed_by', 'egress_denied_by', 'ingressDeniedBy'),
    names: fc.array(fc.constantFrom('allow-web', 'caf\u00e9', 'a"b', '<b>', '\u001b[1m', '\u2028', ''), {
      maxLength: 3,
    }),
  })
  .map(({ verdict, type, direction, list, names }) =>
    goJson({
      flow: {
        verdict,
        event_type: { type },
        traffic_direction: direction,
        [list]: names.map((name) => ({ name, kind: 'CiliumNetworkPolicy', revision: '7' })),
        source: { workloads: names.map((name) => ({ name, kind: 'Deployment' })) },
      },
    }),
  );

const queries: fc.Arbitrary<Query> = fc.record({
  allow: fc.array(filters, { maxLength: 2 }),
  deny: fc.array(filters, { maxLength: 1 }),
});

const responses = messages('observer.GetFlowsResponse');

/** Lines as a program would write them, and as nobody would. */
const lines = fc.oneof(
  { weight: 4, arbitrary: responses.map((message) => goJson(message)) },
  { weight: 4, arbitrary: fc.constantFrom(...RECORDED) },
  { weight: 2, arbitrary: decided },
  { weight: 1, arbitrary: responses.map((message) => JSON.stringify(message)) },
  {
    weight: 1,
    arbitrary: responses.map((message) => JSON.stringify(message, null, ' ').replaceAll('\n', '')),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...RECORDED),
        fc.nat(),
        fc.constantFrom('', '"', '\\', '}', '0', ' ', '-', '\u0000', ',', '\u00ff', 'null'),
      )
      .map(([line, at, put]) => {
        const place = at % line.length;
        return line.slice(0, place) + put + line.slice(place + 1);
      }),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }).map((text) => text.replace(/[\r\n]/g, '')) },
);

/** A line as it may come again: what was read before has to be told from what only looks like it. */
const again = fc.oneof(
  fc.constantFrom<(line: string) => string>(
    (line) => line,
    (line) => line.replaceAll('":', '": ').replaceAll(',"', ' , "'),
    (line) => line.replaceAll('{"', '{"brand_new":[1,{"a" : 2}],"'),
    (line) => line.replaceAll('"}', '","brand_new":null}'),
  ),
  fc
    .tuple(fc.nat(), fc.constantFrom('"', '}', '1', 'a', ' ', '\u00e9'))
    .map(([at, put]) => (line: string) => {
      const place = at % (line.length + 1);
      return line.slice(0, place) + put + line.slice(place + 1);
    }),
);
const samples = fc
  .array(fc.tuple(lines, fc.array(again, { maxLength: 3 })), { minLength: 1, maxLength: 6 })
  .map((all) => all.flatMap(([line, changes]) => [line, ...changes.map((change) => change(line)), line]));

test.each(['compact', 'dict', 'table', 'json', 'legacy-json'] as const)(
  'the scanner prints %s as the parser does, whatever the lines and filters are',
  async (format) => {
    await fc.assert(
      fc.asyncProperty(samples, queries, async (sample, query) => {
        const [ours, theirs] = [await fast(sample, format, query), await general(sample, format, query)];
        expect({ text: ours.text, status: ours.status }).toEqual({
          text: theirs.text,
          status: theirs.status,
        });
        expect(ours.problems).toEqual(theirs.problems);
      }),
      { numRuns: 100 },
    );
  },
);

/** The messages of the lines as the fast reader and as the parser hand them on. */
async function wholeFlows(sample: readonly string[], query: Query): Promise<[unknown[], unknown[]]> {
  const fastReader = await lineReader(query, () => {});
  const read = chunkReader(fastReader, { want: 'messages', parsedFirst: 0 });
  const ours: unknown[] = [];
  const message = (found: unknown) => ours.push(found) > 0;
  const most = () => Number.POSITIVE_INFINITY;
  read(Buffer.from(`${sample.join('\n')}\n`), { message, texts: () => true, most });
  const parser = await lineReader(query, () => {});
  const theirs = sample.map((line) => parser.read(Buffer.from(line))).filter((found) => found !== undefined);
  return [ours, theirs];
}

test('whole flows are the same messages as the parser makes, whatever the lines and filters are', async () => {
  const [recorded, parsed] = await wholeFlows(RECORDED, { allow: [], deny: [] });
  expect(recorded).toHaveLength(RECORDED.length);
  expect(recorded).toStrictEqual(parsed);
  await fc.assert(
    fc.asyncProperty(fc.array(lines, { minLength: 1, maxLength: 6 }), queries, async (sample, query) => {
      const [ours, theirs] = await wholeFlows(sample, query);
      expect(ours).toStrictEqual(theirs);
    }),
    { numRuns: 200 },
  );
});

/** The same flow, spelt as protobuf's JSON also allows it. */
function respelt(line: string): string {
  return line
    .replaceAll(
      /"([a-z]+(?:_[a-z]+)+)":/g,
      (_, name: string) => `"${name.replace(/_(.)/g, (__, c) => c.toUpperCase())}":`,
    )
    .replaceAll('"verdict":"DROPPED"', '"verdict":2')
    .replaceAll('"verdict":"FORWARDED"', '"verdict" : "FORWARDED"');
}

describe('odd lines are printed as the parser does', () => {
  const NOTHING = { allow: [], deny: [] };
  const printed = async (lines: readonly string[], format: FlowFormat) =>
    expect(await fast(lines, format, NOTHING)).toEqual(await general(lines, format, NOTHING));

  test('spaces in as many places as there is room for, and in one more', async () => {
    const line = (spaces: number) =>
      `{"flow":{"source":{"labels":[${Array.from({ length: spaces + 1 }, (_, i) => `"l${i}"`).join(', ')}]}},"node_name":"n"}`;
    await printed(
      Array.from({ length: 12 }, (_, i) => line(250 + i)),
      'json',
    );
  });

  test.each(['compact', 'dict'] as const)(
    '%s with a text that becomes longer than 64 KiB',
    async (format) => {
      const line = JSON.stringify({ flow: { node_name: '\u0085'.repeat(32_000), Summary: 'x' } });
      await printed([line, line], format);
    },
  );

  test('a text that just fits among those that lines depend on', async () => {
    const line = (name: string) =>
      JSON.stringify({ flow: { source: { pod_name: name }, verdict: 'DROPPED', Summary: 'x' } });
    for (let length = 65_300; length < 65_540; length += 16)
      await printed([line('a'), line('a'.repeat(length)), line('a')], 'compact');
  });

  test('objects that differ at their ends alone, and too many to be kept', async () => {
    const pod = (name: number, spaces = '') =>
      `{"ID":1,"identity":${spaces}100,"namespace":"default","labels":["${'k8s:a=b'.repeat(8)}"],"pod_name":"pod-${name}"}`;
    const line = (name: number, spaces?: string) =>
      `{"flow":{"source":${pod(name, spaces)},"destination":${pod(name + 1, spaces)}}}`;
    const names = Array.from({ length: 3000 }, (_, i) => (i * 7) % 1300);
    for (const format of ['compact', 'json'] as const)
      await printed([...names.map((name) => line(name)), ...names.map((name) => line(name, ' '))], format);
  });

  test('a time of bytes that are zero', async () => {
    for (const format of ['json', 'compact'] as const)
      await printed([`{"flow":{"time":"${'\0'.repeat(19)}Z"},"time":"${'\0'.repeat(19)}Z"}`], format);
  });
});

/** What the recording lacks: flows whose zeros a filter may ask for. */
const BARE = ['"Summary":"bare"', '"l4":{"TCP":{}}', '"source_names":["a.b"]'].map(
  (field) => `{"flow":{${field}}}`,
);
const SAMPLE = [...BARE, ...RECORDED.filter((_, i) => i % 3 === 0)];
const RESPELT = SAMPLE.map(respelt);

test.each<FlowFilter>([
  { verdict: ['DROPPED'] },
  { verdict: ['VERDICT_UNKNOWN'] },
  { traffic_direction: ['TRAFFIC_DIRECTION_UNKNOWN'] },
  { drop_reason_desc: ['POLICY_DENIED'] },
  { reply: [false] },
  { reply: [true] },
  { source_identity: [2] },
  { destination_identity: [1, 2] },
  { source_identity: [0] },
  { source_port: ['0'] },
  { destination_port: ['53', '80'] },
  { source_pod: ['default/'] },
  { destination_pod: ['web'] },
  { source_pod: ['/a'] },
  { destination_service: ['default/'] },
  { source_workload: [{ kind: 'Deployment' }] },
  { destination_label: ['app==web-app'] },
  { source_label: ['reserved:host', 'k8s:app=frontend'] },
  { destination_fqdn: ['*'] },
  { source_fqdn: ['a.*'] },
  { source_ip: ['10.0.0.0/9'] },
  { ip_version: ['IPv6'] },
  { encrypted: [false] },
  { encrypted: [true] },
  { event_type: [{ type: 4 }] },
  { event_type: [{ type: 1 }] },
  { event_type: [{}] },
  { event_type: [{ type: 4, match_sub_type: true, sub_type: 0 }] },
  { interface: [{ index: 2 }] },
  ...['tcp', 'udp', 'sctp', 'icmp', 'icmpv4', 'icmpv6', 'dns', 'http', 'kafka'].map((name) => ({
    protocol: [name],
  })),
  { tcp_flags: [{ SYN: true }] },
  { http_status_code: ['2+'] },
  { http_method: ['GET'] },
  { http_path: ['/'] },
  { http_url: ['http'] },
  { dns_query: ['.'] },
  { node_name: ['*/*'] },
  { node_labels: ['kubernetes.io/os=linux'] },
  { trace_id: [''] },
  { ip_trace_id: ['0'] },
  { source_cluster_name: ['default', 'lab'] },
])('%j chooses the same flows on the short way, however they are spelt', async (filter) => {
  for (const lines of [SAMPLE, RESPELT]) {
    for (const query of [
      { allow: [filter], deny: [] },
      { allow: [], deny: [filter] },
    ]) {
      expect((await fast(lines, 'compact', query)).text).toBe((await general(lines, 'compact', query)).text);
    }
  }
});

test('a missing end is still seen when a filter passes lines over', async () => {
  const query = { allow: [{ dns_query: ['nowhere'] }], deny: [] };
  for (const line of ['"flow":{"Summary":"a"}}', '{"flow":{"Summary":"a"'])
    expect((await fast([line], 'compact', query)).problems).toEqual(['bad-line']);
});

test('what a filter asks of later lines alone is read from there on', async () => {
  const expression =
    '_flow.verdict == Verdict.DROPPED && _flow.source.pod_name == "b" && _flow.node_name != ""';
  const query = { allow: [{ experimental: { cel_expression: [expression] } }], deny: [] };
  const line = (verdict: string, pod: string, node: string) =>
    `{"flow":{"verdict":"${verdict}","source":{"pod_name":"${pod}"},"node_name":"${node}"}}`;
  const lines = [
    line('FORWARDED', 'b', 'n'),
    'none',
    line('DROPPED', 'a', 'n'),
    line('DROPPED', 'b', 'first'),
    '',
    line('DROPPED', 'b', ''),
    'none',
    line('DROPPED', 'b', 'second'),
  ];
  for (const format of ['compact', 'json'] as const) {
    const found = await fast(lines, format, query);
    expect(found).toEqual(await general(lines, format, query));
    expect(found.text).toMatch(/first[\s\S]*second/);
  }
  const numbers: number[] = [];
  const reader = await lineReader(query, ({ number }) => numbers.push(number));
  const read = chunkReader(reader, { want: 'messages', parsedFirst: 0 });
  read(Buffer.from(lines.join('\n')), {
    message: () => true,
    texts: () => true,
    most: () => Number.POSITIVE_INFINITY,
  });
  expect(numbers).toEqual([2, 7]);
  expect(reader.number).toBe(lines.length);
});

test('bounds in time are the same for both', async () => {
  const query = { allow: [], deny: [], since: { seconds: 1_795_334_680, nanos: 525_115_101 } };
  for (const format of ['compact', 'json'] as const) {
    const expected = await general(RECORDED, format, query);
    expect(await fast(RECORDED, format, query)).toEqual(expected);
    expect(expected.text).toContain('2026-11-22T08:04:40.525115101Z');
    expect(expected.text).not.toContain('2026-11-22T08:04:40.524');
  }
});

test('a flow in canonical form comes back from the wire as it was', () => {
  fc.assert(
    fc.property(responses, (message) => {
      const bytes = encode('observer.GetFlowsResponse', message as never);
      expect(JSON.stringify(decode('observer.GetFlowsResponse', bytes))).toBe(
        JSON.stringify(message).replace(/\\ud[89a-f][0-9a-f]{2}/g, '\ufffd'),
      );
    }),
    { numRuns: 200 },
  );
});

test('the fields that are asked for are those of whole flows, whatever the lines are', async () => {
  const fields = [
    'source',
    'destination',
    'l4',
    'IP',
    'verdict',
    'is_reply',
    'source_names',
    'event_type',
    'uuid',
  ] as const;
  const query = { allow: [], deny: [] };
  const part = (message: GetFlowsResponse) =>
    message.flow &&
    Object.fromEntries(
      fields.flatMap((name) => (message.flow?.[name] === undefined ? [] : [[name, message.flow[name]]])),
    );
  await fc.assert(
    fc.asyncProperty(fc.array(lines, { minLength: 1, maxLength: 30 }), async (sample) => {
      const read = chunkReader(await lineReader(query, () => {}), {
        want: 'messages',
        parsedFirst: 0,
        fields,
      });
      const ours: unknown[] = [];
      const message = (found: GetFlowsResponse) => ours.push(part(found)) > 0;
      const most = () => Number.POSITIVE_INFINITY;
      read(Buffer.from(`${sample.join('\n')}\n`), { message, texts: () => true, most });
      const parser = await lineReader(query, () => {});
      const theirs = sample
        .map((line) => parser.read(Buffer.from(line)))
        .filter((found) => found !== undefined);
      expect(ours).toEqual(theirs.map(part));
    }),
    { numRuns: 100 },
  );
});

test('a text that is too long to be remembered takes the place of no other', async () => {
  const flow = (name: string) => `{"flow":{"source":{"pod_name":"${name}"}}}`;
  const names = ['a', 'x'.repeat(100_000), 'a', 'y'.repeat(100_000), 'b', 'a'];
  const query = { allow: [], deny: [] };
  const fields = ['source'] as const;
  const read = chunkReader(await lineReader(query, () => {}), {
    want: 'messages',
    parsedFirst: 0,
    fields,
  });
  const found: unknown[] = [];
  read(Buffer.from(`${names.map(flow).join('\n')}\n`), {
    message: ({ flow: one }) => found.push(one?.source?.pod_name) > 0,
    texts: () => true,
    most: () => Number.POSITIVE_INFINITY,
  });
  expect(found).toEqual(names);
});
