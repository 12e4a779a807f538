import { describe, expect, test } from '@jest/globals';
import { JsonFields } from '../../src/lib/json-fields.ts';

/** Values of a field, of a text that comes in pieces of one size. */
function found(text: string, name: string, depth: number, size: number): JsonFields {
  const fields = new JsonFields(name, depth);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) fields.push(bytes.subarray(at, at + size));
  return fields;
}

const ENDPOINTS = [
  { id: 7, status: { id: 'inner', labels: ['id', ':', '{"id": 9}'] } },
  { status: {}, id: 12 },
  { id: { id: 3 } },
  { name: 'id' },
  { id: -4.5e3 },
];
const MAPS = { id: 1, maps: [{ path: '/sys/fs/bpf/é"\\x', cache: [{ path: 'no' }] }, { path: '' }] };

describe.each([1, 2, 7, 1000])('in pieces of %d bytes', (size) => {
  test.each([
    {
      what: 'numbers in a list of objects',
      value: ENDPOINTS,
      name: 'id',
      depth: 2,
      values: ['7', '12', '-4500'],
    },
    { what: 'texts two levels down', value: MAPS, name: 'path', depth: 3, values: ['/sys/fs/bpf/é"\\x', ''] },
    { what: 'nothing of an empty list', value: [], name: 'id', depth: 2, values: [] },
    { what: 'nothing of null', value: null, name: 'id', depth: 2, values: [] },
  ])('finds $what, also where the text is spaced', ({ value, name, depth, values }) => {
    for (const indent of [0, 2]) {
      const fields = found(JSON.stringify(value, null, indent), name, depth, size);
      expect({ values: fields.values, isWhole: fields.isWhole }).toEqual({ values, isWhole: true });
    }
  });

  test.each(['', '<html>no</html>', '[{"id": 1}', '[{"id": "1', 'plain text'])(
    'says that %j is no whole answer',
    (text) => {
      expect(found(text, 'id', 2, size).isWhole).toBe(false);
    },
  );
});
