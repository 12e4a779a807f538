import { describe, expect, test } from '@jest/globals';
import { stateOf } from '../../../../src/policy/evaluate/decide/cluster-state.ts';
import { decideConnection } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import { Peers, parsePort } from '../../../../src/policy/evaluate/decide/peers.ts';
import type { Settings } from '../../../../src/policy/evaluate/decide/settings.ts';
import { parsePolicies } from '../../../../src/policy/read/policies.ts';
import { explain, remedies } from '../../../../src/policy/reports/explain.ts';

const pod = (id: number, app: string, namespace: string, cluster = 'lab') => ({
  id,
  labels: [
    `k8s:app=${app}`,
    `k8s:io.kubernetes.pod.namespace=${namespace}`,
    `k8s:io.cilium.k8s.namespace.labels.team=${namespace}`,
    `k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${namespace}`,
    `k8s:io.cilium.k8s.policy.cluster=${cluster}`,
  ],
});

const STATE = stateOf(
  {
    identities: [
      { id: 1, labels: ['reserved:host'] },
      { id: 2, labels: ['reserved:world'] },
      pod(1001, 'web', 'red'),
      pod(1002, 'api', 'red'),
      pod(1003, 'db', 'blue'),
      pod(1004, 'db', 'green'),
      pod(70_000, 'db', 'blue', 'other'),
      { id: 1005, labels: ['k8s:k8s-app=kube-dns', 'k8s:io.kubernetes.pod.namespace=kube-system'] },
    ],
    endpoints: [
      { id: 1, identity: 1001, pod: 'red/web', namedPorts: [{ name: 'http', port: 8080, protocol: 'TCP' }] },
      { id: 2, identity: 1002, pod: 'red/api', namedPorts: [{ name: 'http', port: 8081, protocol: 'TCP' }] },
      { id: 3, identity: 1003, pod: 'blue/db' },
      { id: 4, identity: 1004, pod: 'green/db' },
      {
        id: 5,
        identity: 1005,
        pod: 'kube-system/dns',
        namedPorts: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      },
    ],
    ips: [{ cidr: '10.9.0.1/32', identity: 70_000 }],
  },
  'state',
);

async function engineOf(text: string, settings: Partial<Settings> = {}): Promise<PolicyEngine> {
  const { rules, findings } = await parsePolicies([{ file: 'p.yaml', text }], { readAll: true });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return new PolicyEngine(STATE.identities, STATE.endpoints, {
    release: '1.20',
    clusterNetworkPolicy: true,
    cidrMatchMode: [],
    objects: STATE.objects,
    ...settings,
  }).addAll(rules);
}

/** Peers that the state does not have are numbered by engine. */
const PEERS = new WeakMap<PolicyEngine, Peers>();

function decide(engine: PolicyEngine, connection: string) {
  const [from = '', to = '', port = '80/TCP'] = connection.split(' ');
  const peers = PEERS.get(engine) ?? new Peers(engine, STATE);
  PEERS.set(engine, peers);
  const [source, destination, traffic] = [
    peers.find(from).identity,
    peers.find(to).identity,
    parsePort(port),
  ];
  return { ...decideConnection(engine, source, destination, traffic), source, destination, traffic };
}

const SUBJECT = '{namespaces: {matchLabels: {team: red}}}';
function kcnp(tier: 'Admin' | 'Baseline', priority: number, rules: string, subject = SUBJECT): string {
  return `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: ${tier.toLowerCase()}-${priority}}\nspec: {tier: ${tier}, priority: ${priority}, subject: ${subject}, ${rules}}\n`;
}
const admin = (rules: string, priority = 10, subject?: string) => kcnp('Admin', priority, rules, subject);
const baseline = (rules: string, priority = 10, subject?: string) =>
  kcnp('Baseline', priority, rules, subject);
const ingress = (...rules: string[]) => `ingress: [${rules.join(', ')}]`;
const from = (action: string, team: string, more = '') =>
  `{action: ${action}, from: [{namespaces: {matchLabels: {team: ${team}}}}]${more}}`;
const everywhere = (action: string, more = '') => `{action: ${action}, from: [{namespaces: {}}]${more}}`;
const tcp = (port: number) => `, protocols: [{tcp: {destinationPort: {number: ${port}}}}]`;

