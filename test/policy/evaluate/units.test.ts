import { describe, expect, test } from '@jest/globals';
import { contains, formatRange, parseRange, without } from '../../../src/lib/address.ts';
import { identityOf } from '../../../src/policy/evaluate/identities.ts';
import { broaderKeys, l4Key, portOf, prefixOf, protocolOf } from '../../../src/policy/evaluate/map-key.ts';
import { portBlocks } from '../../../src/policy/evaluate/ports.ts';
import { fqdnSelector, labelSelector, selects } from '../../../src/policy/evaluate/selectors.ts';

function block(text: string) {
  const found = parseRange(text);
  if (!found) throw new Error(`${text} is no prefix`);
  return found;
}

describe('prefixes', () => {
  test.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['0.0.0.0/0', 'fd00::/8', false],
    ['::/0', 'fd00::1', true],
  ])('%s holds %s: %s', (outer, inner, expected) => {
    expect(contains(block(outer), block(inner))).toBe(expected);
  });

  test('an exception leaves the prefixes around it', () => {
    expect(without(block('10.0.0.0/8'), [block('10.96.0.0/12')]).map(formatRange)).toEqual([
      '10.0.0.0/10',
      '10.64.0.0/11',
      '10.112.0.0/12',
      '10.128.0.0/9',
    ]);
    expect(without(block('10.0.0.0/8'), [block('0.0.0.0/0')])).toEqual([]);
    expect(without(block('10.0.0.0/8'), [block('11.0.0.0/8')]).map(formatRange)).toEqual(['10.0.0.0/8']);
  });

  test.each(['::/0', 'fd00::1/128', '2001:db8::1:0:0:1/128', '1.2.3.4/32'])(
    '%s is written as read',
    (text) => {
      expect(formatRange(block(text))).toBe(text);
    },
  );
});

describe('port ranges', () => {
  test.each([
    [0, 0, ['0/0']],
    [80, 0, ['80/16']],
    [0, 65_535, ['0/0']],
    [16, 31, ['16/12']],
    [8000, 8999, ['8000/10', '8064/9', '8192/7', '8704/8', '8960/11', '8992/13']],
    [1, 65_535, expect.arrayContaining(['1/16', '32768/1'])],
  ])('%i to %i', (first, last, expected) => {
    expect(portBlocks(first, last).map(({ port, prefix }) => `${port}/${prefix}`)).toEqual(expected);
  });

  test('a key holds protocol, port and prefix, and knows the broader ones', () => {
    const key = l4Key(132, { port: 65_535, prefix: 16 });
    expect([protocolOf(key), portOf(key), prefixOf(key)]).toEqual([132, 65_535, 16]);
    const broader = broaderKeys(l4Key(6, { port: 8080, prefix: 16 }));
    expect(broader).toHaveLength(17);
    expect(broader.slice(-2).map((each) => [protocolOf(each), portOf(each), prefixOf(each)])).toEqual([
      [6, 0, 0],
      [0, 0, 0],
    ]);
  });
});

describe('selectors', () => {
  const pod = identityOf(1000, ['k8s:app=api', 'user:team=red']);

  test.each([
    [{ matchLabels: { 'any:app': 'api' } }, true],
    [{ matchLabels: { 'k8s:app': 'api' } }, true],
    [{ matchLabels: { 'user:app': 'api' } }, false],
    [{ matchLabels: { app: 'api', 'any:team': 'red' } }, true],
    [{ matchLabels: { 'k8s:team': 'red' } }, false],
    [{ matchExpressions: [{ key: 'any:app', operator: 'In' as const, values: ['x', 'api'] }] }, true],
    [{ matchExpressions: [{ key: 'any:app', operator: 'NotIn' as const, values: ['api'] }] }, false],
    [{ matchExpressions: [{ key: 'any:none', operator: 'NotIn' as const, values: ['api'] }] }, true],
    [{ matchExpressions: [{ key: 'any:app', operator: 'Exists' as const }] }, true],
    [{ matchExpressions: [{ key: 'any:app', operator: 'DoesNotExist' as const }] }, false],
    [{}, true],
  ])('%j', (selector, expected) => {
    expect(selects(labelSelector(selector), pod)).toBe(expected);
  });

  test.each([
    [{ matchName: 'a.example.com' }, 'a.example.com', true],
    [{ matchName: 'a.example.com' }, 'b.example.com', false],
    [{ matchPattern: '*.example.com' }, 'a.example.com', true],
    [{ matchPattern: '*.example.com' }, 'a.b.example.com', false],
    [{ matchPattern: '*.example.com' }, 'example.com', false],
    [{ matchPattern: '**.example.com' }, 'a.b.example.com', true],
    [{ matchPattern: '*' }, 'anything.at.all', true],
    [{ matchPattern: 'api*.example.com' }, 'api-2.example.com', true],
  ])('%j, a peer called %s: %s', (selector, name, expected) => {
    expect(selects(fqdnSelector(selector), identityOf(-1, ['reserved:world'], [name]))).toBe(expected);
  });
});
