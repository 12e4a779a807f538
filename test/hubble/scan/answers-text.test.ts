import { describe, expect, test } from '@jest/globals';
import { lineReader } from '../../../src/hubble/captures/line-reader.ts';
import { frame } from '../../../src/hubble/grpc/frames.ts';
import { decode, encode } from '../../../src/hubble/protobuf/codec.ts';
import { WireError } from '../../../src/hubble/protobuf/wire.ts';
import { rowLines } from '../../../src/hubble/scan/holes.ts';
import { answerReader } from '../../../src/hubble/scan/scanner.ts';
import { sanitizeRow } from '../../../src/render/hubble/flow.ts';
import { type FlowFormat, FlowRenderer } from '../../../src/render/hubble/flow-renderer.ts';
import { timeFormat } from '../../../src/render/hubble/flow-time.ts';
import { recordedMessages } from '../../helpers/grpc.ts';
import { messages } from '../../helpers/hubble-arbitrary.ts';
import fc from '../../helpers/properties.ts';

const EVERY = { allow: [], deny: [] };
const RECORDED = ['getflows-300', 'getflows-1.14', 'getflows-1.20-release', 'relay-GetFlows-100'].flatMap(
  (name) => recordedMessages(`${name}.grpc`),
);
const lines = await lineReader(EVERY, () => {});

/** A reader that serves for many answers, as in a command: what one leaves behind would show. */
function textReader(format: FlowFormat, time: string) {
  const style = {
    time: timeFormat(time),
    color: true,
    nodeName: true,
    translateIps: true,
    policyNames: false,
  };
  const renderer = new FlowRenderer(format, style, 'all');
  const asked = { lines: 0, decoded: 0 };
  const read = answerReader(lines, {
    want: rowLines(
      {
        policies: false,
        clean: sanitizeRow,
        line: (row) => {
          asked.lines++;
          return renderer.line(row);
        },
        safe: (text) => text,
      },
      style.time.layout,
    ),
    parsedFirst: 0,
  });
  const textOf = (answers: readonly Buffer[]) => {
    let text = '';
    const add = (more: string) => {
      text += more;
      return true;
    };
    read(answers.length === 0 ? [] : [Buffer.concat(answers.map(frame))], {
      texts: (bytes) => add(bytes.toString()),
      message: (message) => {
        asked.decoded++;
        return add(renderer.response(message));
      },
      most: () => Number.POSITIVE_INFINITY,
    });
    return text;
  };
  const expected = (answers: readonly Buffer[]) =>
    answers.map((bytes) => renderer.response(decode('observer.GetFlowsResponse', bytes))).join('');
  return { textOf, expected, asked };
}

describe.each([
  ['compact', 'StampMilli'],
  ['compact', 'RFC3339Nano'],
  ['dict', 'RFC1123Z'],
] as const)('as %s with times as %s', (format, time) => {
  const { textOf, expected, asked } = textReader(format, time);

  test('recorded answers become the text that the codec makes, each like of them once', () => {
    expect(textOf(RECORDED)).toBe(expected(RECORDED));
    const { lines: made } = asked;
    expect(made).toBeLessThan(RECORDED.length);
    expect(textOf(RECORDED)).toBe(expected(RECORDED));
    // What was printed once is not made again; only what the codec reads is.
    expect(asked.lines).toBe(made);
  });

  test('any answers become the text that the codec makes, in their order', () => {
    const some = fc.array(messages('observer.GetFlowsResponse'), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(some, (all) => {
        const bytes = all.map((message) => encode('observer.GetFlowsResponse', message as never));
        expect(textOf([...bytes, ...bytes])).toBe(expected([...bytes, ...bytes]));
      }),
      { numRuns: 600 },
    );
  });

  test('answers that differ in what fills the holes of a line are told apart', () => {
    const port = fc.constantFrom(0, 1, 80, 99, 100, 65_535, 4_294_967_295);
    const text = fc.constantFrom(
      '',
      'a',
      '7',
      '42',
      '10.0.0.1',
      'fd00::2',
      'a:b',
      'TCP Flags: SYN',
      'a"b',
      '<x>',
      'é',
      '\u001b[1m',
      '\u00011\u0001',
      'x'.repeat(300),
    );
    const at = fc.constantFrom(
      undefined,
      '2026-11-22T08:00:00Z',
      '2026-11-22T08:00:00.120Z',
      '1970-01-01T00:00:00Z',
    );
    const end = fc.record({ port, ip: text, mac: text, namespace: text, pod_name: text, identity: port });
    const service = fc.option(fc.record({ name: text, namespace: text }));
    const flow = fc.record({
      ...{
        source: end,
        destination: end,
        sourceService: service,
        destinationService: service,
        summary: text,
      },
      ...{ at, node: text, hasIp: fc.boolean(), isReply: fc.boolean() },
      protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
    });
    const endpoint = ({
      namespace,
      pod_name,
      identity,
    }: {
      namespace: string;
      pod_name: string;
      identity: number;
    }) => ({
      ...{ namespace, pod_name, identity },
    });
    fc.assert(
      fc.property(fc.array(flow, { minLength: 1, maxLength: 20 }), (flows) => {
        const messages = flows.map(({ source, destination, ...one }) => ({
          flow: {
            ...(one.at && { time: one.at }),
            ...(one.hasIp && { IP: { source: source.ip, destination: destination.ip } }),
            ethernet: { source: source.mac, destination: destination.mac },
            l4: { [one.protocol]: { source_port: source.port, destination_port: destination.port } },
            source: endpoint(source),
            destination: endpoint(destination),
            ...(one.sourceService && { source_service: one.sourceService }),
            ...(one.destinationService && { destination_service: one.destinationService }),
            is_reply: one.isReply,
            node_name: one.node,
            Summary: one.summary,
          },
        }));
        const bytes = messages.map((message) => encode('observer.GetFlowsResponse', message as never));
        expect(textOf(bytes)).toBe(expected(bytes));
      }),
      { numRuns: 600 },
    );
  });

  test('damaged answers that the codec takes become the text that it makes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...RECORDED),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        fc.nat(),
        (message, changes, cut) => {
          const bytes = Buffer.from(cut % 3 === 0 ? message.subarray(0, cut % message.length) : message);
          for (const [place, byte] of changes) if (bytes.length > 0) bytes[place % bytes.length] = byte;
          let text: string | undefined;
          try {
            text = expected([bytes]);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
          if (text !== undefined) expect(textOf([bytes])).toBe(text);
        },
      ),
      { numRuns: 4000 },
    );
  });
});

test('messages that are longer than what is read at a time are left to the codec, in their order', () => {
  const { textOf, expected, asked } = textReader('compact', 'StampMilli');
  const long = encode('observer.GetFlowsResponse', { flow: { Summary: 'x'.repeat(1_500_000) } });
  const some = [...RECORDED.slice(0, 3), long, ...RECORDED.slice(3, 6), long];
  expect(textOf(some)).toBe(expected(some));
  expect(asked.decoded).toBe(2);
});

test('more text than there is room for comes out all the same', () => {
  const { textOf, expected } = textReader('dict', 'RFC3339Nano');
  const many = Array.from({ length: 30_000 }, (_, i) => RECORDED[i % RECORDED.length] as Buffer);
  expect(textOf(many)).toBe(expected(many));
});
