import { describe, expect, test } from '@jest/globals';
import { Reader } from '../../../src/agent/decode/reader.ts';
import { parseJson } from '../../../src/lib/exact-json.ts';

interface Part {
  name?: string;
  count?: number;
  share?: number;
  on?: boolean;
  words?: string[];
  numbers?: number[];
  labels?: Record<string, string>;
  parts?: Part[];
  inner?: Part;
}

const CALL = 'GET /v1/thing';
const reader = (value: unknown) => new Reader<Part>(CALL, value);

/** The message of the error that a reading ends with. */
function fault(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'no error';
}

describe('a reader', () => {
  test('takes what is absent and null for the zero of its type', () => {
    for (const value of [{ x: 1 }, { name: null, words: null, parts: null, inner: null }]) {
      const r = reader(value);
      expect([r.text('name'), r.integer('count'), r.number('share'), r.flag('on')]).toEqual([
        '',
        0,
        0,
        false,
      ]);
      expect([r.texts('words'), r.integers('numbers'), r.at('parts').items()]).toEqual([[], [], []]);
      expect(r.at('labels').textMap()).toEqual({});
      expect([r.has('name'), r.at('inner').present, r.at('inner').text('name')]).toEqual([false, false, '']);
    }
  });

  test('reads what is there', () => {
    const r = reader({
      name: 'a',
      count: 7,
      share: 0.5,
      on: true,
      words: ['x', null],
      numbers: [1, null],
      labels: { k: 'v', __proto__x: 'w' },
      parts: [null, { name: 'b' }],
    });
    expect([r.text('name'), r.integer('count'), r.number('share'), r.flag('on')]).toEqual([
      'a',
      7,
      0.5,
      true,
    ]);
    expect([r.texts('words'), r.integers('numbers')]).toEqual([
      ['x', ''],
      [1, 0],
    ]);
    expect(r.at('labels').textMap()).toEqual({ k: 'v', __proto__x: 'w' });
    expect(
      r
        .at('parts')
        .items()
        .map((part) => part.text('name')),
    ).toEqual(['b']);
  });

  test('keeps the name __proto__ apart from the prototype', () => {
    const map = reader(JSON.parse('{"labels":{"__proto__":"x"}}')).at('labels').textMap();
    expect(Object.entries(map)).toEqual([['__proto__', 'x']]);
    expect(reader({ x: 1 }).has('constructor' as 'name')).toBe(false);
  });

  test('has all digits of a number for those that ask for them', () => {
    const r = new Reader<Part>(CALL, parseJson('{"count":18446744073709551615,"share":3}'));
    expect(r.exact('count')).toBe(18446744073709551615n);
    expect(r.exact('share')).toBe(3);
  });

  test.each<[string, unknown, (r: Reader<Part>) => unknown, string]>([
    [
      'a number for a string',
      { name: 5 },
      (r) => r.text('name'),
      'expected a string at .name, found a number',
    ],
    [
      'a string for a number',
      { count: '5' },
      (r) => r.integer('count'),
      'a whole number at .count, found a string',
    ],
    ['a fraction', { count: 1.5 }, (r) => r.integer('count'), 'a whole number at .count, found a fraction'],
    ['a list for a number', { share: [] }, (r) => r.number('share'), 'a number at .share, found a list'],
    ['a number for a switch', { on: 1 }, (r) => r.flag('on'), 'true or false at .on, found a number'],
    ['an object for a list', { words: {} }, (r) => r.texts('words'), 'a list at .words, found an object'],
    [
      'a switch in a list',
      { words: ['a', true] },
      (r) => r.texts('words'),
      'a string at .words[1], found a boolean',
    ],
    [
      'a string among numbers',
      { numbers: ['1'] },
      (r) => r.integers('numbers'),
      'number at .numbers[0], found a str',
    ],
    [
      'a list for an object',
      { inner: [] },
      (r) => r.at('inner').text('name'),
      'an object at .inner, found a list',
    ],
    [
      'a number in a map',
      { labels: { k: 1 } },
      (r) => r.at('labels').textMap(),
      'a string at .labels.k, found a num',
    ],
    [
      'a fault deep inside',
      { parts: [{}, { parts: [{ inner: { name: 0 } }] }] },
      (r) => r.at('parts').items()[1]?.at('parts').items()[0]?.at('inner').text('name'),
      'a string at .parts[1].parts[0].inner.name, found a number',
    ],
    [
      'a missing part',
      { name: 'a' },
      (r) => r.need('inner').text('name'),
      'an object at .inner, found nothing',
    ],
    [
      'a part that is null',
      { inner: null },
      (r) => r.need('inner').text('name'),
      'object at .inner, found null',
    ],
    ['a missing word', { on: true }, (r) => r.need('name').asText(), 'a string at .name, found nothing'],
    ['no answer', undefined, (r) => r.text('name'), 'expected an object, found nothing'],
    ['null', null, (r) => r.text('name'), 'expected an object, found null'],
    ['an empty object', {}, (r) => r.text('name'), 'expected an object with fields, found an empty one'],
    ['a string', 'x', (r) => r.at('parts').items(), 'expected an object, found a string'],
  ])('fails with the place of %s', (_, value, read, message) => {
    expect(fault(() => read(reader(value)))).toContain(message);
    expect(fault(() => read(reader(value)))).toMatch(/^GET \/v1\/thing: expected /);
  });

  test.each<[unknown, string]>([
    [null, 'expected a list, found null'],
    [{}, 'expected a list, found an object'],
    [[null], 'expected an object at [0], found null'],
    [[{ name: 'a' }, {}], 'expected an object with fields at [1], found an empty one'],
    [['x'], 'expected an object at [0], found a string'],
  ])('of a list fails on %j', (value, message) => {
    const read = () => new Reader<Part[]>(CALL, value).items().map((part) => part.text('name'));
    expect(fault(read)).toBe(`${CALL}: ${message}`);
  });

  test('may find an empty object inside', () => {
    expect(
      reader({ inner: {}, parts: [{}] })
        .at('parts')
        .items()[0]
        ?.text('name'),
    ).toBe('');
    expect(reader({ inner: {} }).need('inner').text('name')).toBe('');
  });
});
