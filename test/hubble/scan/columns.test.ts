import { expect, test } from '@jest/globals';
import { lineReader } from '../../../src/hubble/captures/line-reader.ts';
import { frame } from '../../../src/hubble/grpc/frames.ts';
import { decode, encode } from '../../../src/hubble/protobuf/codec.ts';
import { parseProtoJson } from '../../../src/hubble/protobuf/protojson.ts';
import { fieldAt } from '../../../src/hubble/protobuf/schema.ts';
import { WireWriter } from '../../../src/hubble/protobuf/wire.ts';
import type { LineMaker } from '../../../src/hubble/scan/machine.ts';
import { answerReader, chunkReader, type RecordVisitor } from '../../../src/hubble/scan/scanner.ts';
import {
  COLUMN_FIELDS,
  FlowRow,
  POLICY_FIELDS,
  policiesOf,
  type RowValue,
  readFlow,
  ZEROS,
} from '../../../src/model/flow-row.ts';
import type { Flow, GetFlowsResponse } from '../../../src/model/hubble.gen.ts';
import { goJson } from '../../../src/render/text/json.ts';
import { recordedMessages } from '../../helpers/grpc.ts';
import { messages } from '../../helpers/hubble-arbitrary.ts';
import fc from '../../helpers/properties.ts';
import { fixtureText } from '../../helpers/recordings.ts';

type Values = readonly (RowValue | null)[] | undefined;

function valuesOf(flow: Flow): Values {
  const row = new FlowRow();
  readFlow(row, flow);
  return row.values.map((value) => value ?? null);
}

function fromMessage({ flow }: GetFlowsResponse): Values {
  return flow && valuesOf(flow);
}

const EVERY = { allow: [], deny: [] };

/** Prints what `print` makes of the fields of flows; what is for the parser becomes a message. */
function optionsOf(fields: readonly string[], print: (flow: Flow) => unknown) {
  const want: LineMaker = {
    fields,
    holes: [],
    time: { second: () => ['', ''], digits: 0, trimmed: false },
    pieces: (flow) => [{ hole: 0, text: `${JSON.stringify(print(flow))}\n` }],
  };
  return { want, fields, parsedFirst: 0 };
}

// Both are used for one flow after the other, as the commands use them: what one leaves behind would show.
const OPTIONS = optionsOf(
  COLUMN_FIELDS.map(({ path }) => path),
  valuesOf,
);
const scan = chunkReader(await lineReader(EVERY, () => {}), OPTIONS);
const answers = answerReader(await lineReader(EVERY, () => {}), OPTIONS);

/** The row that a reader fills; undefined when the line or the answer is for the parser. */
function rowOf(read: (visitor: RecordVisitor) => unknown): Values {
  let found: Values;
  read({
    texts: (bytes) => {
      found = JSON.parse(bytes.toString()) as Values;
      return true;
    },
    message: () => true,
    most: () => Number.POSITIVE_INFINITY,
  });
  return found;
}

const fromWire = (bytes: Buffer) => rowOf((visitor) => answers([frame(bytes)], visitor));
const fromLine = (line: string) => rowOf((visitor) => scan(Buffer.from(`${line}\n`), visitor));

const parse = (line: string) => parseProtoJson('observer.GetFlowsResponse', line);

test('each column names fields of a flow, and holds what an unset one is', () => {
  for (const { path, slot } of COLUMN_FIELDS) {
    const field = fieldAt('flow.Flow', path);
    const zero = ZEROS[slot];
    if (field?.repeated) expect([path, zero]).toEqual([path, []]);
    else if (field?.kind === 'enum') expect([path, zero]).toEqual([path, field.values().names.get(0)]);
    else if (field?.kind === 'message') expect([path, zero]).toEqual([path, false]);
    else if (field?.kind === 'boolValue') expect([path, zero]).toEqual([path, undefined]);
    else if (field?.kind === 'uint64') expect([path, zero]).toEqual([path, '0']);
    else expect([path, zero]).toEqual([path, /^u?int32$/.test(field?.kind ?? '') ? 0 : '']);
  }
});

/** A value that is not what an unset field holds. */
function someValue(path: string): unknown {
  const field = fieldAt('flow.Flow', path);
  if (field?.repeated) return ['a.example', 'b\\c'];
  switch (field?.kind) {
    case 'message':
      return {};
    case 'enum':
      return [...field.values().numbers.keys()].at(-1);
    case 'boolValue':
      return false;
    case 'timestamp':
      return '2026-11-28T12:00:00.120Z';
    case 'uint64':
      return '18446744073709551';
    case 'int32':
    case 'uint32':
      return 300;
    default:
      return 'a "quoted" text';
  }
}

test.each(COLUMN_FIELDS.map(({ path, slot }) => ({ path, slot })))(
  'a flow with $path alone fills its column, read either way',
  ({ path, slot }) => {
    const flow = path.split('.').reduceRight((value, name) => ({ [name]: value }), someValue(path));
    const message = parse(JSON.stringify({ flow }));
    const expected = fromMessage(message);
    expect(expected?.[slot]).not.toEqual(ZEROS[slot]);
    expect(fromWire(encode('observer.GetFlowsResponse', message))).toEqual(expected);
    expect(fromLine(goJson(message))).toEqual(expected);
  },
);

