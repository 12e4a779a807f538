import { expect, test } from '@jest/globals';
import { RowDecoder } from '../../../src/hubble/fast/row-decoder.ts';
import { decode } from '../../../src/hubble/protobuf/codec.ts';
import { WireError } from '../../../src/hubble/protobuf/wire.ts';
import { FlowRow, readFlow } from '../../../src/model/flow-row.ts';
import { recordedMessages } from '../../helpers/grpc.ts';
import fc from '../../helpers/properties.ts';

/** The row by way of the whole message; undefined when it holds no flow. */
function byMessage(bytes: Buffer): FlowRow | undefined {
  const { flow } = decode('observer.GetFlowsResponse', bytes);
  if (!flow) return undefined;
  const row = new FlowRow();
  readFlow(row, flow);
  row.policies = [];
  return row;
}

const decoder = new RowDecoder((text) => text);

function byBytes(bytes: Buffer): FlowRow | undefined {
  const row = new FlowRow();
  return decoder.decode(bytes, row) ? row : undefined;
}

test('damaged bytes fill a row as their message does, or are refused', () => {
  const recorded = recordedMessages('relay-GetFlows-100.grpc');
  fc.assert(
    fc.property(
      fc.constantFrom(...recorded),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      fc.nat(),
      (message, changes, cut) => {
        const bytes = Buffer.from(cut % 3 === 0 ? message.subarray(0, cut % message.length) : message);
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        let expected: FlowRow | undefined;
        try {
          expected = byMessage(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
          return;
        }
        const row = byBytes(bytes);
        if (row !== undefined) expect(row).toEqual(expected);
      },
    ),
    { numRuns: 5000 },
  );
});
