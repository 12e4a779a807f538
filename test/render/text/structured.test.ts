import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { apiType } from '../../../src/agent/decode/shapes.ts';
import type { Release } from '../../../src/model/release.ts';
import { goJson, goMapJson } from '../../../src/render/text/json.ts';
import { renderOutput } from '../../../src/render/text/output.ts';
import { goYaml } from '../../../src/render/text/yaml.ts';
import { fixture, type RestCase } from '../../helpers/recordings.ts';

const CASES = fixture<RestCase[]>('recordings/agent-1.20.json');

function recorded(...argv: string[]): { body: unknown; stdout: string } {
  const found = CASES.find((c) => c.argv.join(' ') === argv.join(' '));
  if (!found) throw new Error(`no such case: ${argv.join(' ')}`);
  return { body: JSON.parse(found.exchanges[0]?.response.body ?? 'null'), stdout: found.stdout };
}

describe('structured output equals the reference', () => {
  test.each([
    ['StatusResponse', 'json', ['status', '-o', 'json']],
    ['StatusResponse', 'yaml', ['status', '-o', 'yaml']],
    ['StatusResponse', 'jsonpath={.cilium.state}', ['status', '-o', 'jsonpath={.cilium.state}']],
    ['Endpoint[]', 'json', ['endpoint', 'list', '-o', 'json']],
    ['Endpoint[]', 'yaml', ['endpoint', 'list', '-o', 'yaml']],
    ['Endpoint[]', 'jsonpath={[*].id}', ['endpoint', 'list', '-o', 'jsonpath={[*].id}']],
  ])('%s as %s', async (type, format, argv) => {
    const { body, stdout } = recorded(...argv);
    const { definitions } = await apiType(type);
    expect(definitions).toBeDefined();
    const ordered = Array.isArray(body) ? body.toSorted((a, b) => Number(a.id) - Number(b.id)) : body;
    // A field of the early snapshot, which released 1.20 no longer has.
    const released = stdout.replace(/^containerruntime: null\n/m, '');
    expect(await renderOutput(ordered, format, { type: () => apiType(type) })).toBe(released);
  });
});

test('a jsonpath without a template is JSON', async () => {
  expect(await renderOutput([{ a: 1 }], 'jsonpath=')).toBe(await renderOutput([{ a: 1 }], 'json'));
});

describe('jsonpath', () => {
  const value = {
    kind: 'List',
    items: [
      { id: 1, name: 'a', labels: { 'app.io/name': 'web', tier: 'front' }, ports: [80, 443, 8080] },
      { id: 2, name: 'b', labels: { 'app.io/name': 'db' }, ports: [] },
    ],
  };
  test.each([
    ['{.kind}', 'List'],
    ['kind={.kind}, n={.items[0].id}', 'kind=List, n=1'],
    ['{.items[*].id}', '1 2'],
    ['{.items[-1].name}', 'b'],
    ['{.items[0].ports[0:2]}', '80 443'],
    ['{.items[0].ports[::2]}', '80 8080'],
    ["{.items[0]['id','name']}", '1 a'],
    ['{.items[0].labels.app\\.io/name}', 'web'],
    ["{.items[0].labels['app.io/name']}", 'web'],
    ['{range .items[*]}{.id}:{.name}{"\\n"}{end}', '1:a\n2:b\n'],
    ['{range .items[*]}[{.id}] {range .ports[*]}{@};{end}{end}', '[1] 80;443;8080;[2] '],
    ['{.items[?(@.id==2)].name}', 'b'],
    ['{.items[?(@.name=="a")].id}', '1'],
    ['{.items[?(@.id>1)].id}', '2'],
    ['{.items[?(@.labels.tier)].id}', '1'],
    ['{..name}', 'a b'],
    ['{.missing.deeper}', ''],
    ['{.items[0].labels}', '{"app.io/name":"web","tier":"front"}'],
    ['{\'a literal\'} {"tab\\t"}', 'a literal tab\t'],
    ['{$.kind}', 'List'],
    ['no braces', 'no braces'],
  ])('%s', async (template, want) => {
    expect(await renderOutput(value, `jsonpath=${template}`)).toBe(`${want}\n`);
  });

  test.each(['{', '{.items[}', '{range .items}', '{end}', '{.items[?(@.a]}', "{'open}", '{.a!}'])(
    'refuses %s with the template in the message',
    async (template) => {
      await expect(renderOutput(value, `jsonpath=${template}`)).rejects.toThrow(
        /Couldn't parse jsonpath expression/,
      );
    },
  );
});

