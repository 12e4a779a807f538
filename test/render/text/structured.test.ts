import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { apiType } from '../../../src/agent/decode/shapes.ts';
import { goJson } from '../../../src/render/text/json.ts';
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

test('an unknown format is named with those that work', async () => {
  await expect(renderOutput({}, 'xml')).rejects.toThrow('unknown output format "xml"');
});

// differs: json-steering
test('JSON escapes what would steer a terminal, and stays the same value', () => {
  const value = { '\u009b2J': 'a\u202eb\u0085' };
  expect(goJson(value)).toBe('{"\\u009b2J":"a\\u202eb\\u0085"}');
  expect(JSON.parse(goJson(value))).toEqual(value);
});

// differs: json-steering
test('so does YAML, in keys too', () => {
  const value = { 'a\u202eb': 'c\u2066\u009b', 'k\nspec': 'd' };
  const text = goYaml(value);
  expect(text).toBe('"a\\u202Eb": "c\\u2066\\x9B"\n"k\\nspec": d\n');
  expect(parse(text)).toEqual(value);
});

test('JSON escapes what Go escapes', () => {
  expect(goJson({ a: '<b> & \u2028' })).toBe('{"a":"\\u003cb\\u003e \\u0026 \\u2028"}');
});
