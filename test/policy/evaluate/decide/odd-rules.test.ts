import { describe, expect, test } from '@jest/globals';
import type { Release } from '../../../../src/model/release.ts';
import { decideDirection } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import type { Direction } from '../../../../src/policy/evaluate/maps/compile-rule.ts';
import { type Identity, identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import { rulesOfEntries } from '../../../../src/policy/read/agent-entries.ts';
import { parsePolicies } from '../../../../src/policy/read/policies.ts';

// What agents make of rules that few people write, read in pkg/policy of the releases and tried with that of July 2026.

const pod = (id: number, namespace: string) =>
  identityOf(id, [
    `k8s:io.kubernetes.pod.namespace=${namespace}`,
    `k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${namespace}`,
    'k8s:io.cilium.k8s.policy.cluster=lab',
  ]);
const [A, B, INIT, WORLD4, NAMED, PREFIX] = [65_636, 65_637, 5, 9, 16_777_217, 16_777_218];
const IDENTITIES = [
  identityOf(2, ['reserved:world']),
  identityOf(4, ['reserved:health']),
  identityOf(INIT, ['reserved:init']),
  identityOf(WORLD4, ['reserved:world-ipv4']),
  identityOf(10, ['reserved:world-ipv6']),
  identityOf(NAMED, ['fqdn:*.example.com', 'reserved:world-ipv4']),
  identityOf(PREFIX, ['cidr:10.1.0.0/16', 'reserved:world-ipv4']),
  pod(A, 'a'),
  pod(B, 'b'),
];
const ENDPOINTS = [
  { id: 1, identity: A, namedPorts: [{ name: 'web', port: 8080, protocol: 'TCP' as const }] },
  { id: 2, identity: B, namedPorts: [] },
];

async function decide(
  spec: object,
  release: Release | undefined,
  direction: Direction,
  [subject, peer, port]: readonly [number, number, number],
  namespace = 'a',
  development?: boolean,
) {
  const object = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'p', namespace },
    spec,
  };
  const { rules, findings } = await parsePolicies([{ file: 'p.json', text: JSON.stringify(object) }], {
    target: release,
  });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  const engine = new PolicyEngine(IDENTITIES, ENDPOINTS, {
    ...{ release, development },
    clusterName: 'lab',
    cidrMatchMode: [],
    dualStack: true,
  }).addAll(rules);
  const [own, other] = [engine.identities.get(subject), engine.identities.get(peer)];
  if (!own || !other) throw new Error('no such identity');
  return decideDirection(engine, direction, own, other, { protocol: 6, port }).answer;
}

describe('a range that begins with port 0', () => {
  const spec = { endpointSelector: {}, ingress: [{ toPorts: [{ ports: [{ port: '0', endPort: 443 }] }] }] };
  test.each([
    { release: '1.19', port: 443, answer: 'allowed' },
    { release: '1.19', port: 444, answer: 'denied' },
    { release: '1.20', port: 444, answer: 'allowed' },
    { release: undefined, port: 443, answer: 'allowed' },
    { release: undefined, port: 444, answer: 'unknown' },
  ] as const)('is every port from 1.20 on: $port in $release', async ({ release, port, answer }) => {
    expect(await decide(spec, release, 'ingress', [A, B, port])).toBe(answer);
  });
});

describe('a port in digits is read as Go reads it', () => {
  test.each([
    { port: '0120', asked: 80, answer: 'allowed' },
    { port: '0120', asked: 120, answer: 'denied' },
    { port: '00', asked: 9, answer: 'allowed' },
    { port: '8_0', asked: 80, answer: 'allowed' },
  ] as const)('$port for $asked', async ({ port, asked, answer }) => {
    const spec = { endpointSelector: {}, ingress: [{ toPorts: [{ ports: [{ port, protocol: 'TCP' }] }] }] };
    expect(await decide(spec, '1.20', 'ingress', [A, B, asked])).toBe(answer);
  });
});

