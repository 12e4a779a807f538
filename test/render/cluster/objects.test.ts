import { describe, expect, test } from '@jest/globals';
import { formatJson } from '../../../src/lib/exact-json.ts';
import { listWriter } from '../../../src/render/cluster/objects.ts';
import { escapeSteering } from '../../../src/render/text/json.ts';
import { goYaml } from '../../../src/render/text/yaml.ts';
import fc from '../../helpers/properties.ts';

const KIND = { apiVersion: 'cilium.io/v2', kind: 'CiliumNode' };
const list = (items: readonly unknown[]) => ({
  apiVersion: 'v1',
  items,
  kind: 'List',
  metadata: { resourceVersion: '' },
});

/** The list as it is written object by object. */
async function written(items: readonly unknown[], format: string): Promise<string> {
  const writer = await listWriter(KIND, format);
  return [...(await writer.write(items.map((item) => writer.keep(item))))].join('');
}

describe('a list that is written object by object is that of all at once', () => {
  const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 4 });

  test('as JSON', async () => {
    await fc.assert(
      fc.asyncProperty(objects, async (items) => {
        expect(await written(items, 'json')).toBe(`${escapeSteering(formatJson(list(items), 4) ?? '')}\n`);
      }),
    );
  });

  test('as YAML', async () => {
    await fc.assert(
      fc.asyncProperty(objects, async (items) => {
        expect(await written(items, 'yaml')).toBe(`${goYaml(list(items))}\n`);
      }),
    );
  });

  test.each(['json', 'yaml'])('as %s without any', async (format) => {
    const whole = format === 'json' ? formatJson(list([]), 4) : goYaml(list([]));
    expect(await written([], format)).toBe(`${whole}\n`);
  });
});

test('names, columns and jsonpath take what they need of each', async () => {
  const items = [{ metadata: { name: 'a' }, spec: { n: 1 } }, { metadata: { name: 'b' } }];
  expect(await written(items, 'name')).toBe('ciliumnode.cilium.io/a\nciliumnode.cilium.io/b\n');
  expect(await written(items, 'custom-columns=NAME:.metadata.name,N:.spec.n')).toBe(
    'NAME   N\na      1\nb      <none>\n',
  );
  expect(await written(items, 'jsonpath={.items[*].metadata.name}')).toBe('a b\n');
  expect(await written([], 'custom-columns=NAME:.metadata.name')).toBe('NAME\n');
});
