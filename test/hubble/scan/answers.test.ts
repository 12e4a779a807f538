import { expect, test } from '@jest/globals';
import { lineReader } from '../../../src/hubble/captures/line-reader.ts';
import { frame } from '../../../src/hubble/grpc/frames.ts';
import { decode, encode } from '../../../src/hubble/protobuf/codec.ts';
import { WireError } from '../../../src/hubble/protobuf/wire.ts';
import { answerReader } from '../../../src/hubble/scan/scanner.ts';
import { goJson } from '../../../src/render/text/json.ts';
import { recordedMessages } from '../../helpers/grpc.ts';
import { messages } from '../../helpers/hubble-arbitrary.ts';
import fc from '../../helpers/properties.ts';

const EVERY = { allow: [], deny: [] };
const RECORDED = ['getflows-300', 'getflows-1.14', 'getflows-1.20-release', 'relay-GetFlows-100'].flatMap(
  (name) => recordedMessages(`${name}.grpc`),
);
const read = answerReader(await lineReader(EVERY, () => {}), {
  want: 'json',
  parsedFirst: 0,
});

/** The lines of JSON of answers, and how many of them the codec had to read. */
function jsonOf(answers: readonly Buffer[]): { text: string; decoded: number } {
  let text = '';
  let decoded = 0;
  read([Buffer.concat(answers.map(frame))], {
    texts: (bytes) => {
      text += bytes.toString();
      return true;
    },
    message: (message) => {
      decoded++;
      text += `${goJson(message)}\n`;
      return true;
    },
    most: () => Number.POSITIVE_INFINITY,
  });
  return { text, decoded };
}

const lineOf = (bytes: Buffer) => `${goJson(decode('observer.GetFlowsResponse', bytes))}\n`;

test('recorded answers become the lines that the codec makes, without it', () => {
  const { text, decoded } = jsonOf(RECORDED);
  expect(text).toBe(RECORDED.map(lineOf).join(''));
  const flows = RECORDED.filter((bytes) => decode('observer.GetFlowsResponse', bytes).flow !== undefined);
  expect(decoded).toBe(RECORDED.length - flows.length);
});

test('any answers become the lines that the codec makes, in their order', () => {
  const some = fc.array(messages('observer.GetFlowsResponse'), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(some, (all) => {
      const bytes = all.map((message) => encode('observer.GetFlowsResponse', message as never));
      expect(jsonOf(bytes).text).toBe(bytes.map(lineOf).join(''));
    }),
    { numRuns: 1500 },
  );
});

test('damaged answers become the lines that the codec makes, or are refused as it refuses them', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...RECORDED),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      fc.nat(),
      (message, changes, cut) => {
        const bytes = Buffer.from(cut % 3 === 0 ? message.subarray(0, cut % message.length) : message);
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        let expected: string | undefined;
        try {
          expected = lineOf(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
        if (expected === undefined) expect(() => jsonOf([bytes])).toThrow(WireError);
        else expect(jsonOf([bytes]).text).toBe(expected);
      },
    ),
    { numRuns: 8000 },
  );
});