describe('every port of a protocol is no port of agents up to 1.13', () => {
  const open = {
    endpointSelector: {},
    ingress: [{ toPorts: [{ ports: [{ port: '0', protocol: 'TCP' }] }] }],
  };
  const shut = { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }], ingressDeny: open.ingress };
  test.each([
    { spec: open, release: '1.13', port: 80, answer: 'denied' },
    { spec: open, release: '1.13', port: 0, answer: 'allowed' },
    { spec: open, release: '1.14', port: 80, answer: 'allowed' },
    { spec: open, release: undefined, port: 80, answer: 'allowed' },
    { spec: shut, release: '1.10', port: 80, answer: 'allowed' },
    { spec: shut, release: '1.14', port: 80, answer: 'denied' },
  ] as const)('$spec in $release, port $port: $answer', async ({ spec, release, port, answer }) => {
    expect(await decide(spec, release, 'ingress', [A, B, port])).toBe(answer);
  });
});

test.each([
  { peers: { fromEntities: [] }, release: '1.15', answer: 'allowed' },
  { peers: { fromCIDR: [] }, release: '1.14', answer: 'allowed' },
  { peers: { fromCIDRSet: [] }, release: '1.9', answer: 'allowed' },
  { peers: { fromEntities: [] }, release: '1.16', answer: 'denied' },
  { peers: { fromEndpoints: [] }, release: '1.14', answer: 'allowed' },
  { peers: { fromEndpoints: [] }, release: '1.17', answer: 'denied' },
] as const)('an empty list of peers counts as absent up to 1.15: $peers in $release', async (row) => {
  const toPorts = [{ ports: [{ port: '80', protocol: 'TCP' }] }];
  const spec = { endpointSelector: {}, ingress: [{ ...row.peers, toPorts }] };
  expect(await decide(spec, row.release, 'ingress', [A, B, 80])).toBe(row.answer);
});

test.each([
  ['1.15', 'denied'],
  ['1.16', 'allowed'],
] as const)(
  'peers by labels of their namespace are of the own one up to 1.15: %s',
  async (release, answer) => {
    const matchLabels = { 'k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name': 'b' };
    const spec = { endpointSelector: {}, ingress: [{ fromEndpoints: [{ matchLabels }] }] };
    expect(await decide(spec, release, 'ingress', [A, B, 80])).toBe(answer);
  },
);

describe('a port name with an end', () => {
  const ports = [{ port: 'web', endPort: 9000, protocol: 'TCP' }];
  const ingress = { endpointSelector: {}, ingress: [{ toPorts: [{ ports }] }] };
  const egress = { endpointSelector: {}, egress: [{ toPorts: [{ ports }] }] };
  test.each([
    { spec: ingress, direction: 'ingress', release: '1.20', port: 9000, answer: 'allowed' },
    { spec: ingress, direction: 'ingress', release: '1.17', port: 8081, answer: 'allowed' },
    { spec: ingress, direction: 'ingress', release: '1.20', port: 9001, answer: 'denied' },
    { spec: egress, direction: 'egress', release: '1.19', port: 9000, answer: 'allowed' },
    { spec: egress, direction: 'egress', release: '1.20', port: 8080, answer: 'allowed' },
    { spec: egress, direction: 'egress', release: '1.20', port: 9000, answer: 'denied' },
    { spec: egress, direction: 'egress', release: undefined, port: 9000, answer: 'unknown' },
  ] as const)('is a range from its number on: $direction, $port in $release', async (row) => {
    const ends = row.direction === 'ingress' ? ([A, B] as const) : ([B, A] as const);
    const own = row.direction === 'ingress' ? 'a' : 'b';
    expect(await decide(row.spec, row.release, row.direction, [...ends, row.port], own)).toBe(row.answer);
  });
});