const knp = (rules: string) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: np, namespace: red}\nspec: {podSelector: {}, policyTypes: [Ingress], ${rules}}\n`;
const DENY_ALL = knp('ingress: []');
const ALLOW_BLUE = knp('ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}]}]');
const cnp = (rules: string) =>
  `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: red}\nspec: {endpointSelector: {}, ${rules}}\n`;
const CNP_DENY_BLUE = cnp(
  'ingress: [{fromEntities: [all]}], ingressDeny: [{fromEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": blue}}]}]',
);
const ccnp = (rules: string) =>
  `apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: cc}\nspec: {endpointSelector: {}, ${rules}}\n`;

describe('tiers, priorities and actions', () => {
  test.each<[string, string[], Record<string, 'allowed' | 'denied'>]>([
    [
      'an accept alone',
      [admin(ingress(from('Accept', 'blue')))],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'allowed' },
    ],
    [
      'a deny alone closes only what it names',
      [admin(ingress(from('Deny', 'blue')))],
      { 'blue/db red/web': 'denied', 'green/db red/web': 'allowed', 'blue/db green/db': 'allowed' },
    ],
    ['a pass alone', [admin(ingress(from('Pass', 'blue')))], { 'blue/db red/web': 'allowed' }],
    [
      'the first rule of an object',
      [admin(ingress(from('Accept', 'blue'), everywhere('Deny')))],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'denied' },
    ],
    [
      'the first rule, the other way round',
      [admin(ingress(everywhere('Deny'), from('Accept', 'blue')))],
      { 'blue/db red/web': 'denied' },
    ],
    [
      'the lower priority of two objects',
      [admin(ingress(from('Deny', 'blue')), 5), admin(ingress(from('Accept', 'blue')), 4)],
      { 'blue/db red/web': 'allowed' },
    ],
    [
      'the lower priority before the first rule',
      [
        admin(ingress(from('Accept', 'green'), from('Accept', 'blue')), 5),
        admin(ingress(from('Deny', 'blue')), 6),
      ],
      { 'blue/db red/web': 'allowed' },
    ],
    [
      'a deny of two objects with one priority',
      [
        admin(ingress(from('Accept', 'blue')), 5),
        admin(ingress(from('Deny', 'blue')), 5).replace('admin-5', 'other'),
      ],
      { 'blue/db red/web': 'denied' },
    ],
    [
      'an accept and a pass of one priority',
      [
        admin(ingress(from('Pass', 'blue')), 5),
        admin(ingress(from('Accept', 'blue')), 5).replace('admin-5', 'other'),
        DENY_ALL,
      ],
      { 'blue/db red/web': 'allowed' },
    ],
    [
      'the Admin tier before a NetworkPolicy',
      [admin(ingress(from('Deny', 'blue'))), ALLOW_BLUE],
      { 'blue/db red/web': 'denied' },
    ],
    [
      'the Admin tier before default deny',
      [admin(ingress(from('Accept', 'blue'))), DENY_ALL],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'denied' },
    ],
    [
      'the Admin tier before a deny of Cilium',
      [admin(ingress(from('Accept', 'blue'))), CNP_DENY_BLUE],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'allowed' },
    ],
    [
      'the Admin tier before a clusterwide deny',
      [admin(ingress(from('Accept', 'blue'))), ccnp('ingressDeny: [{fromEntities: [all]}]')],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'denied' },
    ],
    [
      'a pass to a NetworkPolicy that allows',
      [admin(ingress(from('Pass', 'blue'), everywhere('Deny'))), ALLOW_BLUE],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'denied' },
    ],
    [
      'a pass to default deny',
      [admin(ingress(from('Pass', 'blue'), everywhere('Accept'))), DENY_ALL],
      { 'blue/db red/web': 'denied', 'green/db red/web': 'allowed' },
    ],
    [
      'a pass to a deny of Cilium',
      [admin(ingress(from('Pass', 'blue'), everywhere('Accept'))), CNP_DENY_BLUE],
      { 'blue/db red/web': 'denied', 'green/db red/web': 'allowed' },
    ],
    [
      'a pass to the Baseline tier',
      [admin(ingress(from('Pass', 'blue'), everywhere('Accept'))), baseline(ingress(everywhere('Deny')))],
      { 'blue/db red/web': 'denied', 'green/db red/web': 'allowed' },
    ],
    [
      'a pass ends its tier, whatever the priority',
      [admin(ingress(from('Pass', 'blue')), 1), admin(ingress(everywhere('Deny')), 2)],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'denied' },
    ],
    [
      'the Baseline tier without a NetworkPolicy',
      [baseline(ingress(from('Deny', 'blue')))],
      { 'blue/db red/web': 'denied', 'green/db red/web': 'allowed' },
    ],
    [
      'the Baseline tier after a NetworkPolicy that allows',
      [baseline(ingress(everywhere('Deny'))), ALLOW_BLUE],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'denied' },
    ],
    [
      'the Baseline tier before default deny',
      [baseline(ingress(from('Accept', 'green'))), ALLOW_BLUE],
      { 'green/db red/web': 'allowed', 'blue/db red/web': 'allowed', 'red/api red/web': 'denied' },
    ],
    [
      'a pass of the Baseline tier to default deny',
      [baseline(ingress(from('Pass', 'blue'), everywhere('Accept'))), DENY_ALL],
      { 'blue/db red/web': 'denied', 'green/db red/web': 'allowed' },
    ],
    [
      'a pass of the Baseline tier where nothing denies',
      [baseline(ingress(from('Pass', 'blue'), everywhere('Deny')))],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'denied' },
    ],
    [
      'passes of both tiers',
      [admin(ingress(everywhere('Pass'))), baseline(ingress(from('Pass', 'blue'), everywhere('Deny')))],
      { 'blue/db red/web': 'allowed', 'green/db red/web': 'denied' },
    ],
    [
      'a rule of Cilium without default deny',
      [
        baseline(ingress(from('Deny', 'blue'))),
        cnp(
          'enableDefaultDeny: {ingress: false}, ingress: [{fromEndpoints: [{matchLabels: {app: nobody}}]}]',
        ),
      ],
      { 'blue/db red/web': 'denied', 'green/db red/web': 'allowed' },
    ],
    [
      'ports',
      [
        admin(ingress(from('Deny', 'blue', tcp(80)), from('Pass', 'blue', tcp(81)), from('Accept', 'blue'))),
        DENY_ALL,
      ],
      {
        'blue/db red/web 80/TCP': 'denied',
        'blue/db red/web 81/TCP': 'denied',
        'blue/db red/web 82/TCP': 'allowed',
        'blue/db red/web 80/UDP': 'allowed',
        'blue/db red/web 8/ICMP': 'allowed',
      },
    ],
    [
      'a range and SCTP',
      [
        admin(
          ingress(
            from(
              'Deny',
              'blue',
              ', protocols: [{tcp: {destinationPort: {range: {start: 80, end: 90}}}}, {sctp: {destinationPort: {number: 80}}}]',
            ),
          ),
        ),
      ],
      {
        'blue/db red/web 79/TCP': 'allowed',
        'blue/db red/web 90/TCP': 'denied',
        'blue/db red/web 80/SCTP': 'denied',
        'blue/db red/web 80/UDP': 'allowed',
      },
    ],
    [
      'a port name is the number of each pod',
      [admin(ingress(from('Deny', 'blue', ', protocols: [{destinationNamedPort: http}]')))],
      {
        'blue/db red/web 8080/TCP': 'denied',
        'blue/db red/api 8080/TCP': 'allowed',
        'blue/db red/api 8081/TCP': 'denied',
      },
    ],
    [
      'pods of namespaces',
      [
        admin(
          'ingress: [{action: Deny, from: [{pods: {namespaceSelector: {matchLabels: {team: blue}}, podSelector: {matchLabels: {app: db}}}}]}]',
        ),
      ],
      { 'blue/db red/web': 'denied', 'green/db red/web': 'allowed' },
    ],
    [
      'pods of all namespaces',
      [admin('ingress: [{action: Deny, from: [{pods: {podSelector: {matchLabels: {app: db}}}}]}]')],
      { 'blue/db red/web': 'denied', 'green/db red/web': 'denied', 'red/api red/web': 'allowed' },
    ],
    [
      'In and NotIn',
      [
        admin(
          'ingress: [{action: Deny, from: [{namespaces: {matchExpressions: [{key: team, operator: NotIn, values: [blue, red]}]}}]}]',
        ),
      ],
      { 'green/db red/web': 'denied', 'blue/db red/web': 'allowed', 'red/api red/web': 'allowed' },
    ],
    [
      'pods as the subject',
      [admin(ingress(everywhere('Deny')), 10, '{pods: {podSelector: {matchLabels: {app: web}}}}')],
      { 'blue/db red/web': 'denied', 'blue/db red/api': 'allowed' },
    ],
    [
      'all namespaces are pods: neither the node nor the world',
      [admin(ingress(everywhere('Deny')))],
      { 'host red/web': 'allowed', '192.0.2.1 red/web': 'allowed', 'red/api red/web': 'denied' },
    ],
    ['namespaces of every cluster', [admin(ingress(from('Deny', 'blue')))], { '10.9.0.1 red/web': 'denied' }],
    [
      'pods of the own cluster',
      [admin('ingress: [{action: Deny, from: [{pods: {podSelector: {matchLabels: {app: db}}}}]}]')],
      { '10.9.0.1 red/web': 'allowed', 'blue/db red/web': 'denied' },
    ],
    [
      'egress to networks',
      [
        admin(
          'egress: [{action: Accept, to: [{networks: [192.0.2.0/24]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]',
        ),
      ],
      {
        'red/web 192.0.2.1': 'allowed',
        'red/web 198.51.100.1': 'denied',
        'red/web 2001:db8::1': 'allowed',
        'red/web blue/db': 'allowed',
      },
    ],
    [
      'egress to names, and to DNS',
      [
        admin(
          'egress: [{action: Accept, to: [{domainNames: ["*.a.io"]}]}, {action: Deny, to: [{networks: [0.0.0.0/0, "::/0"]}, {namespaces: {}}]}]',
        ),
      ],
      {
        'red/web fqdn:x.a.io': 'allowed',
        'red/web fqdn:y.x.a.io': 'allowed',
        'red/web kube-system/dns 53/UDP': 'allowed',
        'red/web kube-system/dns 54/UDP': 'denied',
      },
    ],
    [
      'directions of their own',
      [admin('egress: [{action: Deny, to: [{namespaces: {matchLabels: {team: blue}}}]}]')],
      { 'red/web blue/db': 'denied', 'blue/db red/web': 'allowed' },
    ],
  ])('%s', async (_, documents, wanted) => {
    const engine = await engineOf(documents.join('---\n'));
    const got = Object.fromEntries(Object.keys(wanted).map((each) => [each, decide(engine, each).answer]));
    expect(got).toEqual(wanted);
  });

  test('connections of the own node are allowed by a rule behind all tiers', async () => {
    const text = `${cnp('ingressDeny: [{fromEntities: [world]}]')}---\n${baseline(ingress(everywhere('Deny')))}`;
    const engine = await engineOf(text, { allowLocalhost: true });
    expect(decide(engine, 'host red/web').ingress.reason.kind).toBe('localhost');
  });

  test('enforcement "always" is asked after the Baseline tier', async () => {
    const engine = await engineOf(baseline(ingress(from('Accept', 'blue'))), { enforcement: 'always' });
    expect(decide(engine, 'blue/db red/web').ingress.answer).toBe('allowed');
    expect(decide(engine, 'green/db red/web').ingress.answer).toBe('denied');
  });

  test('a host is no subject', async () => {
    const engine = await engineOf(admin(ingress(everywhere('Deny')), 10, '{namespaces: {}}'), {
      hostFirewall: true,
    });
    expect(decide(engine, 'blue/db host').ingress.reason.kind).toBe('not-enforced');
  });
});

describe('an answer that rests on what is not known is unknown', () => {
  const blocks = admin(ingress(from('Deny', 'blue')));
  test.each<[string, Partial<Settings>, string]>([
    ['on', { clusterNetworkPolicy: true }, 'denied'],
    ['off', { clusterNetworkPolicy: false }, 'allowed'],
    ['not known', { clusterNetworkPolicy: undefined }, 'unknown'],
    ['not known, nor the release', { clusterNetworkPolicy: undefined, release: undefined }, 'unknown'],
    ['not known of agents before 1.20', { clusterNetworkPolicy: undefined, release: '1.19' }, 'allowed'],
  ])('the option is %s', async (_, settings, answer) => {
    const engine = await engineOf(blocks, settings);
    expect(decide(engine, 'blue/db red/web').answer).toBe(answer);
    expect(decide(engine, 'green/db red/web').answer).toBe('allowed');
  });

  test('unless every tier says the same', async () => {
    const engine = await engineOf(`${blocks}---\n${CNP_DENY_BLUE}`, { clusterNetworkPolicy: undefined });
    expect(decide(engine, 'blue/db red/web').answer).toBe('denied');
  });

  test.each<[string, string[], string, string]>([
    [
      'a pass that may match',
      [
        admin(
          `ingress: [{action: Pass, from: [{pods: {podSelector: {matchLabels: {role: x}}}}]}, ${from('Deny', 'blue')}]`,
        ),
      ],
      'app=unheard,io.kubernetes.pod.namespace=blue red/web',
      'unknown',
    ],
    [
      'an accept of a name that may be it',
      [
        admin(
          'egress: [{action: Accept, to: [{domainNames: [a.io]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]',
        ),
      ],
      'red/web 192.0.2.1',
      'unknown',
    ],
    [
      'an accept before an allow does not matter',
      [admin('egress: [{action: Accept, to: [{domainNames: [a.io]}]}]')],
      'red/web 192.0.2.1',
      'allowed',
    ],
    [
      'a port that is not known',
      [
        admin(
          ingress(from('Deny', 'blue', ', protocols: [{destinationNamedPort: web}]')),
          10,
          '{namespaces: {matchLabels: {team: green}}}',
        ),
      ],
      'blue/db green/db',
      'unknown',
    ],
  ])('%s', async (_, documents, connection, answer) => {
    expect(decide(await engineOf(documents.join('---\n')), connection).answer).toBe(answer);
  });

  test('a policy with nodes is refused, taken, or not known to be, with all of its rules', async () => {
    const text = admin(
      'egress: [{action: Deny, to: [{nodes: {}}]}, {action: Deny, to: [{namespaces: {matchLabels: {team: blue}}}]}]',
    );
    const answers = (nodeLabels: boolean | undefined) =>
      engineOf(text, { nodeLabels }).then((engine) => decide(engine, 'red/web blue/db').answer);
    expect(await answers(true)).toBe('denied');
    expect(await answers(false)).toBe('allowed');
    expect(await answers(undefined)).toBe('unknown');
  });

  test('what becomes of authentication that a later tier asks for', async () => {
    const auth = cnp('ingress: [{fromEntities: [all], authentication: {mode: required}}]');
    const engine = await engineOf(`${admin(ingress(from('Accept', 'blue')))}---\n${auth}`);
    expect(decide(engine, 'blue/db red/web').ingress).toMatchObject({
      answer: 'unknown',
      reason: { why: expect.stringContaining('authentication') },
    });
    expect(decide(engine, 'green/db red/web').ingress).toMatchObject({ answer: 'allowed', auth: 1 });
    const passed = await engineOf(`${admin(ingress(from('Pass', 'blue')))}---\n${auth}`);
    expect(() => passed.entriesOf({ id: 1, identity: 1001 })).toThrow('is not computed');
  });
});

describe('explanations', () => {
  const told = (engine: PolicyEngine, connection: string) => {
    const { ingress: decision, source, destination, traffic } = decide(engine, connection);
    return {
      text: explain('ingress', decision, 'it').text,
      parts: explain('ingress', decision, 'it').rules.map(({ name, part }) => `${name} ${part}`),
      remedies: remedies(engine, 'ingress', destination, source, traffic).map(({ text }) => text),
    };
  };

  test('name the rule, and those that passed the traffic on', async () => {
    const text = `${admin(ingress(from('Accept', 'green'), everywhere('Pass')))}---\n${baseline(ingress(from('Accept', 'blue'), everywhere('Deny')))}---\n${DENY_ALL}`;
    const engine = await engineOf(text);
    expect(told(engine, 'green/db red/web').text).toBe(
      'allowed by ClusterNetworkPolicy admin-10 (p.yaml:4:96), ingress[0]',
    );
    const lifted = told(engine, 'blue/db red/web');
    expect(lifted.text).toMatch(
      /^passed on by ClusterNetworkPolicy admin-10 \(.*\), ingress\[1\]; allowed by ClusterNetworkPolicy baseline-10 \(.*\), ingress\[0\]; agents ask the Baseline tier before default deny/,
    );
    expect(lifted.parts).toEqual(['baseline-10 ingress[0]', 'admin-10 ingress[1]']);
    expect(told(engine, 'red/api red/web').remedies).toEqual([
      'remove this traffic from ingress[1]: or allow it in a network policy, which goes before the Baseline tier',
    ]);
  });
});
