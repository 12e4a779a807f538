import { expect, test } from '@jest/globals';
import { MAX_DEPTH, parseItems, parseJson, parsePlainJson, TooDeep } from '../../src/lib/exact-json.ts';
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

/** What a reader makes of a text. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error instanceof SyntaxError ? 'refused' : error;
  }
}

function asList(text: string): unknown {
  const value = parseJson(text);
  if (!Array.isArray(value)) throw new SyntaxError('no list');
  return value;
}

test.each([
  '[]',
  ' [ ] ',
  '[ 1 , "a,]" , {"b":[1,2],"c":{"d":"\\"}"}} ]\n',
  '[12345678901234567890,{"a":-12345678901234567891},1.5]',
  '[[],[[]],{}]',
  '',
  '{}',
  '[',
  '[1',
  '[1}',
  '[1]]',
  '[1},2]',
  '[1] x',
  '[] 1',
  '[1,]',
  '[,1]',
  '["a]',
  '[{]}',
  `[${nested(MAX_DEPTH - 1)}]`,
  `[${nested(MAX_DEPTH)}]`,
])('the items of text %# are those of the list', (text) => {
  expect(outcome(() => [...parseItems(text)])).toEqual(outcome(() => asList(text)));
});

test('the items of any list are those of the list, and what is damaged is refused as well', () => {
  const texts = fc
    .tuple(fc.array(fc.jsonValue()), fc.nat(), fc.constantFrom('', ',', '[', ']', '{', '}', '"', ' ', '\\'))
    .map(([value, place, other]) => {
      const text = JSON.stringify(value, undefined, place % 3);
      const at = place % (text.length + 1);
      return text.slice(0, at) + other + text.slice(at + (place % 2));
    });
  fc.assert(
    fc.property(texts, (text) => {
      expect(outcome(() => [...parseItems(text)])).toEqual(outcome(() => asList(text)));
    }),
    { numRuns: 1000 },
  );
});