test.each([B, 4, WORLD4, PREFIX])(
  'a port name of a rule for every peer opens nothing to identity %d, which has no such port',
  async (peer) => {
    const spec = { endpointSelector: {}, egress: [{ toPorts: [{ ports: [{ port: 'web' }] }] }] };
    expect(await decide(spec, '1.20', 'egress', [B, A, 8080], 'b')).toBe('allowed');
    expect(await decide(spec, '1.20', 'egress', [B, peer, 8080], 'b')).toBe('denied');
  },
);

describe('all addresses but some', () => {
  const egress = [{ toCIDRSet: [{ cidr: '0.0.0.0/0', except: ['10.1.0.0/16'] }] }];
  test.each([
    { peer: NAMED, answer: 'allowed' },
    { peer: WORLD4, answer: 'allowed' },
    { peer: PREFIX, answer: 'denied' },
    { peer: 10, answer: 'denied' },
    // In use with one family only.
    { peer: 2, answer: 'denied' },
  ] as const)('has addresses with a name: identity $peer', async ({ peer, answer }) => {
    for (const release of ['1.18', '1.20'] as const)
      expect(await decide({ endpointSelector: {}, egress }, release, 'egress', [A, peer, 80])).toBe(answer);
  });
});

describe('a CiliumNetworkPolicy whose selector names reserved:init', () => {
  const exists = (operator: 'Exists' | 'DoesNotExist') => ({
    endpointSelector: { matchExpressions: [{ key: 'reserved:init', operator }] },
    ingress: [{ fromEntities: ['all'] }],
  });
  const closed = { ...exists('DoesNotExist'), ingress: [{}] };
  // Of endpoints without labels, which are in no namespace, of another namespace, and of its own.
  test.each([
    ['1.16', undefined, ['allowed', 'denied', 'denied']],
    ['1.17', true, ['allowed', 'denied', 'denied']],
    ['1.17', false, ['denied', 'allowed', 'denied']],
    ['1.17', undefined, ['unknown', 'unknown', 'denied']],
    [undefined, undefined, ['unknown', 'unknown', 'denied']],
    ['1.18', undefined, ['denied', 'allowed', 'denied']],
    ['1.20', true, ['denied', 'allowed', 'denied']],
  ] as const)(
    'is for the pods of its namespace from 1.17.0 on: %s, early: %s',
    async (release, early, said) => {
      const asked = (spec: object, ...ends: [number, number, number]) =>
        decide(spec, release, 'ingress', ends, 'a', early);
      const own = await asked(exists('Exists'), INIT, A, 80);
      expect([own, await asked(closed, B, A, 80), await asked(closed, A, B, 80)]).toEqual(said);
    },
  );

  test('as a live agent lists it, too', () => {
    const entry = {
      ...{ Tier: 200, Priority: 0, Authentication: null, Log: {}, Verdict: 0, Ingress: true, Node: false },
      Subject: { matchExpressions: [{ key: 'reserved.init', operator: 'DoesNotExist' as const }] },
      ...{ L3: null, L4: null, DefaultDeny: true },
      Labels: [
        { key: 'io.cilium.k8s.policy.derived-from', value: 'CiliumNetworkPolicy', source: 'k8s' },
        { key: 'io.cilium.k8s.policy.namespace', value: 'a', source: 'k8s' },
      ],
    };
    const source = { file: 'agent', locate: () => ({ file: 'agent', line: 1, column: 1 }) };
    const engine = new PolicyEngine(IDENTITIES, ENDPOINTS, { release: '1.20' });
    engine.addAll(rulesOfEntries([entry], source));
    const [a, b] = [engine.identities.get(A), engine.identities.get(B)];
    if (!a || !b) throw new Error('no such identity');
    const traffic = { protocol: 6, port: 80 };
    expect(decideDirection(engine, 'ingress', a, b, traffic).answer).toBe('denied');
    expect(decideDirection(engine, 'ingress', b, a, traffic).answer).toBe('allowed');
  });
});

