import { describe, expect, test } from '@jest/globals';
import { decideConnection, decideDirection } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import type { Traffic } from '../../../../src/policy/evaluate/decide/ports-of-traffic.ts';
import type { Settings } from '../../../../src/policy/evaluate/decide/settings.ts';
import { identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import type { EgressRule, IngressRule, Rule } from '../../../../src/policy/rule.ts';
import { ruleOf } from '../../helpers.ts';

const HOST = identityOf(1, ['reserved:host']);
const WORLD = identityOf(2, ['reserved:world']);
const INIT = identityOf(5, ['reserved:init']);
const WEB = identityOf(1000, ['k8s:app=web']);
const API = identityOf(1001, ['k8s:app=api']);
const BLOCK = identityOf(16_777_217, ['cidr:192.0.2.0/24']);
const IDENTITIES = [HOST, WORLD, INIT, WEB, API, BLOCK];

const TCP_80: Traffic = { protocol: 6, port: 80 };
const CLOSED = { ingress: true, egress: false };
const OPEN = { ingress: false, egress: false };
const ANYBODY = { fromEndpoints: [{}] };
const CLOUD = { fromGroups: [{ aws: { region: 'eu-north-1' } }] };
/** What this means is not known here: the cluster has no name. */
const OF_CLUSTER: IngressRule = { fromEntities: ['cluster'] };
const SERVICE = { k8sService: { serviceName: 'db', namespace: 'shop' } };
const port = (number: string, endPort?: number) => [
  { ports: [{ port: number, protocol: 'TCP' as const, ...(endPort && { endPort }) }] },
];

function engineOf(rules: readonly Rule[], settings: Partial<Settings> = {}): PolicyEngine {
  const endpoints = [
    { id: 1, identity: 1000 },
    { id: 2, identity: 1001, namedPorts: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  ];
  return new PolicyEngine(IDENTITIES, endpoints, settings).addAll(rules.map(ruleOf));
}

const rule = (parts: Omit<Rule, 'enableDefaultDeny'>, enableDefaultDeny = CLOSED): Rule => ({
  endpointSelector: { matchLabels: { 'any:app': 'api' } },
  ...parts,
  enableDefaultDeny,
});

/** Ingress of the API from the web pods. */
const ingress = (rules: readonly Rule[], traffic = TCP_80, settings: Partial<Settings> = {}) =>
  decideDirection(engineOf(rules, settings), 'ingress', API, WEB, traffic);

describe('what is not known', () => {
  test('leaves an allowance of another rule as it is', () => {
    expect(ingress([rule({ ingress: [CLOUD] }), rule({ ingress: [ANYBODY] })]).answer).toBe('allowed');
  });

  test('leaves an open direction open', () => {
    expect(ingress([rule({ ingress: [CLOUD] }, OPEN)])).toMatchObject({
      answer: 'allowed',
      reason: { kind: 'default-allow' },
    });
  });

  test('may be a denial, so an allowance is not certain', () => {
    const rules = [rule({ ingress: [ANYBODY], ingressDeny: [CLOUD] })];
    expect(decideDirection(engineOf(rules), 'ingress', API, BLOCK, TCP_80)).toMatchObject({
      answer: 'unknown',
      reason: { kind: 'unknown', why: 'fromGroups needs the cloud provider' },
    });
    expect(ingress(rules).answer).toBe('allowed');
  });

  test('cannot undo a denial', () => {
    expect(ingress([rule({ ingress: [CLOUD], ingressDeny: [ANYBODY] })]).answer).toBe('denied');
  });

  test.each([
    [{ protocol: undefined, port: undefined }, 'unknown', 'the protocol is not known'],
    [{ protocol: 6, port: undefined }, 'unknown', 'the port is not known'],
    [{ protocol: 17, port: undefined }, 'denied', undefined],
  ])('traffic %j at a rule for a port: %s', (traffic, answer, why) => {
    const decision = ingress([rule({ ingress: [{ ...ANYBODY, toPorts: port('80') }] })], traffic);
    expect(decision).toMatchObject({ answer, ...(why && { reason: { why } }) });
  });

  test('does not matter where every port is meant', () => {
    const every = [rule({ ingress: [{ ...ANYBODY, toPorts: port('0', 65_535) }] })];
    expect(ingress(every, { protocol: 6, port: undefined }).answer).toBe('allowed');
  });
});

describe('ports', () => {
  test.each([
    ['8000', 8010, 7999, 'denied'],
    ['8000', 8010, 8000, 'allowed'],
    ['8000', 8010, 8010, 'allowed'],
    ['8000', 8010, 8011, 'denied'],
    ['8000', undefined, 8000, 'allowed'],
    ['8000', undefined, 8001, 'denied'],
  ])('%s to %s: %i is %s', (first, last, number, answer) => {
    const rules = [rule({ ingress: [{ ...ANYBODY, toPorts: port(first, last) }] })];
    expect(ingress(rules, { protocol: 6, port: number }).answer).toBe(answer);
  });

  test('a name for which pods of one identity have different numbers is not certain on egress to it', () => {
    const toApi: Rule = {
      endpointSelector: { matchLabels: { 'any:app': 'web' } },
      egress: [{ toEndpoints: [{}], toPorts: port('http') }],
      enableDefaultDeny: { ingress: false, egress: true },
    };
    const pod = (id: number, number: number) => ({
      id,
      identity: 1001,
      namedPorts: [{ name: 'http', port: number, protocol: 'TCP' }],
    });
    const endpoints = [{ id: 1, identity: 1000 }, pod(2, 80), pod(3, 81)];
    const engine = new PolicyEngine(IDENTITIES, endpoints, { release: '1.20' }).addAll([ruleOf(toApi)]);
    const answer = (number: number) =>
      decideDirection(engine, 'egress', WEB, API, { protocol: 6, port: number }).answer;
    expect([answer(80), answer(81), answer(82)]).toEqual(['unknown', 'unknown', 'denied']);
    // The agent writes no entry for such an identity.
    const [web] = endpoints;
    expect(web && engine.entriesOf(web).filter(({ port: number }) => number !== 0)).toEqual([]);
  });

  test('a name is that of a port of the destination', () => {
    const named = [rule({ ingress: [{ ...ANYBODY, toPorts: port('http') }] })];
    expect(ingress(named).answer).toBe('allowed');
    expect(ingress(named, { protocol: 6, port: 81 }).answer).toBe('denied');
    const toApi: Rule = {
      endpointSelector: { matchLabels: { 'any:app': 'web' } },
      egress: [{ toEndpoints: [{}], toPorts: port('http') }],
      enableDefaultDeny: { ingress: false, egress: true },
    };
    expect(decideDirection(engineOf([toApi]), 'egress', WEB, API, TCP_80).answer).toBe('allowed');
    const toWeb = { ...toApi, endpointSelector: { matchLabels: { 'any:app': 'api' } } };
    // On egress the ports of every endpoint count up to 1.19, from 1.20 on those of the destination.
    const asked = (settings: Partial<Settings>) =>
      decideDirection(engineOf([toWeb], settings), 'egress', API, WEB, TCP_80).answer;
    expect(asked({ release: '1.19' })).toBe('allowed');
    expect(asked({})).toBe('unknown');
    const unnamed = {
      ...toApi,
      enableDefaultDeny: CLOSED,
      ingress: [{ ...ANYBODY, toPorts: port('http') }],
      egress: [],
    };
    expect(decideDirection(engineOf([unnamed]), 'ingress', WEB, API, TCP_80).reason).toMatchObject({
      kind: 'unknown',
      why: 'the port named http is not known',
    });
  });
});

describe('an allowance', () => {
  const http = { rules: { http: [{ method: 'GET' }] } };
  const proxied = { ...ANYBODY, toPorts: [{ ...port('80')[0], ...http }] };

  test('goes to the proxy when any of the rules wants it', () => {
    const { proxy, reason } = ingress([
      rule({ ingress: [{ ...ANYBODY, toPorts: port('80') }] }),
      rule({ ingress: [proxied] }),
    ]);
    expect(proxy?.rule.source.origin.name).toBe('rule-1');
    expect(reason).toMatchObject({
      kind: 'rule',
      part: { rule: { source: { origin: { name: 'rule-1' } } } },
    });
    expect(ingress([rule({ ingress: [ANYBODY] })])).not.toHaveProperty('proxy');
  });

  test('asks for authentication only where a rule requires it', () => {
    const auth = (mode: 'required' | 'disabled') =>
      rule({ ingress: [{ ...ANYBODY, authentication: { mode } }] });
    expect(ingress([auth('required')]).auth).toBe(1);
    expect(ingress([auth('disabled')])).not.toHaveProperty('auth');
    // Agents cannot merge the two.
    expect(ingress([auth('disabled'), auth('required')]).answer).toBe('unknown');
  });
});

describe('who policy applies to', () => {
  const closed = [
    rule({ endpointSelector: {}, ingress: [{}], egress: [{}] }, { ingress: true, egress: true }),
  ];

  test.each([
    ['the world', WORLD],
    ['a prefix without the label of the world', BLOCK],
    ['the node', HOST],
  ])('not to %s', (_, subject) => {
    for (const direction of ['ingress', 'egress'] as const)
      expect(decideDirection(engineOf(closed), direction, subject, WEB, TCP_80)).toEqual({
        answer: 'allowed',
        reason: { kind: 'no-endpoint' },
      });
  });

  test('to the node where the host firewall is on', () => {
    const node: Rule = { nodeSelector: {}, ingress: [{}], enableDefaultDeny: CLOSED };
    const decide = (settings: Partial<Settings>) =>
      decideDirection(engineOf([...closed, node], settings), 'ingress', HOST, WEB, TCP_80);
    expect(decide({ hostFirewall: true })).toMatchObject({
      answer: 'denied',
      reason: { kind: 'default-deny' },
    });
    expect(decide({ hostFirewall: true, enforcement: 'never' }).reason.kind).toBe('not-enforced');
  });

  test('to every endpoint when it is always enforced, and to none when never', () => {
    expect(ingress([], TCP_80, { enforcement: 'always' })).toEqual({
      answer: 'denied',
      reason: { kind: 'default-deny', rules: [] },
    });
    expect(ingress(closed, TCP_80, { enforcement: 'never' }).reason.kind).toBe('not-enforced');
    expect(ingress([]).reason.kind).toBe('not-enforced');
  });

  test('to a starting endpoint even without rules', () => {
    const decision = decideDirection(engineOf([]), 'ingress', INIT, WEB, TCP_80);
    expect(decision).toEqual({ answer: 'denied', reason: { kind: 'default-deny', rules: [] } });
    // Rules that leave default deny off do not open it either.
    const open = rule({ endpointSelector: { matchLabels: { 'reserved:init': '' } }, ingress: [CLOUD] }, OPEN);
    expect(engineOf([open]).policyOf(INIT).ingress).toMatchObject({ enforced: true, open: false });
  });
});

describe('connections of the node to its pods', () => {
  const settings = { allowLocalhost: true };
  const closed = [rule({ ingress: [{}], egress: [{}] }, { ingress: true, egress: true })];

  test('are allowed into a closed endpoint when the agent says so', () => {
    const decide = (own: Partial<Settings>) =>
      decideDirection(engineOf(closed, own), 'ingress', API, HOST, TCP_80);
    expect(decide(settings)).toEqual({ answer: 'allowed', reason: { kind: 'localhost' } });
    expect(decide({}).answer).toBe('denied');
  });

  test('are no exception for the way out, nor for other peers', () => {
    expect(decideDirection(engineOf(closed, settings), 'egress', API, HOST, TCP_80).answer).toBe('denied');
    expect(decideDirection(engineOf(closed, settings), 'ingress', API, WEB, TCP_80).answer).toBe('denied');
  });

  test('are denied by a rule that says so', () => {
    const denied = rule({ ingressDeny: [{ fromEntities: ['host'] }] });
    expect(decideDirection(engineOf([denied], settings), 'ingress', API, HOST, TCP_80).answer).toBe('denied');
  });
});

test.each<[string, IngressRule[], EgressRule[]]>([
  ['allowed', [ANYBODY], [{ toEndpoints: [{}] }]],
  ['denied', [{}], [{ toEndpoints: [{}] }]],
  ['denied', [ANYBODY], [{}]],
  ['unknown', [OF_CLUSTER], [{ toEndpoints: [{}] }]],
  ['unknown', [ANYBODY], [{ toServices: [SERVICE] }]],
  ['denied', [OF_CLUSTER], [{}]],
  // No pod has an address of the cloud provider's groups.
  ['denied', [CLOUD], [{ toEndpoints: [{}] }]],
])('a connection is %s by ingress %j and egress %j', (answer, into, out) => {
  const rules = [
    rule({ ingress: into }),
    rule(
      { endpointSelector: { matchLabels: { 'any:app': 'web' } }, egress: out },
      { ingress: false, egress: true },
    ),
  ];
  expect(decideConnection(engineOf(rules), WEB, API, TCP_80).answer).toBe(answer);
});
