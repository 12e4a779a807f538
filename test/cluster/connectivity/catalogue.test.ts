import { describe, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../../src/cluster/connectivity/catalogue.ts';
import { expectationOf } from '../../../src/cluster/connectivity/expectation.ts';
import {
  type ExternalOptions,
  externalFilling,
  externalOf,
  sniPatterns,
} from '../../../src/cluster/connectivity/external.ts';
import { featuresOf, unmetNeed } from '../../../src/cluster/connectivity/features.ts';
import { MINIMAL } from '../../../src/cluster/connectivity/minimal.ts';
import {
  loadTestPolicies,
  policyDocument,
  policyObject,
  WITH_RANGES,
} from '../../../src/cluster/connectivity/objects.ts';
import { Actions } from '../../../src/cluster/connectivity/plan.ts';
import { planRow, type RowPlan, withRangeRows } from '../../../src/cluster/connectivity/runnable.ts';
import { parsePolicies } from '../../../src/policy/read/policies.ts';

const EXTERNAL = {
  externalTarget: 'a.b.example.com.',
  externalOtherTarget: 'other.example.org',
  externalCidr: '192.0.2.0/24',
  externalIp: '192.0.2.1',
  externalOtherIp: '192.0.2.2',
};
const FILLING = {
  'echo-name': 'a.b.svc.cluster.local',
  ...externalFilling(
    externalOf({
      ...EXTERNAL,
      externalCidrv6: '2001:db8::/32',
      externalIpv6: '2001:db8::1',
      externalOtherIpv6: '2001:db8::2',
    }),
  ),
};

/** What is done with each row in a cluster of two nodes with the features of the defaults. */
async function plansOf(options: ExternalOptions) {
  const external = externalOf(options);
  const pod = (name: string, node: string, labels: Record<string, string>) => ({
    name,
    namespace: 'n',
    pod: `${name}-x`,
    container: name,
    node,
    ips: ['10.0.0.1'],
    labels: { name, ...labels },
    isReady: true,
  });
  const world = {
    namespace: 'n',
    domain: 'cluster.local',
    families: [4] as const,
    external,
    dns: { pods: [] },
    nodes: [
      { name: 'n1', ips: ['192.0.2.1'] },
      { name: 'n2', ips: ['192.0.2.2'] },
    ],
    pods: [
      pod('client', 'n1', { kind: 'client' }),
      pod('client2', 'n1', { kind: 'client', other: 'client' }),
      pod('echo-same-node', 'n1', { kind: 'echo' }),
    ],
    services: [{ name: 'echo-same-node', namespace: 'n', ips: ['10.96.0.1'], port: 8080, nodePort: 30000 }],
  };
  const actions = new Actions(world, { connectSeconds: 2, maxSeconds: 5 });
  const features = featuresOf({}, { nodesWithoutCilium: 0 });
  const policies = await loadTestPolicies();
  const filling = { namespace: 'n', 'echo-name': 'e.n.svc.cluster.local', ...externalFilling(external) };
  return withRangeRows(await loadCatalogue()).map((row) =>
    planRow(row, { actions, features, version: '1.20.0', policies, filling, isWanted: () => true }),
  );
}

/** Source, target and exit code of each action of a row. */
function exits(plans: readonly RowPlan[], name: string) {
  const plan = plans.find(({ row }) => row.name === name);
  if (plan?.kind !== 'run') throw new Error(`${name}: ${JSON.stringify(plan)}`);
  return plan.scenarios.flatMap(({ actions }) =>
    actions.map(
      ({ from, to, expect: one }) =>
        [from.name, to.ip ?? `${to.name.replace(/\.$/, '')}:${to.port}`, one.exit] as const,
    ),
  );
}

describe('the catalogue', () => {
  test('has 121 rows whose expectations are all known, and the set 15 checks', async () => {
    const rows = await loadCatalogue();
    expect([rows.length, MINIMAL.length]).toEqual([121, 15]);
    for (const { expectations } of rows)
      for (const [egress, ingress] of expectations) expectationOf(egress, ingress);
    const needs = [...new Set(rows.flatMap((row) => row.needs ?? []))];
    const features = featuresOf({}, { nodesWithoutCilium: 0 });
    expect(needs.filter((need) => unmetNeed([need], features)?.startsWith('whether'))).toEqual([]);
  });

  test('has only policies that agents take, also with ranges of ports', async () => {
    const policies = await loadTestPolicies();
    const plan = { namespace: 'n', expires: '2026-01-01T00:00:00Z', isKept: false };
    for (const name of Object.keys(policies).flatMap((plain) => [plain, `${plain}${WITH_RANGES}`])) {
      const document = policyDocument(policies, name);
      if (!document) throw new Error(name);
      const text = JSON.stringify(policyObject(document, name, plan, FILLING));
      const { findings, rules } = await parsePolicies([{ file: name, text }], { target: '1.17' });
      expect([name, findings.filter(({ severity }) => severity === 'error')]).toEqual([name, []]);
      expect(rules.length).toBeGreaterThan(0);
      expect(text).not.toMatch(/\{[a-z-]+\}/);
    }
  });

  test('has ranges in the policies of every row that is run a second time with them', async () => {
    const policies = await loadTestPolicies();
    const rows = withRangeRows(await loadCatalogue()).filter(({ name }) => name.endsWith(WITH_RANGES));
    const known = rows.filter(({ policies: names = [] }) =>
      names.every((name) => policyDocument(policies, name)),
    );
    expect([rows.length, known.length]).toEqual([16, 11]);
    for (const { name, policies: names = [] } of known) {
      const text = JSON.stringify(names.map((one) => policyDocument(policies, one)));
      expect([name, text]).toEqual([
        name,
        expect.stringMatching(/"port":("4096"|4096),[^}]*"endPort":8191|"endPort":127/),
      ]);
      expect([name, /"port":("8080"|8080|"80")[,}]/.test(text)]).toEqual([name, false]);
    }
  });

  test.each([
    [{}, [47, 66, 24]],
    [EXTERNAL, [63, 59, 15]],
  ] as const)('says of each row whether it runs, is skipped or is not here: %j', async (options, counts) => {
    const plans = await plansOf(options);
    const count = (kind: string) => plans.filter((plan) => plan.kind === kind).length;
    expect([count('run'), count('skip'), count('not-run')]).toEqual(counts);
    expect(exits(plans, 'echo-ingress')).toEqual([
      ['client', '10.0.0.1', 28],
      ['client2', '10.0.0.1', 0],
    ]);
    expect(
      plans
        .filter((plan) => plan.kind === 'skip')
        .map((plan) => (plan.kind === 'skip' ? plan.reason : ''))
        .filter(
          (reason) =>
            !/^(skipped by condition|requires Cilium version|Feature \w+ is (en|dis)abled|requires Feature)/.test(
              reason,
            ),
        ),
    ).toEqual([]);
  });

  test.each([
    ['all-ingress-deny', { '10.0.0.1': 'any', '192.0.2.1': 0, '192.0.2.2': 0 }],
    ['to-cidr-external', { '192.0.2.1': 0, '192.0.2.2': 28 }],
    ['to-cidr-external-knp', { '192.0.2.1': 0, '192.0.2.2': 28 }],
    ['client-egress-to-cidr-deny', { '192.0.2.1': 0, '192.0.2.2': 'any' }],
    ['client-egress-to-cidr-deny-default', { '192.0.2.1': 'any', '192.0.2.2': 'any' }],
    ['to-fqdns', { 'a.b.example.com:80': 0, 'a.b.example.com:443': 28, 'other.example.org:443': 28 }],
    ['to-entities-world-port-range', { 'a.b.example.com:80': 0, 'a.b.example.com:443': 28 }],
    ['client-egress-tls-sni', { 'a.b.example.com:80': 'any', 'a.b.example.com:443': 0 }],
    ['client-egress-tls-sni-denied', { 'a.b.example.com:80': 'any', 'a.b.example.com:443': 35 }],
    ['client-egress-tls-sni-random-wildcard-denied', { 'other.example.org:443': 35 }],
  ] as const)('expects of %s what its policies allow', async (name, wanted) => {
    const found = exits(await plansOf(EXTERNAL), name);
    const byTarget = Object.fromEntries(found.map(([, to, exit]) => [to, exit]));
    expect(byTarget).toEqual(wanted);
  });

  test('expects of a client that may use HTTP that it gets the root alone', async () => {
    expect(exits(await plansOf(EXTERNAL), 'client-egress-l7')).toEqual([
      ['client', '10.0.0.1', 'any'],
      ['client2', '10.0.0.1', 0],
      ['client', 'a.b.example.com:80', 'any'],
      ['client', 'a.b.example.com:443', 'any'],
      ['client', 'a.b.example.com:443', 'any'],
      ['client2', 'a.b.example.com:80', 0],
      ['client2', 'a.b.example.com:443', 'any'],
      ['client2', 'a.b.example.com:443', 'any'],
    ]);
  });
});

