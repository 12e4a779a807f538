import { describe, expect, test } from '@jest/globals';
import {
  clustersOf,
  clusterValues,
  joinValues,
  shownValues,
  trustValues,
  wholeValues,
  withClusters,
  withoutClusters,
} from '../../../src/cluster/clustermesh/values.ts';

const place = { ips: ['192.0.2.2'], port: 2379 };
const mesh = (clusters: unknown) => ({ clustermesh: { config: { clusters } } });
const setTo = (clusters: unknown) => ({ clustermesh: { config: { enabled: true, clusters } } });
const connect = (values: object, version: string) =>
  clusterValues(withClusters(clustersOf(values as never), new Map([['c2', place]])), version);
const disconnect = (values: object, version: string) =>
  clusterValues(withoutClusters(clustersOf(values as never), ['c2']), version);

describe('a chart that takes a list', () => {
  test.each([
    { before: {}, after: [{ ...place, name: 'c2' }] },
    { before: mesh(null), after: [{ ...place, name: 'c2' }] },
    {
      before: mesh([
        { name: 'c1', ips: [] },
        { name: 'c2', port: 1, tls: { key: 'k' } },
      ]),
      after: [
        { name: 'c1', ips: [] },
        { ...place, name: 'c2' },
      ],
    },
    {
      before: mesh({ c1: { enabled: false } }),
      after: [
        { enabled: false, name: 'c1' },
        { ...place, name: 'c2' },
      ],
    },
  ])('is given all of them: $before', ({ before, after }) => {
    expect(connect(before, '1.19.5')).toEqual(setTo(after));
  });

  test('and the rest when one goes', () => {
    expect(disconnect(mesh([{ name: 'c2' }, { name: 'c1' }]), '1.18.0')).toEqual(setTo([{ name: 'c1' }]));
    expect(disconnect({}, '1.18.0')).toEqual(setTo([]));
  });
});

describe('a chart that takes a map', () => {
  test.each([[mesh({ c1: { port: 1 }, c2: { tls: {} } })], [mesh([{ name: 'c1', port: 1 }])]])(
    'is given a map, whatever there was: %j',
    (before) => {
      expect(connect(before, '1.20.0')).toEqual(setTo({ c1: { port: 1 }, c2: place }));
      expect(disconnect(before, 'v2.0.0')).toEqual(setTo({ c1: { port: 1 } }));
    },
  );
});

test('of all values those that are not named stay, and clusters that are not named go', () => {
  const before = { ...mesh({ c1: { port: 1 }, c2: place }), kept: { a: 1 } };
  expect(wholeValues(before, disconnect(before, '1.20.0'))).toEqual({
    ...setTo({ c1: { port: 1 } }),
    kept: { a: 1 },
  });
  expect(wholeValues(before, { clustermesh: { useAPIServer: true } })).toEqual({
    clustermesh: { ...before.clustermesh, useAPIServer: true },
    kept: { a: 1 },
  });
  expect(before.clustermesh.config.clusters).toEqual({ c1: { port: 1 }, c2: place });
  expect(wholeValues({}, setTo([]))).toEqual(setTo([]));
});

test.each([[mesh('x')], [mesh([1])], [mesh([{ ips: [] }])], [mesh({ c1: 1 })]])(
  'what no chart takes is an error: %j',
  (values) => {
    expect(() => clustersOf(values)).toThrow('existing clustermesh.config.clusters is invalid');
  },
);
test('so is what has no place for clusters, and a version that is none', () => {
  expect(() => clustersOf({ clustermesh: 'x' })).toThrow('existing clustermesh.config is invalid');
  expect(() => connect({}, 'latest')).toThrow('Failed to parse Helm chart version latest');
});

describe('trust', () => {
  const at = new Date('2026-11-29T05:00:00.123Z');
  const bundle = (content: string, enabled = true) => ({ tls: { caBundle: { enabled, content } } });
  test.each([
    { before: {}, content: 'A\nB' },
    { before: bundle('X\n'), content: 'X\nA\nB' },
    { before: bundle('A', false), content: 'A\nB' },
  ])('is added to what is there: $before', ({ before, content }) => {
    expect(trustValues(before, ['A\n', 'B'], 'c', at)).toEqual({
      ...bundle(content),
      clustermesh: {
        apiserver: { podAnnotations: { 'cilium.io/caBundleChangeRestartedAt': '2026-11-29T05:00:00Z' } },
      },
    });
  });
  test('is left as it is where all is there', () => {
    expect(trustValues(bundle('B\nA'), ['A', 'B'], 'c', at)).toBeUndefined();
  });
  test('a bundle without content is an error', () => {
    expect(() => trustValues({ tls: { caBundle: { enabled: true } } }, ['A'], 'c1', at)).toThrow(
      'existing tls.caBundle values are invalid for cluster c1: caBundle is enabled but no content was provided',
    );
  });
});

test('values are joined, and shown without keys', () => {
  expect(joinValues({ a: { b: 1, c: [1] } }, { a: { c: [2], d: null }, e: 1 })).toEqual({
    a: { b: 1, c: [2], d: null },
    e: 1,
  });
  expect(
    shownValues(setTo([{ name: 'c1', port: 1, tls: { key: 'SECRET', cert: 'SECRET', caCert: 'CA' } }])),
  ).toEqual(setTo([{ name: 'c1', port: 1, tls: { key: '<as it is>', cert: '<as it is>', caCert: 'CA' } }]));
});