describe('rules that agents cannot merge: the endpoint keeps the policy that it had', () => {
  const at = (rules: object, more: object = {}, port = '80') => ({
    fromEntities: ['cluster'],
    toPorts: [{ ports: [{ port, protocol: 'TCP' }], ...rules }],
    ...more,
  });
  const HTTP = at({ rules: { http: [{ path: '/' }] } });
  const KAFKA = at({ rules: { kafka: [{ topic: 't' }] } });
  const required = at({}, { authentication: { mode: 'required' } });
  const disabled = at({}, { authentication: { mode: 'disabled' } });
  test.each([
    { ingress: [HTTP, KAFKA], release: '1.9', answer: 'unknown' },
    {
      ingress: [HTTP, { ...KAFKA, fromEntities: ['host'] }],
      release: '1.17',
      answer: 'unknown',
    },
    {
      ingress: [at({ rules: { l7proto: 'a', l7: [] } }), at({ rules: { l7proto: 'b', l7: [] } })],
      release: '1.17',
      answer: 'unknown',
    },
    { ingress: [HTTP, at({ rules: { http: [{ path: '/b' }] } })], release: '1.17', answer: 'allowed' },
    { ingress: [HTTP, at({})], release: '1.17', answer: 'allowed' },
    {
      ingress: [HTTP, at({ rules: { kafka: [{ topic: 't' }] } }, {}, '81')],
      release: '1.17',
      answer: 'allowed',
    },
    { ingress: [required, disabled], release: '1.17', answer: 'unknown' },
    {
      ingress: [required, { ...disabled, fromEntities: ['world'] }],
      release: '1.17',
      answer: 'allowed',
    },
  ] as const)('$ingress in $release: $answer', async ({ ingress, release, answer }) => {
    expect(await decide({ endpointSelector: {}, ingress }, release, 'ingress', [A, B, 80])).toBe(answer);
    // Of the other direction nothing is computed, either.
    const spec = { endpointSelector: {}, ingress, egress: [{ toEntities: ['all'] }] };
    expect(await decide(spec, release, 'egress', [A, B, 80])).toBe(answer);
  });

  test.each([
    { known: HTTP, other: KAFKA, answer: 'unknown' },
    { known: KAFKA, other: HTTP, answer: 'unknown' },
    { known: required, other: disabled, answer: 'unknown' },
    // A deny that may be for it, too, hides no conflict.
    { known: HTTP, other: KAFKA, deny: true, answer: 'unknown' },
    { known: HTTP, other: at({ rules: { http: [{ path: '/b' }] } }), answer: 'allowed' },
    { known: HTTP, other: at({ rules: { kafka: [{ topic: 't' }] } }, {}, '81'), answer: 'allowed' },
  ])('$known beside $other that may be for it: $answer', async ({ known, other, deny, answer }) => {
    const object = (name: string, app: object, rules: object) => ({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name, namespace: 'a' },
      spec: { endpointSelector: app, ...rules },
    });
    const app = { matchLabels: { app: 'web' } };
    const objects = [object('known', {}, { ingress: [known] }), object('other', app, { ingress: [other] })];
    const blocked = { ingressDeny: [{ ...at({}), fromEntities: ['cluster'] }] };
    if (deny) objects.push(object('deny', app, blocked));
    const files = objects.map((each, i) => ({ file: `${i}.json`, text: JSON.stringify(each) }));
    const { rules } = await parsePolicies(files, { target: '1.17' });
    const engine = new PolicyEngine(IDENTITIES, ENDPOINTS, { release: '1.17', clusterName: 'lab' });
    engine.addAll(rules);
    const own: Identity = { ...pod(-1, 'a'), gap: { of: 'pod', why: 'its labels are not known' } };
    const decision = decideDirection(engine, 'ingress', own, pod(B, 'b'), { protocol: 6, port: 80 });
    expect(decision.answer).toBe(answer);
    const why = expect.stringMatching(/^its labels are not known; if all these rules .* cannot merge/);
    if (answer === 'unknown' && !deny) expect(decision.reason).toMatchObject({ kind: 'unknown', why });
  });
});

