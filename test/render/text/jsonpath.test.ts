import { describe, expect, test } from '@jest/globals';
import { apiType } from '../../../src/agent/decode/shapes.ts';
import { evaluate, jsonpath } from '../../../src/render/text/jsonpath.ts';

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

describe('all entries, as [*]', () => {
  test('are those of a list alone', () => {
    expect(jsonpath('{.list[*].n}', VALUE)).toBe('x y');
    expect(jsonpath('{.nosuch[*].n}', VALUE)).toBe('');
    expect(() => jsonpath('{.a[*]}', VALUE)).toThrow('not an array or slice');
    expect(() => jsonpath('{range [*]}{.n}{end}', VALUE)).toThrow('not an array or slice');
  });
});

describe('part of a list', () => {
  const lists = { some: ['a', 'b', 'c'], none: [], nested: [{ l: ['a'] }, { l: [] }, { l: ['b'] }] };
  test.each([
    ['{.some[1:]}', 'b c'],
    ['{.some[-2:-1]}', 'b'],
    ['{.some[1:1]}', ''],
    ['{.some[9:9]}', ''],
    ['{.none[:]}', ''],
    // The engine stops at the first list that is empty.
    ['{.nested[*].l[*]}', 'a'],
  ])('%s', (template, text) => {
    expect(jsonpath(template, lists)).toBe(text);
  });

  test.each([
    ['{.some[3]}', 'array index out of bounds: index 3, length 3'],
    ['{.some[-4]}', 'array index out of bounds: index -1, length 3'],
    ['{.some[1:4]}', 'array index out of bounds: index 3, length 3'],
    ['{.some[3:]}', undefined],
    ['{.some[4:]}', 'array index out of bounds: index 4, length 3'],
    ['{.some[2:1]}', 'starting index 2 is greater than ending index 1'],
    ['{.some[::0]}', 'step must be > 0'],
    ['{.none[0]}', 'array index out of bounds: index 0, length 0'],
  ])('%s may be an error', (template, message) => {
    const evaluate = () => jsonpath(template, lists);
    if (message === undefined) expect(evaluate()).toBe('');
    else expect(evaluate).toThrow(message);
  });

  test('that the answer does not have is an empty list where its type is known', async () => {
    const type = await apiType('StatusResponse');
    expect(() => jsonpath('{.proxy.redirects[0].name}', { proxy: {} }, type)).toThrow(
      'array index out of bounds: index 0, length 0',
    );
    expect(jsonpath('{.proxy.redirects[*].name}', { proxy: {} }, type)).toBe('');
    expect(jsonpath('{.proxy.redirects[0].name}', {}, type)).toBe('');
    expect(jsonpath('{.nosuch[0]}', {}, type)).toBe('');
  });
});

describe('a struct', () => {
  const flags = { trafficPolicy: 'Cluster', type: 'NodePort' };
  const service = { spec: { flags, 'backend-addresses': [{ ip: '10.0.0.1' }], id: 902 } };

  test.each([
    // As an agent of 1.10 was recorded.
    { release: '1.10', text: '{0   Cluster NodePort}' },
    { release: '1.14', text: '{  0     Cluster NodePort}' },
    { release: undefined, text: '{  0     Cluster NodePort}' },
  ] as const)('is printed as Go does, with the fields of $release', async ({ release, text }) => {
    const type = await apiType('Service');
    expect(evaluate('{.spec.flags}', service, { type, release })).toEqual({ text, hasStructs: true });
  });

  test.each([
    ['Identity[]', '{[0]}', [{ id: 1, labels: ['reserved:host'] }], '{1 [reserved:host] }'],
    ['Identity[]', '{[*]}', [{ id: 1 }, { id: 2 }], '{1 [] } {2 [] }'],
    // A time is a struct, which is printed as JSON; within another one it is not.
    ['DNSLookup[]', '{[0].expiration-time}', [{ ttl: 5 }], '"0001-01-01T00:00:00.000Z"'],
    [
      'StatusResponse',
      '{.stale.kvstore} {.stale.other}',
      { stale: { kvstore: '2026-11-22T08:00:00.000Z' } },
      '"2026-11-22T08:00:00.000Z" ',
    ],
    ['BPFMapList', '{.maps}', {}, 'null'],
    ['BPFMapList', '{@}', {}, '{[]}'],
    ['Service', '{.status}', {}, '<nil>'],
    [
      'Metric[]',
      '{[*].value}',
      [{ value: 1234567 }, { value: 0.5 }, { value: 2e-7 }],
      '1.234567e+06 0.5 2e-07',
    ],
    [
      'DaemonConfiguration',
      '{.status.daemonConfigurationMap}',
      { status: { daemonConfigurationMap: { a: null } } },
      '{"a":null}',
    ],
    [
      'DaemonConfiguration',
      '{.status.daemonConfigurationMap.a}',
      { status: { daemonConfigurationMap: { a: null } } },
      'null',
    ],
  ] as const)('%s %s', async (name, template, value, text) => {
    expect(jsonpath(template, value, await apiType(name))).toBe(text);
  });

  // differs: jsonpath-structure
  test.each([
    [
      'Service',
      '{.spec}',
      '{"flags":{"trafficPolicy":"Cluster","type":"NodePort"},"backend-addresses":[{"ip":"10.0.0.1"}],"id":902}',
    ],
    ['Service', '{.spec.backend-addresses[0]}', '{"ip":"10.0.0.1"}'],
  ])('%s %s holds addresses in Go, so it is JSON', async (name, template, text) => {
    expect(jsonpath(template, service, await apiType(name))).toBe(text);
  });
});
