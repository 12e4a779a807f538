import { describe, expect, test } from '@jest/globals';
import { type PolicyState, stateOf } from '../../../../src/policy/evaluate/decide/cluster-state.ts';
import type { Answer } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine, type Settings } from '../../../../src/policy/evaluate/decide/engine.ts';
import { Peers, parsePort } from '../../../../src/policy/evaluate/decide/peers.ts';
import { balancedBy, decideWanted } from '../../../../src/policy/evaluate/decide/services.ts';
import { parsePolicies } from '../../../../src/policy/read/policies.ts';
import type { SourcedRule } from '../../../../src/policy/rule.ts';

/** A cluster of which everything is known. */
interface Known {
  state: Record<string, unknown>;
  settings: Partial<Settings>;
}

const pod = (id: number, app: string, namespace: string, more: string[] = []) => ({
  id,
  labels: [
    `k8s:app=${app}`,
    `k8s:io.kubernetes.pod.namespace=${namespace}`,
    `k8s:io.cilium.k8s.namespace.labels.team=${namespace === 'shop' ? 'red' : 'blue'}`,
    'k8s:io.cilium.k8s.policy.cluster=lab',
    ...more,
  ],
});

const FULL: Known = {
  state: {
    identities: [
      { id: 1, labels: ['reserved:host', 'k8s:role=worker'] },
      { id: 2, labels: ['reserved:world'] },
      { id: 6, labels: ['reserved:remote-node', 'k8s:role=control'] },
      { id: 9, labels: ['reserved:world-ipv4'] },
      { id: 10, labels: ['reserved:world-ipv6'] },
      pod(1001, 'web', 'shop'),
      pod(1002, 'api', 'shop', ['k8s:tier=back']),
      pod(1003, 'db', 'data'),
      pod(1004, 'dns', 'kube-system'),
      { id: 16_777_217, labels: ['cidr:192.0.2.0/24', 'reserved:world-ipv4'] },
    ],
    endpoints: [
      { id: 1, identity: 1 },
      { id: 11, identity: 1001, pod: 'shop/web-0' },
      {
        id: 12,
        identity: 1002,
        pod: 'shop/api-0',
        namedPorts: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
      {
        id: 13,
        identity: 1003,
        pod: 'data/db-0',
        namedPorts: [{ name: 'http', port: 9090, protocol: 'TCP' }],
      },
      { id: 14, identity: 1004, pod: 'kube-system/dns-0' },
    ],
    ips: [
      { cidr: '0.0.0.0/0', identity: 9 },
      { cidr: '::/0', identity: 10 },
      { cidr: '10.0.0.1/32', identity: 1001 },
      { cidr: '10.0.0.2/32', identity: 1002 },
      { cidr: '10.0.0.3/32', identity: 1003 },
      { cidr: '10.0.0.4/32', identity: 1004 },
      { cidr: '172.18.0.2/32', identity: 1 },
    ],
    objects: [
      {
        kind: 'Service',
        metadata: { name: 'dns', namespace: 'kube-system' },
        spec: {
          clusterIP: '10.96.0.10',
          selector: { app: 'dns' },
          ports: [{ port: 53, protocol: 'UDP', targetPort: 5353 }],
        },
      },
      {
        kind: 'Service',
        metadata: { name: 'api', namespace: 'shop' },
        spec: {
          clusterIP: '10.96.0.20',
          selector: { app: 'api' },
          ports: [{ port: 80, protocol: 'TCP', targetPort: 'http', nodePort: 30080 }],
        },
      },
      { kind: 'CiliumCIDRGroup', metadata: { name: 'office' }, spec: { externalCIDRs: ['198.51.100.0/24'] } },
    ],
    hostFirewall: true,
  },
  settings: { release: '1.17' },
};

const cnp = (name: string, namespace: string, spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: ${name}, namespace: ${namespace}}, spec: ${spec}}`;
const ccnp = (name: string, spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: ${name}}, spec: ${spec}}`;

