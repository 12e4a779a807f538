import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { generate, readSchemas } from '../../../scripts/generate-hubble-proto.ts';
import { decode, encode } from '../../../src/hubble/protobuf/codec.ts';
import { parseProtoJson } from '../../../src/hubble/protobuf/protojson.ts';
import { WireError } from '../../../src/hubble/protobuf/wire.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import { recordedMessages } from '../../helpers/grpc.ts';
import fc from '../../helpers/properties.ts';
import { fixture, fixtureText } from '../../helpers/recordings.ts';

test('the generated files are what the schemas say', () => {
  const { types, descriptor } = generate(readSchemas());
  const read = (file: string) => readFileSync(new URL(`../../../src/${file}`, import.meta.url), 'utf8');
  expect(read('model/hubble.gen.ts')).toBe(types);
  expect(read('hubble/protobuf/descriptor.gen.ts')).toBe(descriptor);
});

test('recorded flows decode to what the reference printed as JSON', () => {
  const recorded = recordedMessages('getflows-300.grpc').map((bytes) =>
    decode('observer.GetFlowsResponse', bytes),
  );
  const printed = new Map(
    fixtureText('recordings/flows-1.20.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => [JSON.parse(line).flow?.uuid as string, line]),
  );
  let compared = 0;
  for (const message of recorded) {
    const line = printed.get(message.flow?.uuid ?? '');
    if (line === undefined) continue;
    compared++;
    expect(JSON.stringify(message)).toBe(line);
  }
  expect(recorded.length).toBe(290);
  expect(compared).toBeGreaterThan(0);
});

test('a recorded status decodes with its wrappers, 64-bit numbers and doubles', () => {
  const [bytes] = recordedMessages('relay-ServerStatus.grpc');
  expect(JSON.stringify(decode('observer.ServerStatusResponse', bytes ?? Buffer.alloc(0)))).toMatch(
    /^\{"num_flows":"65535","max_flows":"65535","seen_flows":"\d+","uptime_ns":"\d+","num_connected_nodes":1,"num_unavailable_nodes":0,"version":"hubble-relay","flows_rate":[\d.]+\}$/,
  );
});

test('nodes keep an empty message', () => {
  const [bytes] = recordedMessages('relay-GetNodes.grpc');
  expect(decode('observer.GetNodesResponse', bytes ?? Buffer.alloc(0)).nodes?.[0]).toMatchObject({
    name: 'lab/node1',
    state: 'NODE_CONNECTED',
    tls: {},
  });
});

test('every recorded flow and event survives encoding', () => {
  for (const line of fixtureText('recordings/flows-1.20.jsonl').trimEnd().split('\n')) {
    const message = parseProtoJson('observer.GetFlowsResponse', line);
    expect(JSON.stringify(message)).toBe(line);
    expect(
      JSON.stringify(decode('observer.GetFlowsResponse', encode('observer.GetFlowsResponse', message))),
    ).toBe(line);
  }
  for (const line of fixtureText('recordings/agent-events-1.20.jsonl').trimEnd().split('\n')) {
    const message = parseProtoJson('observer.GetAgentEventsResponse', line);
    expect(
      JSON.stringify(
        decode('observer.GetAgentEventsResponse', encode('observer.GetAgentEventsResponse', message)),
      ),
    ).toBe(line);
  }
});

test('re-encoding a recorded flow gives its bytes', () => {
  for (const bytes of recordedMessages('relay-GetNamespaces.grpc')) {
    const message = decode('observer.GetNamespacesResponse', bytes);
    expect(encode('observer.GetNamespacesResponse', message).equals(bytes)).toBe(true);
  }
});

test('a request keeps its 64-bit limit, times and mask', () => {
  const request = {
    number: '18446744073709551615',
    first: true,
    whitelist: [
      { source_pod: ['a/b'], tcp_flags: [{ SYN: true }], reply: [false, true], source_port: ['80'] },
    ],
    since: '2026-11-22T08:03:31.072853557Z',
    field_mask: 'time,IP,source.podName,Summary',
  };
  expect(decode('observer.GetFlowsRequest', encode('observer.GetFlowsRequest', request))).toEqual(request);
});

test.each([
  ['{"bogus":1}', 'proto: (line 1:2): unknown field "bogus"'],
  ['{"verdict":["NOPE"]}', 'proto: (line 1:13): invalid value for enum field verdict: "NOPE"'],
  ['{"source_identity":[-1]}', 'proto: (line 1:21): invalid value for uint32 field sourceIdentity: -1'],
  ['[1]', 'proto: syntax error (line 1:1): unexpected token ['],
  ['{"uuid":', 'proto: syntax error (line 1:9): unexpected token '],
  ['{"uuid":tru}', 'proto: syntax error (line 1:9): invalid value tru'],
] as const)('%s is refused with the place of its fault', (text, message) => {
  expect(() => parseProtoJson('flow.FlowFilter', text)).toThrow(message);
});

test('JSON input may use either spelling, numbers for enums and text for numbers', () => {
  expect(
    parseProtoJson(
      'flow.Flow',
      '{"nodeName":"n","verdict":2,"l7":{"latency_ns":5},"isReply":false,"reply":null}',
    ),
  ).toEqual({ verdict: 'DROPPED', node_name: 'n', l7: { latency_ns: '5' }, is_reply: false });
});

test('a message that comes in pieces is put together: later values win, lists are joined', () => {
  const pieces: Flow[] = [
    {
      time: '2026-11-22T08:03:31Z',
      source: { identity: 1, namespace: 'a', labels: ['x'], workloads: [{ name: 'w' }] },
      l4: { TCP: { source_port: 1, destination_port: 2, flags: { SYN: true } } },
      is_reply: true,
    },
    { source: { namespace: 'b', labels: ['y'] }, l4: { TCP: { source_port: 3, flags: { ACK: true } } } },
    { l4: { UDP: { source_port: 4 } } },
  ];
  const bytes = (some: readonly Flow[]) => Buffer.concat(some.map((piece) => encode('flow.Flow', piece)));
  expect(decode('flow.Flow', bytes(pieces.slice(0, 2)))).toEqual({
    time: '2026-11-22T08:03:31Z',
    source: { identity: 1, namespace: 'b', labels: ['x', 'y'], workloads: [{ name: 'w' }] },
    l4: { TCP: { source_port: 3, destination_port: 2, flags: { SYN: true, ACK: true } } },
    is_reply: true,
  });
  expect(decode('flow.Flow', bytes(pieces)).l4).toEqual({ UDP: { source_port: 4 } });
});

test('an Any holds a message by its name, or bytes', () => {
  const flow = { '@type': 'type.googleapis.com/flow.Flow', verdict: 'DROPPED' };
  const other = { '@type': 'type.googleapis.com/google.protobuf.Duration', value: 'CAE=' };
  for (const extensions of [flow, other])
    expect(decode('flow.Flow', encode('flow.Flow', { extensions } as never)).extensions).toEqual(extensions);
});

test('random bytes end in a message or a WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        decode('observer.GetFlowsResponse', bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a recorded flow that is cut short or has a flipped byte never breaks the decoder', () => {
  const messages = recordedMessages('relay-GetFlows-100.grpc');
  fc.assert(
    fc.property(fc.constantFrom(...messages), fc.nat(), fc.nat(), fc.nat(255), (message, cut, at, byte) => {
      const bytes = Buffer.from(message.subarray(0, cut % (message.length + 1)));
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      try {
        JSON.stringify(decode('observer.GetFlowsResponse', bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('what the reference sent as filters parses and encodes', () => {
  for (const { stdout } of fixture<{ stdout: string }[]>('recordings/hubble-raw-filters.json')) {
    for (const [, json = ''] of stdout.matchAll(/- '(.*)'$/gm)) {
      const filter = parseProtoJson('flow.FlowFilter', json);
      expect(JSON.stringify(decode('flow.FlowFilter', encode('flow.FlowFilter', filter)))).toBe(json);
    }
  }
});
