import { describe, expect, test } from '@jest/globals';
import type { Access } from '../../../src/cluster/clustermesh/access.ts';
import {
  checkPair,
  haveSameAuthority,
  minorsApart,
  overlaps,
} from '../../../src/cluster/clustermesh/checks.ts';
import { loopbackCertificate } from '../../../src/lab/kube/certificate.ts';

const access = (more: Partial<Access> = {}): Access => ({
  serviceType: 'NodePort',
  ips: ['192.0.2.1'],
  port: 2379,
  clusterId: '1',
  clusterName: 'c1',
  ca: '',
  tunnel: 'vxlan',
  maxConnected: 255,
  ...more,
});
const REMOTE = { clusterId: '2', clusterName: 'c2' };

describe('two clusters', () => {
  test('that fit', () => {
    expect(() => checkPair(access(), access(REMOTE))).not.toThrow();
  });
  test.each<[Partial<Access>, Partial<Access>, string]>([
    [
      {},
      { clusterName: 'default', clusterId: '2' },
      'remote cluster has non-unique name (default) and/or ID (2)',
    ],
    [{}, { clusterName: 'c2', clusterId: '0' }, 'remote cluster has non-unique name (c2) and/or ID (0)'],
    [
      { clusterId: '' },
      REMOTE,
      'local cluster has the default name (cluster name: c1) and/or ID 0 (cluster ID: )',
    ],
    [
      {},
      { ...REMOTE, clusterId: 'x' },
      'remote cluster has non-numeric cluster ID x. Only numeric values 1-255 are allowed',
    ],
    [
      {},
      { ...REMOTE, clusterId: '256' },
      'remote cluster has cluster ID 256 out of acceptable range (1-255)',
    ],
    [
      {},
      { ...REMOTE, maxConnected: 511 },
      'remote and local clusters have different max connected clusters: 511 != 255',
    ],
    [{}, { ...REMOTE, clusterName: 'c1' }, 'remote and local cluster have the same, non-unique name: c1'],
    [{}, { ...REMOTE, clusterId: '1' }, 'remote and local cluster have the same, non-unique ID: 1'],
    [{}, { ...REMOTE, clusterId: '01' }, 'remote and local cluster have the same, non-unique ID: 1'],
    [
      {},
      { ...REMOTE, tunnel: '' },
      "clusters c1 and c2 do not reach each other's pods in the same way: vxlan and native routing",
    ],
  ])('%j with %j: %s', (local, remote, why) => {
    expect(() => checkPair(access(local), access(remote))).toThrow(why);
  });
});

// differs: clustermesh-ca
test('authorities are the same where their keys are', () => {
  const [one, two] = [loopbackCertificate(0).cert, loopbackCertificate(0).cert];
  expect(haveSameAuthority(access({ ca: one }), access({ ca: `${one}\n` }))).toBe(true);
  expect(haveSameAuthority(access({ ca: one }), access({ ca: two }))).toBe(false);
  expect(() => haveSameAuthority(access({ ca: 'x' }), access({ ca: two }))).toThrow(
    'failed to parse certificate PEM for local CA cert',
  );
});

test('prefixes of which one is within the other overlap', () => {
  const list = (cluster: string, ...prefixes: string[]) =>
    prefixes.map((prefix, i) => ({ cluster, of: `node n${i}`, prefix }));
  const found = overlaps(
    list('c1', '10.0.0.0/24', '10.1.0.0/16', 'fd00::/64', 'what'),
    list('c2', '10.0.1.0/24', '10.1.7.0/24', 'fd00::/80', '::/0', ''),
  );
  expect(found.map(([a, b]) => `${a.prefix} ${b.prefix}`)).toEqual([
    '10.1.0.0/16 10.1.7.0/24',
    'fd00::/64 fd00::/80',
    'fd00::/64 ::/0',
  ]);
});

test('versions are so many minor ones apart', () => {
  expect(minorsApart('1.18.2', 'v1.20.0')).toBe(2);
  expect(minorsApart('1.18.2', '2.0.0')).toBe(Number.POSITIVE_INFINITY);
  expect(minorsApart('1.18.2', 'main')).toBeUndefined();
});
