import { describe, expect, test } from '@jest/globals';
import { Identities, identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import { selects } from '../../../../src/policy/evaluate/selectors/match.ts';
import { egressSelectors, ingressSelectors } from '../../../../src/policy/evaluate/selectors/peers.ts';
import { SelectorCache } from '../../../../src/policy/evaluate/selectors/selection.ts';
import {
  fqdnSelector,
  labelSelector,
  type Selector,
} from '../../../../src/policy/evaluate/selectors/selector.ts';
import type { Surroundings } from '../../../../src/policy/evaluate/selectors/surroundings.ts';
import type { EgressPeers, IngressPeers } from '../../../../src/policy/rule.ts';

const CLUSTER = 'k8s:io.cilium.k8s.policy.cluster=lab';
const IDENTITIES = new Identities([
  identityOf(1, ['reserved:host']),
  identityOf(2, ['reserved:world']),
  identityOf(3, ['reserved:unmanaged']),
  identityOf(4, ['reserved:health']),
  identityOf(5, ['reserved:init']),
  identityOf(6, ['reserved:remote-node']),
  identityOf(7, ['reserved:kube-apiserver', 'reserved:remote-node']),
  identityOf(8, ['reserved:ingress']),
  identityOf(9, ['reserved:world-ipv4']),
  identityOf(10, ['reserved:world-ipv6']),
  identityOf(1000, ['k8s:app=web', CLUSTER]),
  identityOf(1001, ['k8s:app=api', 'k8s:io.cilium.k8s.policy.cluster=other']),
  // The narrowest prefix is the one that the identity stands for, wherever its label stands.
  identityOf(2000, ['cidr:10.0.0.0/8', 'cidr:10.1.0.0/16', 'reserved:world']),
  identityOf(2001, ['cidr:10.1.2.0/24', 'cidr:10.0.0.0/8', 'reserved:world']),
  identityOf(2002, ['cidr:10.255.255.255/32', 'reserved:world']),
  identityOf(2003, ['cidr:11.0.0.0/32', 'reserved:world']),
  identityOf(2004, ['cidr:10.0.0.0/8', 'reserved:world']),
  identityOf(2005, ['cidr:fd00--/8', 'reserved:world']),
]);
const CACHE = new SelectorCache(IDENTITIES);

function selected(
  around: Surroundings,
  peers: { in: IngressPeers } | { out: EgressPeers },
): number[] | undefined {
  const selectors =
    'in' in peers ? ingressSelectors(peers.in, [], around) : egressSelectors(peers.out, [], [], around);
  const ids = selectors?.flatMap((selector) => [...CACHE.resolve(selector).ids]);
  return ids && [...new Set(ids)].sort((a, b) => a - b);
}

const LAB: Surroundings = { clusterName: 'lab', dualStack: false };

describe('an entity', () => {
  test.each([
    ['world', [2, 9, 10, 2000, 2001, 2002, 2003, 2004, 2005]],
    ['world-ipv4', [9]],
    ['cluster', [1, 3, 4, 5, 6, 7, 8, 1000]],
    ['host', [1]],
    ['remote-node', [6, 7]],
    ['kube-apiserver', [7]],
    ['none', []],
  ] as const)('%s selects %j', (entity, ids) => {
    expect(selected(LAB, { in: { fromEntities: [entity] } })).toEqual(ids);
    expect(selected(LAB, { out: { toEntities: [entity] } })).toEqual(ids);
  });

  test('all selects every identity', () => {
    expect(selected(LAB, { in: { fromEntities: ['all'] } })).toEqual([...IDENTITIES.all.keys()]);
  });

  test('cluster is partly unknown without the name of the cluster', () => {
    const selectors = ingressSelectors({ fromEntities: ['cluster'] }, [], { clusterName: undefined });
    expect(selectors?.filter(({ kind }) => kind === 'none')).toEqual([
      { kind: 'none', key: 'none cluster', why: 'the name of the cluster is not known', among: 'pods' },
    ]);
  });
});

describe('a prefix', () => {
  test.each([
    ['10.0.0.0/8', [2000, 2001, 2002, 2004]],
    ['10.1.0.0/16', [2000, 2001]],
    ['10.1.2.0/24', [2001]],
    ['10.255.255.255', [2002]],
    ['11.0.0.0/8', [2003]],
    ['10.2.0.0/16', []],
    ['fd00::/8', [2005]],
    ['fd00::/7', [2005]],
  ])('%s selects the identities of prefixes inside it: %j', (prefix, ids) => {
    expect(selected(LAB, { in: { fromCIDR: [prefix] } })).toEqual(ids);
    expect(selected(LAB, { out: { toCIDRSet: [{ cidr: prefix }] } })).toEqual(ids);
  });

  test.each([
    [false, ['0.0.0.0/0'], ['world of IPv4']],
    [false, ['::/0'], ['world of IPv6']],
    [false, ['0.0.0.0/0', '::/0'], ['world']],
    [true, ['0.0.0.0/0'], ['world-ipv4']],
    [true, ['::/0'], ['world-ipv6']],
    [true, ['0.0.0.0/0', '::/0'], ['world', 'world-ipv4', 'world-ipv6']],
    [undefined, ['0.0.0.0/0'], ['world of IPv4', 'world-ipv4']],
    [undefined, ['::/0'], ['world of IPv6', 'world-ipv6']],
    [undefined, ['0.0.0.0/0', '::/0'], ['world', 'world-ipv4', 'world-ipv6']],
  ])('of every address, dual stack %s: %j is %j', (dualStack, fromCIDR, worlds) => {
    const selectors = ingressSelectors({ fromCIDR }, [], { clusterName: 'lab', dualStack });
    expect(selectors?.map(nameOfWorld)).toEqual(worlds);
  });

  function nameOfWorld(selector: Selector): string | undefined {
    if (selector.kind !== 'labels') return undefined;
    const family = selector.family === undefined ? '' : ` of IPv${selector.family}`;
    return `${selector.terms[0]?.name}${family}`;
  }

  test('of every address is one world for both families before 1.15', () => {
    const around = { clusterName: 'lab', dualStack: true, release: '1.14' as const };
    expect(ingressSelectors({ fromCIDR: ['0.0.0.0/0'] }, [], around)?.map(nameOfWorld)).toEqual(['world']);
  });

  test.each([true, false])('has exceptions (as holes: %s)', (holes) => {
    const around: Surroundings = { ...LAB, release: holes ? '1.17' : '1.16' };
    const except = (...list: string[]) => ({ in: { fromCIDRSet: [{ cidr: '10.0.0.0/8', except: list }] } });
    expect(selected(around, except('10.1.2.0/24'))).toEqual(holes ? [2000, 2002, 2004] : [2002]);
    expect(selected(around, except('10.1.0.0/16'))).toEqual(holes ? [2002, 2004] : [2002]);
    expect(selected(around, except('10.1.0.0/16', '10.255.0.0/16'))).toEqual(holes ? [2004] : []);
    expect(selected(around, except('10.0.0.0/8'))).toEqual([]);
  });

  test('of every address with an exception selects the world and no pod', () => {
    const around: Surroundings = { ...LAB, release: '1.19' };
    const all = { in: { fromCIDRSet: [{ cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] }] } };
    expect(selected(around, all)).toEqual([2, 9, 2003]);
    expect(selected(around, { in: { fromCIDR: ['0.0.0.0/1'] } })).toEqual([2000, 2001, 2002, 2003, 2004]);
  });
});