const POLICIES: readonly (readonly [string, string])[] = [
  [
    'labels',
    cnp(
      'l',
      'shop',
      '{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]}',
    ),
  ],
  [
    'a label that is not there',
    cnp(
      'none',
      'shop',
      '{endpointSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}, ingress: [{}], egress: [{}]}',
    ),
  ],
  [
    'namespace',
    cnp(
      'ns',
      'shop',
      '{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}], egress: [{toEndpoints: [{}]}]}',
    ),
  ],
  [
    'labels of namespaces',
    ccnp(
      'team',
      '{endpointSelector: {matchLabels: {"k8s:io.cilium.k8s.namespace.labels.team": red}}, ingress: [{fromEndpoints: [{matchLabels: {"k8s:io.cilium.k8s.namespace.labels.team": red}}]}]}',
    ),
  ],
  [
    'deny',
    cnp(
      'd',
      'shop',
      '{endpointSelector: {}, ingress: [{fromEntities: [all]}], ingressDeny: [{fromEndpoints: [{matchLabels: {app: db, "k8s:io.kubernetes.pod.namespace": data}}]}]}',
    ),
  ],
  [
    'cluster',
    ccnp(
      'c',
      '{endpointSelector: {}, ingress: [{fromEntities: [cluster]}], egress: [{toEntities: [cluster]}]}',
    ),
  ],
  ['IPv4', cnp('v4', 'shop', '{endpointSelector: {}, egress: [{toCIDR: [0.0.0.0/0]}]}')],
  ['IPv6', cnp('v6', 'shop', '{endpointSelector: {}, egress: [{toCIDR: ["::/0"]}]}')],
  ['prefixes', cnp('p', 'shop', '{endpointSelector: {}, egress: [{toCIDR: [10.96.0.0/12, 192.0.2.0/25]}]}')],
  [
    'a group of prefixes',
    cnp('g', 'shop', '{endpointSelector: {}, egress: [{toCIDRSet: [{cidrGroupRef: office}]}]}'),
  ],
  [
    'services',
    cnp(
      's',
      'shop',
      '{endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: dns, namespace: kube-system}}]}]}',
    ),
  ],
  [
    'ports of a service',
    cnp(
      'sp',
      'shop',
      '{endpointSelector: {}, egress: [{toPorts: [{ports: [{port: "5353", protocol: UDP}, {port: "8080", protocol: TCP}]}]}]}',
    ),
  ],
  [
    'names of hosts',
    cnp('f', 'shop', '{endpointSelector: {}, egress: [{toFQDNs: [{matchName: api.example.com}]}]}'),
  ],
  [
    'names of ports',
    cnp(
      'pn',
      'shop',
      '{endpointSelector: {matchLabels: {app: web}}, egress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]}',
    ),
  ],
  [
    'names of ports of one peer',
    cnp(
      'po',
      'shop',
      '{endpointSelector: {matchLabels: {app: web}}, egress: [{toEndpoints: [{matchLabels: {app: api}}], toPorts: [{ports: [{port: http, protocol: TCP}]}]}]}',
    ),
  ],
  [
    'the host',
    ccnp(
      'h',
      '{nodeSelector: {matchLabels: {role: worker}}, ingress: [{fromEntities: [cluster]}, {toPorts: [{ports: [{port: "22", protocol: TCP}]}]}]}',
    ),
  ],
  ['every node', ccnp('hn', '{nodeSelector: {}, egress: [{toEntities: [world]}]}')],
];

/** Each takes away one piece of what is known. */
const TAKEN: readonly (readonly [string, (known: Known) => void])[] = [
  ['nothing', () => {}],
  [
    'the state',
    (known) => {
      known.state = { identities: [] };
    },
  ],
  [
    'the labels of identities',
    ({ state }) => {
      for (const each of listOf(state.identities)) each.labels = reservedOnly(each.labels);
    },
  ],
  [
    'the labels of nodes',
    ({ state }) => {
      for (const each of listOf(state.identities))
        if (Number(each.id) < 100) each.labels = reservedOnly(each.labels);
    },
  ],
  [
    'identities of pods',
    ({ state }) => {
      state.identities = listOf(state.identities).filter(({ id }) => Number(id) < 256);
      state.endpoints = [{ id: 1, identity: 1 }];
    },
  ],
  [
    'identities of prefixes',
    ({ state }) => {
      state.identities = listOf(state.identities).filter(({ id }) => Number(id) < 1 << 24);
    },
  ],
  [
    'the host firewall',
    ({ state }) => {
      delete state.hostFirewall;
    },
  ],
  [
    'services',
    ({ state }) => {
      state.objects = listOf(state.objects).filter(({ kind }) => kind !== 'Service');
    },
  ],
  [
    'objects',
    ({ state }) => {
      delete state.objects;
    },
  ],
  [
    'the name of the cluster',
    ({ state }) => {
      for (const each of listOf(state.identities))
        each.labels = (each.labels as string[]).filter((label) => !label.includes('policy.cluster'));
    },
  ],
  [
    'named ports',
    ({ state }) => {
      for (const each of listOf(state.endpoints)) delete each.namedPorts;
    },
  ],
  [
    'the release',
    (known) => {
      known.settings = {};
    },
  ],
];