test.each([
  ['xml', 'Use -o json, -o yaml'],
  ['go-template={{.id}}', 'Templates of Go are not read: -o custom-columns='],
  ['go-template-file=t', 'Templates of Go are not read: -o custom-columns='],
  ['template={{\n=.id}}', 'Templates of Go are not read: -o custom-columns='],
  ['jsonpath', "It needs a template: -o jsonpath='{"],
  ['custom-columns', 'It needs columns: -o custom-columns='],
  ['custom-columns-file=c', 'It needs columns: -o custom-columns='],
])('the unknown format %j is named with what works', async (format, hint) => {
  await expect(renderOutput({}, format)).rejects.toMatchObject({
    message: `unknown output format "${format}"`,
    hint: expect.stringContaining(hint),
  });
});

// differs: json-steering
test('JSON escapes what would steer a terminal, and stays the same value', () => {
  const value = { '\u009b2J': 'a\u202eb\u0085' };
  expect(goJson(value)).toBe('{"\\u009b2J":"a\\u202eb\\u0085"}');
  expect(JSON.parse(goJson(value))).toEqual(value);
});

test.each([
  ['a \n', '"a \\n"\n'],
  ['a\nb ', '"a\\nb "\n'],
  ['a \n b', '"a \\n b"\n'],
  ['a\n b', '|-\n    a\n     b\n'],
])('YAML has no block with a line that ends with a blank: %j', (text, wanted) => {
  expect(goYaml(text)).toBe(wanted);
});

test('YAML has the fields of the release, and lists where structs were lists', async () => {
  const status = await apiType('StatusResponse');
  const fields = (release: Release) => goYaml({}, status, release);
  expect(fields('1.17')).toContain('containerruntime: null\n');
  expect(fields('1.17')).not.toContain('hubblemetrics');
  expect(fields('1.18')).toContain('hubblemetrics: null\n');
  expect(fields('1.19')).not.toContain('configureddatapathmode');
  const old = { 'match-prefixes': [{ cidr: 'c', 'prefix-len-max': 2 }] };
  expect(goYaml(old, await apiType('BgpRoutePolicyStatement'), '1.17')).toContain(
    'matchprefixes:\n    - cidr: c\n      prefixlenmax: 2\n      prefixlenmin: 0\n',
  );
  expect(goYaml(null, { shape: { type: 'array' }, definitions: {} })).toBe('[]\n');
});

// differs: json-steering
test('so does YAML, in keys too', () => {
  const value = { 'a\u202eb': 'c\u2066\u009b', 'k\nspec': 'd' };
  const text = goYaml(value);
  expect(text).toBe('"a\\u202Eb": "c\\u2066\\x9B"\n"k\\nspec": d\n');
  expect(parse(text)).toEqual(value);
});

test.each([
  [{ 901: ['a'], 1028: ['b'] }, '{"1028":["b"],"901":["a"]}'],
  [[{ z: { b: 1, 10: 2, 9: [{ 2: 0, 12: 0 }] }, a: 1 }], '[{"z":{"10":2,"9":[{"12":0,"2":0}],"b":1},"a":1}]'],
  [{ 9: ', "\u0001x":', 10: '{"\u00017":1}' }, '{"10":"{\\"\\u00017\\":1}","9":", \\"\\u0001x\\":"}'],
  [{ a: '{"7":1}' }, '{"a":"{\\"7\\":1}"}'],
])('JSON has the keys of a map in the order of their texts: %j', (value, text) => {
  expect(goMapJson(value)).toBe(text);
  expect(JSON.parse(goMapJson(value, 2))).toEqual(value);
});

test('a text that begins with what marks such keys stays whole', () => {
  const value = { 1: ['a', '\u0001\u0001b', '"\u0001c', '\\u0001d'], '\u0001e': { f: '\u0001g' } };
  expect(JSON.parse(goMapJson(value))).toEqual(value);
  expect(JSON.parse(goMapJson(value, 2))).toEqual(value);
});

test('JSON escapes what Go escapes', () => {
  expect(goJson({ a: '<b> & \u2028' })).toBe('{"a":"\\u003cb\\u003e \\u0026 \\u2028"}');
});