test('the label of a prefix selects the prefixes inside it, and never the world', () => {
  const byLabel = (prefix: string) => [
    ...CACHE.resolve(labelSelector({ matchLabels: { [`cidr:${prefix}`]: '' } })).ids,
  ];
  expect(byLabel('10.1.0.0/16')).toEqual([2000, 2001]);
  expect(byLabel('0.0.0.0/0')).toEqual([2000, 2001, 2002, 2003, 2004]);
});

describe('lists of peers', () => {
  test('that are empty select nobody, whatever stands beside them', () => {
    expect(selected(LAB, { in: { fromEndpoints: [] } })).toBeUndefined();
    expect(selected(LAB, { in: { fromEndpoints: [{}], fromCIDR: [] } })).toBeUndefined();
    expect(selected(LAB, { out: { toEntities: ['all'], toNodes: [] } })).toBeUndefined();
    expect(selected(LAB, { out: { toServices: [] } })).toEqual([]);
  });

  test('that are absent select everybody', () => {
    expect(ingressSelectors({}, [], LAB)).toEqual([]);
    expect(egressSelectors({}, [], [], LAB)).toEqual([]);
  });

  test('of DNS names alone do not select everybody', () => {
    const selectors = egressSelectors({}, [], [{ matchName: 'a.example.com' }], LAB);
    expect(selectors?.map(({ kind }) => kind)).toEqual(['none', 'fqdn']);
  });

  test('of groups are unknown', () => {
    expect(egressSelectors({ toGroups: [{}] }, [], [], LAB)).toEqual([
      {
        kind: 'none',
        key: 'none toGroups needs the cloud provider',
        among: 'outside',
        why: 'toGroups needs the cloud provider',
      },
    ]);
  });
});

describe('the index of identities', () => {
  test('finds the label that the fewest identities carry', () => {
    const term = (name: string, value: string) =>
      ({ source: 'any', name, operator: 'In', values: [value] }) as const;
    const world = term('world', '');
    const web = term('app', 'web');
    expect(IDENTITIES.rarest([world, web])).toBe('app=web');
    expect(IDENTITIES.rarest([web, world])).toBe('app=web');
    expect(IDENTITIES.rarest([{ ...web, values: ['web', 'api'] }])).toBeUndefined();
    expect(IDENTITIES.rarest([])).toBeUndefined();
  });

  test('knows the name of the cluster, and whether families are told apart', () => {
    // Those of the pods on the node tell, where pods of several clusters are known.
    expect(IDENTITIES.clusterName([])).toBeUndefined();
    expect(IDENTITIES.clusterName([{ identity: 1000 }, { identity: 4 }])).toBe('lab');
    expect(IDENTITIES.clusterName([{ identity: 1001 }])).toBe('other');
    expect(IDENTITIES.clusterName([{ identity: 1000 }, { identity: 1001 }])).toBeUndefined();
    expect(IDENTITIES.dualStack()).toBe(false);
    const split = new Identities([identityOf(1, ['cidr:10.0.0.0/8', 'reserved:world-ipv4'])]);
    expect(split.dualStack()).toBe(true);
    expect(new Identities([]).dualStack()).toBeUndefined();
  });
});

describe('a selector', () => {
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
