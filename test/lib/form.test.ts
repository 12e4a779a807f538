import { expect, test } from '@jest/globals';
import { type Form, ofForm } from '../../src/lib/form.ts';

const POD: Form = {
  fields: {
    name: 'text',
    labels: { map: 'text' },
    values: { map: 'plain' },
    ports: { list: { fields: { port: 'number', host: 'flag' }, needs: ['port'] } },
  },
  needs: ['name'],
};

test.each([
  ['all of it', { name: 'a', labels: { x: 'y' }, ports: [{ port: 1, host: true }] }],
  ['plain values', { name: 'a', values: { a: 1, b: 'x', c: false } }],
  ['what it needs', { name: 'a' }],
  ['what it does not name', { name: 'a', more: [{}, null] }],
  ['names of every object', { name: 'a', labels: { constructor: 'x', toString: 'y' } }],
])('an object with %s has the form', (_what, value) => {
  expect(ofForm(value, POD)).toEqual(value);
});

test('half of a character is none', () => {
  expect(ofForm('a\ud800', 'text')).toBe('a\ufffd');
});

test('a field that is null counts as missing', () => {
  expect(ofForm({ name: 'a', labels: null, more: null }, POD)).toEqual({ name: 'a', more: null });
});

test.each([
  [[], 'it should be an object'],
  [null, 'it should be an object'],
  [{}, 'name should be there'],
  [{ name: null }, 'name should be there'],
  [{ name: 1 }, 'name should be a text'],
  [{ name: 'a', labels: [] }, 'labels should be an object'],
  [{ name: 'a', labels: { x: {} } }, 'labels.x should be a text'],
  [{ name: 'a', values: { x: [] } }, 'values.x should be a text, a number, true or false'],
  [{ name: 'a', ports: {} }, 'ports should be a list'],
  [{ name: 'a', ports: [{ port: 1 }, { port: '2' }] }, 'ports[1].port should be a number'],
  [{ name: 'a', ports: [{}] }, 'ports[0].port should be there'],
  [{ name: 'a', ports: [{ port: 1, host: 0 }] }, 'ports[0].host should be true or false'],
])('%j does not: %s', (value, message) => {
  expect(() => ofForm(value, POD)).toThrow(message);
});
