import { expect, test } from '@jest/globals';
import { MAX_DEPTH, parseJson, parsePlainJson, TooDeep } from '../../src/lib/exact-json.ts';
import fc from '../helpers/properties.ts';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

test('JSON that nests too deeply is refused where that begins, whatever surrounds it', () => {
  for (const parse of [parseJson, parsePlainJson]) {
    expect(() => parse(nested(MAX_DEPTH))).not.toThrow();
    expect(() => parse(nested(MAX_DEPTH + 1))).toThrow(TooDeep);
    expect(() => parse('{"a":'.repeat(100_000))).toThrow(TooDeep);
    expect(() => parse(`[[1],{"\\"":"]"},${nested(MAX_DEPTH)}]`)).toThrow(
      `the parts of the JSON are nested more than ${MAX_DEPTH} deep`,
    );
  }
});

test('brackets within strings do not count', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('[', '{', '"', '\\', ']', 'x') })), (texts) => {
      const value = [...texts, '['.repeat(3 * MAX_DEPTH), `${'{'.repeat(2 * MAX_DEPTH)}\\`];
      expect(parseJson(JSON.stringify(value))).toEqual(value);
    }),
  );
});