describe('what is outside the cluster', () => {
  test.each([
    [{ externalOtherTarget: 'a.example.com' }, '--external-other-target needs --external-target'],
    [{ externalIp: '192.0.2.1' }, '--external-cidr and --external-other-ip missing'],
    [{ externalCidr: '192.0.2.0/24', externalIp: '192.0.2.1' }, '--external-other-ip missing'],
    [
      { externalCidr: '192.0.2.0/24', externalIp: '192.0.2.1', externalOtherIp: '198.51.100.1' },
      '--external-other-ip 198.51.100.1 is not in --external-cidr 192.0.2.0/24',
    ],
    [
      { externalCidr: '192.0.2.0/24', externalIp: '192.0.2.1', externalOtherIp: '192.0.2.1' },
      'are the same address',
    ],
    [
      { externalCidr: '192.0.2.1', externalIp: '192.0.2.1', externalOtherIp: '192.0.2.2' },
      '--external-cidr 192.0.2.1: expected a range of IPv4 addresses',
    ],
    [
      { externalCidr: '192.0.2.0/24', externalIp: 'x', externalOtherIp: '192.0.2.2' },
      '--external-ip x: expected an IPv4 address',
    ],
    [
      { externalCidrv6: '192.0.2.0/24', externalIpv6: '2001:db8::1', externalOtherIpv6: '2001:db8::2' },
      '--external-cidrv6 192.0.2.0/24: expected a range of IPv6 addresses',
    ],
  ])('is refused where it does not go together: %j', (options, message) => {
    expect(() => externalOf(options)).toThrow(message);
  });

  test.each([
    ['a.b.example.com', 'x.example.com', undefined],
    ['example.com', 'x.example.org', undefined],
    [
      'A.b.Example.com.',
      'x.example.org',
      { first: '*.b.example.com', inner: 'a.*.example.com', many: '**.example.com' },
    ],
  ])('%s and %s have patterns that tell them apart, or none', (name, otherName, patterns) => {
    expect(sniPatterns({ name, otherName })).toEqual(patterns);
  });

  test('a policy goes on without the family that was not named, and never without its exception', () => {
    const spec = {
      to: [{ cidr: '{external-cidr}', except: ['{external-other-ip}/32'] }, { cidr: '{external-cidrv6}' }],
    };
    const plan = { namespace: 'n', expires: '', isKept: false };
    const filled = policyObject({ spec }, 'p', plan, { 'external-cidr': 'C', 'external-other-ip': 'I' });
    expect(filled.spec).toEqual({ to: [{ cidr: 'C', except: ['I/32'] }] });
    expect(() => policyObject({ spec }, 'p', plan, { 'external-cidr': 'C' })).toThrow(
      'policy p: nothing stands for external-other-ip, external-cidrv6',
    );
  });
});