describe('a block of addresses in the ingress of a NetworkPolicy', () => {
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'p', namespace: 'a' },
    spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.1.0.0/16' } }] }] },
  };
  const OTHER = 65_638;
  test.each([
    { release: '1.18', local: true, answer: 'denied' },
    { release: '1.19', local: true, answer: 'allowed' },
    { release: '1.19', local: undefined, answer: 'unknown' },
    { release: '1.19', local: false, answer: 'denied' },
    { release: '1.20', local: true, answer: 'denied' },
    { release: undefined, local: undefined, answer: 'denied' },
  ] as const)(
    'lets the pods of its namespace in by agents of 1.19 alone, by default: $release, $local',
    async ({ release, local, answer }) => {
      const { rules, findings } = await parsePolicies([{ file: 'p.json', text: JSON.stringify(object) }], {
        target: release,
      });
      expect(findings.map(({ code }) => code)).toEqual(release === '1.19' ? ['own-namespace'] : []);
      const identities = [...IDENTITIES, pod(OTHER, 'a')];
      const settings = {
        ...{ release, clusterName: 'lab', cidrMatchMode: [], dualStack: true },
        defaultLocalCluster: local,
      };
      const engine = new PolicyEngine(identities, ENDPOINTS, settings).addAll(rules);
      const from = (id: number) => {
        const [own, peer] = [engine.identities.get(A), engine.identities.get(id)];
        if (!own || !peer) throw new Error('no such identity');
        return decideDirection(engine, 'ingress', own, peer, { protocol: 6, port: 80 }).answer;
      };
      expect([from(OTHER), from(B), from(PREFIX)]).toEqual([answer, 'denied', 'allowed']);
    },
  );
});

test.each([
  ['1.17', true, 'allowed'],
  ['1.18', undefined, 'allowed'],
  ['1.18', true, 'denied'],
  ['1.19', undefined, 'denied'],
  ['1.19', true, 'denied'],
  ['1.19', false, 'allowed'],
] as const)(
  'a peer of another cluster, with policy-default-local-cluster: %s, %s',
  async (release, defaultLocalCluster, answer) => {
    const spec = { endpointSelector: {}, ingress: [{ fromEndpoints: [{}] }] };
    const metadata = { name: 'p', namespace: 'a' };
    const object = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata, spec };
    const files = [{ file: 'p.json', text: JSON.stringify(object) }];
    const { rules } = await parsePolicies(files, { target: release });
    const settings = { release, clusterName: 'lab', defaultLocalCluster };
    const other = identityOf(65_639, [
      'k8s:io.kubernetes.pod.namespace=a',
      'k8s:io.cilium.k8s.policy.cluster=elsewhere',
    ]);
    const engine = new PolicyEngine([...IDENTITIES, other], ENDPOINTS, settings).addAll(rules);
    const decision = decideDirection(engine, 'ingress', pod(A, 'a'), other, { protocol: 6, port: 80 });
    expect(decision.answer).toBe(answer);
  },
);

test.each([
  ['1.17', false],
  ['1.18', true],
] as const)('a parser without rules is a proxy of its own from 1.18 on: %s', async (release, proxy) => {
  const toPorts = [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { l7proto: 'p', l7: [] } }];
  const text = JSON.stringify([{ endpointSelector: {}, ingress: [{ toPorts }] }]);
  const { rules } = await parsePolicies([{ file: 'p.json', text }], { target: release });
  const engine = new PolicyEngine(IDENTITIES, ENDPOINTS, { release, development: false }).addAll(rules);
  const entries = engine.entriesOf(ENDPOINTS[0] ?? { id: 1, identity: A });
  expect(entries.filter(({ port }) => port === 80).map((entry) => entry.proxy)).toEqual([proxy]);
});
