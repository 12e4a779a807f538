import { expect, test } from '@jest/globals';
import { PolicyEngine } from '../../../src/policy/evaluate/decide/engine.ts';
import { identityOf } from '../../../src/policy/evaluate/selectors/identities.ts';
import { compareByRelease } from '../../../src/policy/reports/between-releases.ts';
import { ruleOf } from '../helpers.ts';

/** Rules of which 1.19 reads the second one otherwise: around an exception the world is no prefixes any more. */
function engineOf(cidr: { cidr: string; except?: string[] }): PolicyEngine {
  const identities = [
    identityOf(2, ['reserved:world']),
    identityOf(6, ['reserved:remote-node']),
    identityOf(1001, ['k8s:app=web', 'k8s:io.kubernetes.pod.namespace=shop']),
  ];
  const addresses = [{ cidr: '172.18.0.3/32', identity: 6 }];
  return new PolicyEngine(identities, [{ id: 7, identity: 1001 }], {
    release: '1.18',
    dualStack: false,
    cidrMatchMode: ['nodes'],
    addresses,
  }).addAll([
    ruleOf({
      endpointSelector: { matchLabels: { 'k8s:app': 'web' } },
      egress: [{ toCIDRSet: [cidr], toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }] }],
      enableDefaultDeny: { ingress: false, egress: true },
    }),
  ]);
}

test('traffic that another release decides otherwise is told by pod and direction', () => {
  const before = engineOf({ cidr: '0.0.0.0/0', except: ['192.0.2.0/24'] });
  const { changes, isPart, compared } = compareByRelease(before, before.withSettings({ release: '1.19' }));
  expect(changes).toEqual([
    {
      subject: 'k8s:app=web',
      direction: 'egress',
      before: 'allowed',
      after: 'denied',
      count: 1,
      example: 'reserved:remote-node 443/TCP',
    },
  ]);
  // Three peers in both directions, to a port that a rule names and to another.
  expect([compared, isPart]).toEqual([12, false]);
});

test('what they decide alike is no change', () => {
  const before = engineOf({ cidr: '172.18.0.0/16' });
  expect(compareByRelease(before, before.withSettings({ release: '1.19' })).changes).toEqual([]);
});

test('a block of a NetworkPolicy lets pods of its namespace in from 1.18 to 1.19', () => {
  const pod = (id: number, app: string) =>
    identityOf(id, [`k8s:app=${app}`, 'k8s:io.kubernetes.pod.namespace=shop']);
  const block = ruleOf({
    endpointSelector: { matchLabels: { 'k8s:app': 'web' } },
    ingress: [{ fromCIDRSet: [{ cidr: '192.0.2.0/24' }] }],
    enableDefaultDeny: { ingress: true, egress: false },
  });
  const origin = { ...block.origin, kind: 'NetworkPolicy' as const, namespace: 'shop' };
  const before = new PolicyEngine([pod(1001, 'web'), pod(1002, 'db')], [{ id: 7, identity: 1001 }], {
    ...{ release: '1.18', dualStack: false, cidrMatchMode: [] },
  }).addAll([{ ...block, origin }]);
  const after = (defaultLocalCluster: boolean | undefined) =>
    compareByRelease(before, before.withSettings({ release: '1.19', defaultLocalCluster })).changes.map(
      (change) => `${change.direction} ${change.before} ${change.after} ${change.count}`,
    );
  expect(after(true)).toEqual(['ingress denied allowed 2']);
  expect(after(undefined)).toEqual(['ingress denied unknown 2']);
  expect(after(false)).toEqual([]);
});
