import { describe, expect, test } from '@jest/globals';
import { endpointOf, KNOWN_MAPS, knownMap } from '../../../src/bpf/layouts/catalogue.ts';
import {
  CONNTRACK4,
  ctEntry,
  ctEntry115,
  ctEntry117,
  ctEntry118,
} from '../../../src/bpf/layouts/conntrack.ts';
import { ENDPOINTS } from '../../../src/bpf/layouts/endpoints.ts';
import { IPCACHE } from '../../../src/bpf/layouts/ipcache.ts';
import { mapLayout, readsDifferently, variantOf } from '../../../src/bpf/layouts/map-layout.ts';
import { struct } from '../../../src/bpf/layouts/struct.ts';
import type { RecordedMap } from '../../helpers/bpf.ts';
import { fixture } from '../../helpers/recordings.ts';

const { maps } = fixture<{ maps: RecordedMap[] }>('recordings/bpf-1.20.json');

describe('the catalogue', () => {
  test.each(
    maps.map(
      ({ path, keySize, valueSize, type }) =>
        [path.split('/').at(-1) ?? '', { keySize, valueSize, type }] as const,
    ),
  )('knows %s and its layout', (name, { keySize, valueSize, type }) => {
    const known = knownMap(name);
    expect(known).toBeDefined();
    if (!known || type === 'perf_event_array') return;
    expect(variantOf(known, { pin: name, keySize, valueSize }, '1.20')).toBeDefined();
  });

  test('knows the endpoint of a map by its name', () => {
    expect(endpointOf('cilium_policy_v2_00356')).toBe(356);
    expect(endpointOf('cilium_policy_00356')).toBe(356);
    expect(endpointOf('cilium_calls_03800')).toBe(3800);
    expect(endpointOf('cilium_calls_hostns_03260')).toBe(3260);
    expect(endpointOf('cilium_calls_netdev_00002')).toBeUndefined();
    expect(endpointOf('cilium_policy_v2_reserved_1')).toBeUndefined();
    expect(endpointOf('cilium_lxc')).toBeUndefined();
    expect(endpointOf('cilium_policy_v2_0356')).toBeUndefined();
    expect(knownMap('cilium_policy_v2_003561')).toBeUndefined();
  });

  test('picks the layout of the release where sizes are the same', () => {
    const sizes = { keySize: 14, valueSize: 56 };
    expect(variantOf(CONNTRACK4, sizes, '1.9')?.value).toBe(ctEntry115);
    expect(variantOf(CONNTRACK4, sizes, '1.15')?.value).toBe(ctEntry115);
    expect(variantOf(CONNTRACK4, sizes, '1.16')?.value).toBe(ctEntry117);
    expect(variantOf(CONNTRACK4, sizes, '1.18')?.value).toBe(ctEntry118);
    expect(variantOf(CONNTRACK4, sizes, '1.19')?.value).toBe(ctEntry);
    expect(variantOf(CONNTRACK4, sizes, '1.20')?.value).toBe(ctEntry);
    expect(variantOf(CONNTRACK4, { keySize: 14, valueSize: 55 }, '1.20')).toBeUndefined();
  });
});

test.each([
  ['1.14', '1.15', false],
  ['1.15', '1.16', true],
  ['1.17', '1.18', false],
  ['1.18', '1.20', false],
  ['1.17', '1.19', true],
  ['1.9', '1.20', true],
  ['1.16', '1.16', false],
] as const)('from %s to %s connections are read in different ways: %j', (first, last, different) => {
  expect(readsDifferently(CONNTRACK4, { keySize: 14, valueSize: 56 }, { first, last })).toBe(different);
});

test.each([
  ['1.9', '1.11', false],
  ['1.11', '1.12', true],
  ['1.12', '1.13', true],
  ['1.15', '1.17', false],
  ['1.12', '1.17', true],
] as const)('from %s to %s the ipcache is read in different ways: %j', (first, last, different) => {
  const map = { pin: 'cilium_ipcache', keySize: 24, valueSize: 12 };
  expect(readsDifferently(IPCACHE, map, { first, last })).toBe(different);
});

test('endpoints, whose newer fields were zeros, are read alike by all', () => {
  expect(readsDifferently(ENDPOINTS, { keySize: 20, valueSize: 48 }, { first: '1.9', last: '1.20' })).toBe(
    false,
  );
});

test('the name of a pin decides between variants of the same sizes', () => {
  const key = struct(4, {});
  const [one, other] = [struct(8, {}), struct(8, {})];
  const layout = mapLayout('x', { pins: ['new_{n}'], key, value: one }, { pins: ['old'], key, value: other });
  const sizes = { keySize: 4, valueSize: 8 };
  expect(variantOf(layout, { pin: 'old', ...sizes }, '1.20')?.value).toBe(other);
  expect(variantOf(layout, { pin: 'new_7', ...sizes }, '1.20')?.value).toBe(one);
  expect(variantOf(layout, { pin: 'else', ...sizes }, '1.20')?.value).toBe(one);
});

describe('structs', () => {
  const structs = KNOWN_MAPS.flatMap(({ variants }) => variants.flatMap(({ key, value }) => [key, value]));

  test('hold all of their fields', () => {
    for (const { size, fields } of structs)
      for (const field of Object.values(fields)) {
        expect(field.at + field.size).toBeLessThanOrEqual(size);
        expect(field.tag).toBeLessThan(size);
      }
  });

  test('have no two fields in one place but for the unions', () => {
    const shared = structs.flatMap(({ fields }) =>
      Object.entries(fields).flatMap(([name, a]) =>
        Object.entries(fields)
          .filter(([other, b]) => other > name && a.at < b.at + b.size && b.at < a.at + a.size)
          .map(([other]) => `${name} ${other}`),
      ),
    );
    expect([...new Set(shared)].sort()).toEqual([
      'backendId natAddress',
      'backendId union0',
      'natAddress union0',
    ]);
  });
});
