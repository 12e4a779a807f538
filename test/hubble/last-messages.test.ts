import { expect, test } from '@jest/globals';
import { frame } from '../../src/hubble/grpc/frames.ts';
import { LastMessages } from '../../src/hubble/last-messages.ts';
import fc from '../helpers/properties.ts';

test('the last messages are there, in their order, and no more of them than there is room for', () => {
  const message = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(fc.array(fc.array(message, { minLength: 1, maxLength: 5 }), { maxLength: 60 }), (batches) => {
      const last = new LastMessages(4096);
      const added: Buffer[] = [];
      for (const batch of batches) {
        const framed = batch.map(frame);
        last.add(Buffer.concat(framed));
        added.push(...framed);
      }
      const kept = [...last].map((one) => frame(one));
      const bytes = kept.reduce((sum, { length }) => sum + length, 0);
      expect(kept).toEqual(added.slice(added.length - kept.length));
      expect(bytes).toBeLessThanOrEqual(4096);
      expect(last.hasForgotten).toBe(kept.length < added.length);
      // A batch that does not fit into a half may leave that much of it empty.
      if (last.hasForgotten) expect(bytes).toBeGreaterThan(4096 / 2 - 5 * 305);
    }),
  );
});

test('what is longer than there is room for is forgotten, and said', () => {
  const last = new LastMessages(1000);
  last.add(frame(Buffer.from('a')));
  last.add(frame(Buffer.alloc(600)));
  expect([...last].map(String)).toEqual(['a']);
  expect(last.hasForgotten).toBe(true);
});
