import { describe, expect, test } from '@jest/globals';
import { jsonpath } from '../../../src/render/text/jsonpath.ts';

/** What Kubernetes' engine (client-go 0.36) prints of these, with missing keys allowed. */
const VALUE = { a: { b: 'deep' }, list: [{ n: 'x' }, { n: 'y' }], s: 'str', e: [] };

describe('a dot without a name asks for the key of no name', () => {
  test.each([
    ['{.}', ''],
    ['{.a.}', ''],
    ['{.list[0].}', ''],
    ['{.*.}', ''],
    ['{.[0]}', ''],
    ["{.['a']}", ''],
    ['{range .}{.a}{end}', ''],
    ['{.list.}', ''],
    ['{.s.}', ''],
  ])('%s', (template, text) => {
    expect(jsonpath(template, VALUE)).toBe(text);
  });

  test('which an object may have', () => {
    expect(jsonpath('{.}', { '': 'here', a: 1 })).toBe('here');
    expect(jsonpath('{.[0]}', { '': ['first'] })).toBe('first');
  });
});

describe('the current object', () => {
  const whole = JSON.stringify(VALUE);

  test.each([
    ['{@}', whole],
    ['{$}', whole],
    ['{}', whole],
    ['{ }', whole],
    ['a{}b', `a${whole}b`],
    ['{range .list[*]}{}{"\\n"}{end}', '{"n":"x"}\n{"n":"y"}\n'],
    ['{range .list[*]}{@.n}{end}', 'xy'],
    ['{"text"}', 'text'],
  ])('%s', (template, text) => {
    expect(jsonpath(template, VALUE)).toBe(text);
  });
});

describe('all that is below', () => {
  test.each([
    ['{..}', { a: { b: 'deep' } }, '{"a":{"b":"deep"}} {"b":"deep"} deep'],
    ['{..}', ['s', 't'], '["s","t"] s t'],
    ['{..}', { a: '', b: [], c: 1, d: true }, '{"a":"","b":[],"c":1,"d":true}'],
    ['{..}', [], ''],
    ['{..n}', VALUE, 'x y'],
    ['{.list..n}', VALUE, 'x y'],
  ])('%s of %j', (template, value, text) => {
    expect(jsonpath(template, value)).toBe(text);
  });
});