function listOf(value: unknown): Record<string, unknown>[] {
  return value as Record<string, unknown>[];
}

function reservedOnly(labels: unknown): string[] {
  return (labels as string[]).filter((label) => /^(reserved|cidr):/.test(label));
}

const LABELS = (id: number) =>
  listOf(FULL.state.identities).find((each) => each.id === id)?.labels as string[];
const ENDS = [
  'shop/web-0',
  'shop/api-0',
  'data/db-0',
  'kube-system/dns-0',
  '10.0.0.1',
  '10.0.0.3',
  '10.96.0.10',
  '10.96.0.20',
  '172.18.0.2',
  '192.0.2.9',
  '198.51.100.7',
  '203.0.113.7',
  '2001:db8::1',
  'host',
  'remote-node',
  'world',
  'fqdn:api.example.com',
  LABELS(1001).join(','),
  LABELS(1002).join(','),
];
const PORTS = ['80/TCP', '22/TCP', '53/UDP', '5353/UDP', '8080/TCP', '9090/TCP', '30080/TCP', '8/ICMP'];

function answersOf(
  rules: readonly SourcedRule[],
  { state: document, settings }: Known,
): Map<string, Answer | 'error'> {
  const state: PolicyState = stateOf(document, 'state');
  const engine = new PolicyEngine(state.identities, state.endpoints, {
    objects: state.objects,
    ...(state.hostFirewall !== undefined && { hostFirewall: state.hostFirewall }),
    ...settings,
  }).addAll(rules);
  const peers = new Peers(engine, state);
  const found = new Map<string, Answer | 'error'>();
  for (const from of ENDS)
    for (const to of ENDS)
      for (const port of PORTS) {
        const probe = `${from} -> ${to} ${port}`;
        try {
          const [source, destination, traffic] = [peers.find(from), peers.find(to), parsePort(port)];
          const balanced = balancedBy(peers, destination, traffic);
          const wanted = { source: source.identity, destination: destination.identity, traffic, balanced };
          found.set(probe, decideWanted(engine, wanted).answer);
        } catch {
          found.set(probe, 'error');
        }
      }
  return found;
}

async function rulesOf(text: string): Promise<SourcedRule[]> {
  const { rules, findings } = await parsePolicies([{ file: 'policy.yaml', text }], {});
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rules;
}

/** Without an address book an address stands for itself: nothing can tell whose it is. */
const OF_CLUSTER = /\b(10|172)\.\d/;

function contradictions(full: ReadonlyMap<string, string>, less: ReadonlyMap<string, string>): string[] {
  return [...less].flatMap(([probe, answer]) => {
    const known = full.get(probe);
    const reverse = answer === 'allowed' ? 'denied' : answer === 'denied' ? 'allowed' : undefined;
    return known === reverse ? [`${probe}: ${answer}, with more knowledge ${known}`] : [];
  });
}

describe('with one piece of knowledge taken away, no certain answer turns out wrong', () => {
  describe.each(POLICIES)('%s', (_, text) => {
    test.each(TAKEN)('without %s', async (taken, take) => {
      const rules = await rulesOf(text);
      const full = answersOf(rules, FULL);
      const known = structuredClone(FULL);
      take(known);
      const wrong = contradictions(full, answersOf(rules, known));
      expect(taken === 'the state' ? wrong.filter((probe) => !OF_CLUSTER.test(probe)) : wrong).toEqual([]);
      if (taken === 'nothing') expect([...full.values()]).toContain('allowed');
    });
  });
});
