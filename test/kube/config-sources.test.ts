import { describe, expect, test } from '@jest/globals';
import { type ConfigSource, type ConfigValues, connectConfigReader } from '../../src/kube/config-sources.ts';
import { serveKube } from '../helpers/kube.ts';

const NODE = '/api/v1/nodes/n1';
const CONFIGS = '/apis/cilium.io/v2/namespaces/kube-system/ciliumnodeconfigs';
const OLD_CONFIGS = CONFIGS.replace('/v2/', '/v2alpha1/');

/** Reads one source of a cluster that holds these objects, by path. */
async function read(
  source: Partial<ConfigSource>,
  objects: Record<string, unknown>,
  nodeName = 'n1',
): Promise<{ result: ConfigValues | undefined; notes: string[] }> {
  await using kube = await serveKube((request, response) => {
    const object = objects[(request.url ?? '').split('?')[0] ?? ''];
    response.setHeader('content-type', 'application/json');
    response.writeHead(object === undefined ? 404 : 200).end(JSON.stringify(object ?? {}));
  });
  const notes: string[] = [];
  await using reader = await connectConfigReader({
    env: {},
    signal: new AbortController().signal,
    kubeconfig: kube.kubeconfig,
    nodeName,
    note: async (text) => void notes.push(text),
  });
  const whole: ConfigSource = { kind: 'config-map', namespace: 'kube-system', name: '', ...source };
  return { result: await reader.read(whole), notes };
}

const config = (name: string, defaults: object, nodeSelector?: object) => ({
  metadata: { name },
  spec: { defaults, nodeSelector },
});

test('a ConfigMap gives its data, an empty one nothing, an absent one is undefined', async () => {
  const path = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
  const source = { name: 'cilium-config' };
  expect((await read(source, { [path]: { data: { debug: 'true' } } })).result).toEqual({
    from: [{ kind: 'config-map', namespace: 'kube-system', name: 'cilium-config' }],
    values: { debug: 'true' },
  });
  expect((await read(source, { [path]: {} })).result?.values).toEqual({});
  expect((await read(source, {})).result).toBeUndefined();
});

describe('a node', () => {
  const source = { kind: 'node', name: 'n1' } as const;

  test('gives what its labels and annotations say, the annotation before the label', async () => {
    const metadata = {
      labels: { 'config.cilium.io/a': 'label', 'config.cilium.io/b': 'label', 'other/c': 'x' },
      annotations: { 'config.cilium.io/b': 'annotation', 'config.cilium.io/no key': 'x' },
    };
    const { result, notes } = await read(source, { [NODE]: { metadata } });
    expect(result?.values).toEqual({ a: 'label', b: 'annotation' });
    expect(result?.from).toHaveLength(1);
    expect(notes).toEqual(['Node n1: "config.cilium.io/no key" does not name a configuration key: left out']);
  });

  test('that says nothing is no source, and one that is absent is an error', async () => {
    expect((await read(source, { [NODE]: { metadata: {} } })).result).toEqual({ from: [], values: {} });
    await expect(read(source, {})).rejects.toThrow('Node n1: not found');
  });
});

describe('node configurations', () => {
  const source = { kind: 'cilium-node-config' } as const;
  const node = { metadata: { labels: { zone: 'a', arm: 'yes' } } };
  const valuesOf = async (...items: object[]) =>
    (await read(source, { [NODE]: node, [CONFIGS]: { items } })).result;

  test.each<[object, boolean]>([
    [{ matchLabels: { zone: 'a' } }, true],
    [{ matchLabels: { zone: 'b' } }, false],
    [{ matchLabels: { zone: 'a', other: 'x' } }, false],
    [{}, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['b', 'a'] }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] }, false],
    [{ matchExpressions: [{ key: 'none', operator: 'In', values: ['b'] }] }, false],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['b'] }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, false],
    [{ matchExpressions: [{ key: 'none', operator: 'NotIn', values: ['a'] }] }, true],
    [{ matchExpressions: [{ key: 'arm', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'none', operator: 'Exists' }] }, false],
    [{ matchExpressions: [{ key: 'none', operator: 'DoesNotExist' }] }, true],
    [{ matchExpressions: [{ key: 'arm', operator: 'DoesNotExist' }] }, false],
    [{ matchExpressions: [{ key: 'none', operator: 'Gt', values: ['1'] }] }, false],
    [{ matchLabels: { zone: 'a' }, matchExpressions: [{ key: 'none', operator: 'Exists' }] }, false],
  ])('with the selector %j count: %s', async (selector, counts) => {
    const result = await valuesOf(config('x', { a: '1' }, selector));
    expect(result?.values).toEqual(counts ? { a: '1' } : {});
  });

  test('without a selector, or without values, do not count', async () => {
    const result = await valuesOf(config('x', { a: '1' }), config('y', {}, {}), { metadata: {} });
    expect(result).toEqual({ from: [], values: {} });
  });

  test('are in the order of their names: the last one wins, and that is told', async () => {
    const items = [config('b', { a: 'b', 'no key': '1', n: 5 }, {}), config('a', { a: 'a' }, {})];
    const { result, notes } = await read(source, { [NODE]: node, [CONFIGS]: { items } });
    expect(result?.from.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(result?.values).toEqual({ a: 'b', n: '5' });
    expect(notes).toEqual([
      'a is set by more than one CiliumNodeConfig',
      'CiliumNodeConfig b: "no key" is no key: left out',
    ]);
  });

  test('are those of the newest version that has any', async () => {
    const old = { [NODE]: node, [OLD_CONFIGS]: { items: [config('old', { a: 'old' }, {})] } };
    expect((await read(source, old)).result?.values).toEqual({ a: 'old' });
    expect((await read(source, { ...old, [CONFIGS]: { items: [] } })).result?.values).toEqual({ a: 'old' });
    const both = { ...old, [CONFIGS]: { items: [config('new', { a: 'new' }, {})] } };
    expect((await read(source, both)).result?.values).toEqual({ a: 'new' });
    expect((await read(source, { [NODE]: node })).result).toBeUndefined();
  });

  test('that are named need no selector', async () => {
    const objects = { [NODE]: node, [`${CONFIGS}/x`]: config('x', { a: '1' }) };
    expect((await read({ ...source, name: 'x' }, objects)).result).toEqual({
      from: [{ ...source, namespace: 'kube-system', name: 'x' }],
      values: { a: '1' },
    });
  });

  test('cannot be chosen for a node that is absent', async () => {
    const objects = { [CONFIGS]: { items: [config('x', { a: '1' }, {})] } };
    await expect(read(source, objects)).rejects.toMatchObject({
      message: 'Node n1: not found',
      hint: 'Name the node with --node-name or K8S_NODE_NAME.',
    });
  });
});