describe('YAML as Go writes it', () => {
  test.each([
    ['a text of several lines in a list', { a: ['x\ny'] }, 'a:\n    - |-\n      x\n      y\n'],
    ['one that begins with a blank', { a: [' x\ny'] }, 'a:\n    - |4-\n       x\n      y\n'],
    ['one in a map', { a: { b: 'x\ny\n' } }, 'a:\n    b: |\n        x\n        y\n'],
    ['nothing but the end of a line', { a: '\n' }, 'a: |4+\n\n'],
    ['one with tabs', { a: '\tx\n\ty' }, 'a: |-\n    \tx\n    \ty\n'],
    ['one with a blank at the end of a line', { a: 'x \ny' }, 'a: "x \\ny"\n'],
    ['one with a blank at its end', { a: 'x\ny ' }, 'a: "x\\ny "\n'],
    ['blanks beyond ASCII', { a: '\u00a0', b: 'x:\u3000#y' }, 'a: \u00a0\nb: x:\u3000#y\n'],
    ['what is nearly a number or a merge', { a: '0b_', b: '0x', c: '<<' }, 'a: 0b_\nb: 0x\nc: <<\n'],
    ['what is a number', { a: '0b_1', b: '0x_f', c: '0o7' }, 'a: "0b_1"\nb: "0x_f"\nc: "0o7"\n'],
    ['characters beyond the first plane', { a: '😀' }, 'a: "\\U0001F600"\n'],
  ])('%s', (_, value, text) => {
    expect(goYaml(value)).toBe(text);
  });

  test.each([
    [
      ['a10', 'a9', 'a1b', 'a'],
      ['a', 'a1b', 'a9', 'a10'],
    ],
    [
      ['aB', 'a_c', 'a-d'],
      ['a-d', 'a_c', 'aB'],
    ],
    [
      ['fd00::1', 'fd00::a', 'fd00::10', 'fd00::1a'],
      ['fd00::1', 'fd00::1a', 'fd00::10', 'fd00::a'],
    ],
    [
      ['x100', 'x20', 'x020', 'x1a'],
      ['x1a', 'x20', 'x020', 'x100'],
    ],
  ])('keys are in its order: %j', (keys, order) => {
    const text = goYaml(Object.fromEntries(keys.map((key) => [key, 'v'])));
    expect(text.match(/^.*(?=: v$)/gm)?.map((key) => key.replaceAll('"', ''))).toEqual(order);
  });

  test('a list or a map that is missing has no entries', async () => {
    expect(goYaml(null, await apiType('NodeID[]'))).toBe('[]\n');
    const map = { type: 'object', additionalProperties: { type: 'string' } };
    expect(goYaml(null, { shape: map, definitions: {} })).toBe('{}\n');
    expect(goYaml(null)).toBe('null\n');
  });

  test('doubles have an exponent from a million on, and pointers may be null', async () => {
    expect(goYaml([{ name: 'x', value: 1234567 }], await apiType('Metric[]'))).toContain(
      'value: 1.234567e+06\n',
    );
    expect(goYaml([{ ips: [] }], await apiType('NodeID[]'))).toBe('- id: null\n  ips: []\n');
  });

  test.each([
    ['1.9', 'StatusResponse', ['hostrouting'], ['encryption', 'identityrange', 'attachmode']],
    ['1.12', 'StatusResponse', ['encryption', 'identityrange'], ['cnifile', 'ipv6bigtcp', 'attachmode']],
    ['1.14', 'StatusResponse', ['cnifile', 'ipv4bigtcp', 'hostrouting'], ['srv6', 'attachmode']],
    ['1.14', 'BgpPeer', ['peerport'], ['localcapabilities', 'name', 'tcppasswordenabled']],
    ['1.13', 'BgpPeer', ['peeraddress'], ['peerport']],
    ['1.20', 'BgpPeer', ['localcapabilities', 'tcppasswordenabled'], []],
  ] as const)('of %s, a %s has the fields of its release', async (release, type, has, hasNot) => {
    const keys = goYaml({}, await apiType(type), release).match(/^\w+/gm) ?? [];
    expect(keys).toEqual(expect.arrayContaining([...has]));
    expect(keys.filter((key) => hasNot.some((one) => one === key))).toEqual([]);
  });
});
