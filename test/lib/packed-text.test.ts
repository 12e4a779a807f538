import { expect, test } from '@jest/globals';
import { PackedText } from '../../src/lib/packed-text.ts';
import fc from '../helpers/properties.ts';

test('text comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(String(new PackedText(text))).toBe(text);
    }),
  );
});
