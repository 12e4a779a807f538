import { expect, test } from '@jest/globals';
import { decodeEvent } from '../../../src/agent/monitor/events.ts';
import { StreamRelease } from '../../../src/agent/monitor/stream-release.ts';
import { atLeast, NEWEST_RELEASE } from '../../../src/model/release.ts';
import { hex } from '../../helpers/events.ts';
import fc from '../../helpers/properties.ts';

/** An event of a kind and version, long enough for each of its forms. */
const event = (type: number, version: number, marks: Readonly<Record<number, number>> = {}) => {
  const bytes = Buffer.alloc(64);
  bytes[0] = type;
  bytes[14] = version;
  for (const [at, value] of Object.entries(marks)) bytes[Number(at)] = value;
  return bytes;
};
const DROP_1_9 = event(1, 1);
const DROP_V1 = event(1, 1, { 28: 1 });
const DROP_V2 = event(1, 2, { 28: 1 });
const DROP_V3 = event(1, 3, { 28: 1 });
const TRACE_V1 = event(4, 1);
const TRACE_V1_VXLAN = event(4, 1, { 27: 4 });
const TRACE_V2 = event(4, 2);
const VERDICT_32 = event(5, 1, { 12: 32 });
const VERDICT_40 = event(5, 1);
const SOCKET_PACKED = hex(
  '07 01 0a600014 000000000000000000000000 5000 0500000000000000 0100000000000000 01 00',
);
const RECORDER = event(6, 0);

test.each([
  ['nothing', [], '1.20'],
  ['a debug message', [event(2, 0)], '1.20'],
  ['a drop of the shortest form', [DROP_1_9], '1.9'],
  ['a drop of version 1', [DROP_V1], '1.13'],
  ['a drop of version 2', [DROP_V2], '1.18'],
  ['a drop of version 3', [DROP_V3], '1.20'],
  ['a trace of version 1', [TRACE_V1], '1.9'],
  ['a trace of version 1 that knows tunnels', [TRACE_V1_VXLAN], '1.18'],
  ['a trace of version 2', [TRACE_V2], '1.20'],
  ['a verdict without a cookie', [VERDICT_32], '1.9'],
  ['a verdict with one', [VERDICT_40], '1.20'],
  ['a packed socket trace', [SOCKET_PACKED], '1.13'],
  ['a recorder', [RECORDER], '1.9'],
  ['a trace, then a drop', [TRACE_V1, DROP_V1], '1.13'],
  ['marks that contradict each other', [DROP_V3, TRACE_V1], '1.20'],
] as const)('%s: read as %s', (_, events, release) => {
  const stream = new StreamRelease(undefined);
  for (const bytes of events) stream.see(decodeEvent(bytes));
  expect(stream.release).toBe(release);
});

test('what the agent says stands, whatever comes', () => {
  const stream = new StreamRelease('1.16');
  for (const bytes of [DROP_V3, DROP_1_9]) stream.see(decodeEvent(bytes));
  expect(stream.release).toBe('1.16');
  expect(stream.takeNote(decodeEvent(DROP_V3))).toBeUndefined();
});

test('any events leave a release that is known, and one note', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 })), (events) => {
      const stream = new StreamRelease(undefined);
      let notes = 0;
      for (const bytes of events) {
        const decoded = decodeEvent(bytes);
        stream.see(decoded);
        if (stream.takeNote(decoded)) notes++;
      }
      expect(atLeast(stream.release, '1.9') && atLeast(NEWEST_RELEASE, stream.release)).toBe(true);
      expect(notes).toBeLessThanOrEqual(1);
    }),
  );
});