test.each([{ plain: true }, { plain: false }])('any flow is read alike by all three: %j', (options) => {
  let lines = 0;
  // Through the codec, as the wire has no halves of a surrogate pair.
  const random = messages('observer.GetFlowsResponse', options).map((message) =>
    decode('observer.GetFlowsResponse', encode('observer.GetFlowsResponse', message as never)),
  );
  fc.assert(
    fc.property(random, (message) => {
      const expected = fromMessage(message);
      const wire = fromWire(encode('observer.GetFlowsResponse', message));
      if (wire !== undefined || options.plain) expect(wire).toEqual(expected);
      const line = fromLine(goJson(message));
      if (line === undefined) return;
      lines++;
      expect(line).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
  if (options.plain) expect(lines).toBeGreaterThan(200);
});

test('recorded flows are read the short ways, as their messages are', () => {
  for (const file of ['getflows-300.grpc', 'relay-GetFlows-100.grpc']) {
    for (const bytes of recordedMessages(file)) {
      const message = decode('observer.GetFlowsResponse', bytes);
      expect(fromWire(bytes)).toEqual(fromMessage(message));
      expect(fromLine(goJson(message))).toEqual(fromMessage(message));
    }
  }
  const lines = fixtureText('recordings/flows-1.20.jsonl').trimEnd().split('\n');
  for (const line of lines) expect(fromLine(line)).toEqual(fromMessage(parse(line)));
});

test('lines that spell out zeros are read alike, or left to the parser', () => {
  const zeros = messages('observer.GetFlowsResponse', { zeros: true });
  fc.assert(
    fc.property(zeros, (message) => {
      const line = goJson(message);
      const values = fromLine(line);
      if (values !== undefined) expect(values).toEqual(fromMessage(parse(line)));
    }),
    { numRuns: 500 },
  );
});

test('the policies that decided are read alike by all three', async () => {
  const fields = [...COLUMN_FIELDS.map(({ path }) => path), ...POLICY_FIELDS];
  const options = optionsOf(fields, (flow) => policiesOf(flow).map(({ name, kind }) => `${kind}/${name}`));
  const readLine = chunkReader(await lineReader(EVERY, () => {}), options);
  const readAnswer = answerReader(await lineReader(EVERY, () => {}), options);
  for (const names of [['a'], ['a', 'caf\u00e9'], ['a', 'b', 'c'], []]) {
    const message = parse(
      goJson({
        flow: {
          verdict: 'DROPPED',
          event_type: { type: 5 },
          traffic_direction: 'INGRESS',
          ingress_denied_by: names.map((name) => ({ name, kind: 'K', labels: ['x=y'] })),
          ingress_allowed_by: [{ name: 'other', kind: 'K' }],
        },
      }),
    );
    const expected = names.map((name) => `K/${name}`);
    expect(rowOf((visitor) => readLine(Buffer.from(`${goJson(message)}\n`), visitor))).toEqual(expected);
    const bytes = encode('observer.GetFlowsResponse', message);
    expect(rowOf((visitor) => readAnswer([frame(bytes)], visitor))).toEqual(expected);
  }
});

/** Bytes of fields as nobody writes them: zeros, doubled fields, two members of a oneof, other wire types. */
const oddFields = fc
  .array(
    fc.record({
      number: fc.oneof(fc.integer({ min: 1, max: 41 }), fc.constantFrom(100, 101, 102, 100_000)),
      inside: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      value: fc.oneof(fc.constantFrom(0, 1, 2, 4_294_967_295), fc.constantFrom('', 'a', '\u001b')),
    }),
    { maxLength: 8 },
  )
  .map((fields) => {
    const writer = new WireWriter();
    const write = (number: number, value: number | string) => {
      writer.varint((number << 3) | (typeof value === 'string' ? 2 : 0));
      if (typeof value === 'string') writer.text(value);
      else writer.varint(value);
    };
    for (const { number, inside, value } of fields) {
      if (inside === undefined) write(number, value);
      else {
        writer.varint((number << 3) | 2);
        writer.nested(() => write(inside, value));
      }
    }
    return writer.finish();
  });

test('odd bytes are read alike, left to the codec, or refused', () => {
  const flows = messages('flow.Flow').map((flow) => encode('flow.Flow', flow as never));
  const read = (use: () => Values): Values | 'refused' => {
    try {
      return use();
    } catch {
      return 'refused';
    }
  };
  let short = 0;
  fc.assert(
    fc.property(flows, oddFields, oddFields, fc.boolean(), (flow, before, after, both) => {
      const writer = new WireWriter();
      const put = (bytes: Buffer) => {
        writer.varint(10);
        writer.raw(bytes);
      };
      put(Buffer.concat(both ? [before, flow, after] : [before, after]));
      const bytes = writer.finish();
      const wire = read(() => fromWire(bytes));
      if (wire === undefined || wire === 'refused') return;
      short++;
      // What no column reads is passed over, so that a fault inside of it stays unseen.
      const expected = read(() => fromMessage(decode('observer.GetFlowsResponse', bytes)));
      if (expected !== 'refused') expect(wire).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
  expect(short).toBeGreaterThan(50);
});
