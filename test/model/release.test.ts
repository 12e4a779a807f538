import { expect, test } from '@jest/globals';
import {
  atLeast,
  compareReleases,
  isInRelease,
  KNOWN_RELEASES,
  parseBuild,
  parseRelease,
  type Release,
  recognisePins,
  recogniseRelease,
  releaseOfPinsOf,
} from '../../src/model/release.ts';

test.each([
  ['1.17', '1.17'],
  ['v1.17.3', '1.17'],
  ['1.20.0-dev (v1.20.0-dev-26d721f0fe)', '1.20'],
  ['1.9.89', '1.9'],
  ['1.9.90 abcdef 2021-04-07', '1.10'],
  ['1.13.90', '1.14'],
  ['2.0.1', '2.0'],
  ['cilium 1.17', undefined],
  ['17', undefined],
  ['', undefined],
])('the version %j is of release %s', (version, release) => {
  expect(parseRelease(version)).toBe(release);
});

test.each([
  ['1.17', undefined],
  ['v1.17.3', false],
  ['1.17.0-rc.2', false],
  ['1.17.0-lab', false],
  ['1.17.4 (v1.17.4-devel)', false],
  ['1.17.0-dev (v1.17.0-dev-b095517e62)', true],
  ['1.17.0-pre.1', true],
  ['1.17-snapshot', true],
  ['1.13.90 (v1.13.90-2fd6a9c32)', true],
  ['1.9.89', false],
])('the version %j is of a build on the way to its release: %j', (version, development) => {
  expect(parseBuild(version)?.development).toBe(development);
});

test('releases are ordered by number, not by character', () => {
  const releases: Release[] = ['1.20', '1.9', '2.0', '1.14', '1.10'];
  expect(releases.sort(compareReleases)).toEqual(['1.9', '1.10', '1.14', '1.20', '2.0']);
  expect([atLeast('1.14', '1.9'), atLeast('1.14', '1.14'), atLeast('1.9', '1.14')]).toEqual([
    true,
    true,
    false,
  ]);
});

test('agents on the way to a release stand right before it', () => {
  const releases: Release[] = ['1.13', '1.13-dev', '1.14', '1.12'];
  expect(releases.sort(compareReleases)).toEqual(['1.12', '1.13-dev', '1.13', '1.14']);
  expect([atLeast('1.13-dev', '1.12'), atLeast('1.13-dev', '1.13'), atLeast('1.13', '1.13-dev')]).toEqual([
    true,
    false,
    true,
  ]);
});

test.each([
  ['1.13.90', '1.13-dev'],
  ['1.14.0', '1.14'],
  ['1.14', '1.14'],
  ['1.13.4', '1.13'],
  ['1.9.90', '1.10'],
  ['1.17.0-dev', '1.17-dev'],
  ['1.17.2', '1.17'],
  ['1.20.0-dev', '1.20'],
])('an agent called %s pins the maps of %s', (version, release) => {
  const build = parseBuild(version);
  expect(build && releaseOfPinsOf(build)).toBe(release);
});

test('the table goes from the oldest release to the newest', () => {
  const all = Array.from({ length: 12 }, (_, i) => `1.${i + 9}`);
  expect(KNOWN_RELEASES).toEqual(all);
});

test.each([
  ['status', ['host-routing', 'cilium'], '1.9'],
  ['status', ['host-routing', 'encryption'], '1.10'],
  ['status', ['host-routing', 'encryption', 'cni-chaining'], '1.12'],
  ['status', ['cni-file'], '1.13'],
  ['status', ['cni-file', 'ipv4-big-tcp'], '1.14'],
  ['status', ['cni-file', 'srv6'], '1.15'],
  ['status', ['routing', 'cni-file', 'srv6'], '1.16'],
  ['status', ['cni-file', 'hubble-metrics'], '1.18'],
  ['status', ['hubble-metrics', 'configured-datapath-mode'], '1.20'],
  ['status', [], '1.20'],
] as const)('by %s, %j is release %s', (by, names, release) => {
  const given: readonly string[] = names;
  expect(recogniseRelease(by, (name) => given.includes(name))).toBe(release);
});

test.each([
  [['cilium_policy_{n} 8'], '1.9', '1.10'],
  [['cilium_lb4_backends 2'], '1.9', '1.10'],
  [['cilium_policy_{n} 8', 'cilium_lb4_backends_v2'], '1.11', '1.12'],
  [['cilium_policy_{n} 8', 'cilium_lb4_backends_v2', 'cilium_node_map'], '1.11', '1.12'],
  [['cilium_policy_{n} 8', 'cilium_lb6_backends_v3'], '1.13-dev', '1.13-dev'],
  [['cilium_policy_{n} 8', 'cilium_lb6_backends_v3', 'cilium_node_map'], '1.13', '1.13'],
  [['cilium_policy_{n} 12', 'cilium_auth_map', 'cilium_node_map'], '1.14', '1.15'],
  [['cilium_policy_{n} 12', 'cilium_auth_map', 'cilium_node_map_v2'], '1.16', '1.17-dev'],
  [['cilium_policy_v2_{n} 24', 'cilium_policy_{n} 12'], '1.17', '1.17'],
  [['cilium_policystats', 'cilium_policy_v2_{n} 8'], '1.18', '1.18'],
  [['cilium_policystats', 'cilium_policy_v2_{n} 12'], '1.19', '1.19'],
  [['cilium_policy_v3_{n}', 'cilium_policy_v2_{n} 12'], '1.20', '1.20'],
  [[], '1.9', '1.20'],
] as const)('the pins %j are of %s to %s', (pins, first, last) => {
  const given: readonly string[] = pins;
  const range = recognisePins(({ pin, keySize, valueSize }) =>
    given.includes([pin, keySize ?? valueSize].filter((part) => part !== undefined).join(' ')),
  );
  expect(range).toEqual({ first, last });
});

test('a part without a list of releases is in all of them', () => {
  expect(isInRelease(undefined, '1.9')).toBe(true);
  expect(isInRelease(['1.17', '1.20'], '1.17')).toBe(true);
  expect(isInRelease(['1.17', '1.20'], '1.9')).toBe(false);
  expect(isInRelease(['1.9'], '1.10')).toBe(false);
  expect(isInRelease(['1.15'], '1.16')).toBe(false);
  expect(isInRelease(['1.17'], '1.18')).toBe(false);
  expect(isInRelease(['1.20'], '1.21')).toBe(true);
});
