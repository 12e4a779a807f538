import { describe, expect, test } from '@jest/globals';
import { isNodeNews, timeOfAnswer } from '../../src/hubble/answer-time.ts';
import { frame } from '../../src/hubble/grpc/frames.ts';
import { decode, encode } from '../../src/hubble/protobuf/codec.ts';
import { parseTimestamp } from '../../src/lib/timestamp.ts';
import type { GetFlowsResponse } from '../../src/model/hubble.gen.ts';
import { recordedMessages } from '../helpers/grpc.ts';
import { messages } from '../helpers/hubble-arbitrary.ts';
import fc from '../helpers/properties.ts';

const framed = (message: GetFlowsResponse) => frame(encode('observer.GetFlowsResponse', message));

function timeByDecoding({ flow, time }: GetFlowsResponse) {
  const text = flow && (flow.time ?? time);
  return text === undefined ? undefined : parseTimestamp(text);
}

describe('the time of an answer', () => {
  test.each(['getflows-1.20-release.grpc', 'getflows-1.14.grpc', 'relay-GetFlows-100.grpc'])(
    'is that of the flow in %s',
    (file) => {
      for (const bytes of recordedMessages(file))
        expect(timeOfAnswer(frame(bytes))).toEqual(
          timeByDecoding(decode('observer.GetFlowsResponse', bytes)),
        );
    },
  );

  test('is that of the flow in any answer', () =>
    fc.assert(
      fc.property(messages('observer.GetFlowsResponse'), (message) => {
        const bytes = framed(message);
        expect(timeOfAnswer(bytes)).toEqual(
          timeByDecoding(decode('observer.GetFlowsResponse', bytes.subarray(5))),
        );
        expect(isNodeNews(bytes)).toBe('node_status' in message && !('flow' in message));
      }),
    ));

  test('is none of bytes that are no message', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(() => timeOfAnswer(frame(bytes))).not.toThrow();
      }),
    ));
});
