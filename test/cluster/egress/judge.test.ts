import { describe, expect, test } from '@jest/globals';
import type {
  EgressEndpoint,
  EgressEntry,
  EgressFacts,
  EgressNode,
  EgressPolicy,
} from '../../../src/cluster/egress/facts.ts';
import { judgeEgress } from '../../../src/cluster/egress/judge.ts';

const node = (i: number, more: Partial<EgressNode> = {}): EgressNode => ({
  name: `n${i}`,
  labels: i === 1 ? { egress: 'yes' } : {},
  addresses: [`192.168.0.${i}`],
  trouble: undefined,
  ...more,
});
const POLICY: EgressPolicy = {
  name: 'out',
  selectors: [{ pods: { matchLabels: { app: 'a' } }, namespaces: undefined, nodes: undefined }],
  destinations: ['0.0.0.0/0'],
  excluded: ['10.0.0.0/8'],
  gateways: [{ nodes: { matchLabels: { egress: 'yes' } }, egressIp: '203.0.113.1', iface: undefined }],
};
const POD: EgressEndpoint = {
  name: 'default/a',
  labels: [
    'k8s:app=a',
    'k8s:io.kubernetes.pod.namespace=default',
    'k8s:io.cilium.k8s.namespace.labels.team=x',
  ],
  addresses: ['10.0.2.5'],
  host: '192.168.0.2',
};
const entry = (more: Partial<EgressEntry> = {}): EgressEntry => ({
  source: '10.0.2.5',
  destination: '0.0.0.0/0',
  egressIp: '0.0.0.0',
  gateway: '192.168.0.1',
  ...more,
});
const EXCLUDED = entry({ destination: '10.0.0.0/8', gateway: 'Excluded CIDR' });
/** As it should be: three nodes, of which the first is the gateway. */
const FINE: EgressFacts = {
  policies: [POLICY],
  nodes: [node(1), node(2), node(3)],
  endpoints: [POD, { ...POD, name: 'default/b', labels: ['k8s:app=b'], addresses: ['10.0.3.6'] }],
  views: [
    { node: 'n1', entries: [entry({ egressIp: '203.0.113.1' }), EXCLUDED] },
    { node: 'n2', entries: [entry(), EXCLUDED] },
    { node: 'n3', entries: [entry(), EXCLUDED] },
  ],
};
const withView = (name: string, entries: readonly EgressEntry[] | 'off'): EgressFacts => ({
  ...FINE,
  views: FINE.views.map((view) => (view.node === name ? { node: name, entries } : view)),
});
const withPolicy = (more: Partial<EgressPolicy>, facts = FINE): EgressFacts => ({
  ...facts,
  policies: [{ ...POLICY, ...more }],
});
const textsOf = (facts: EgressFacts) =>
  judgeEgress(facts).problems.map(({ policy, node: at, text }) => [policy, at, text]);

test('what is as it should be has no problems', () => {
  expect(judgeEgress(FINE)).toEqual({
    policies: [
      {
        name: 'out',
        pods: 1,
        gateways: [
          { gateway: '192.168.0.1', node: 'n1', egressIps: ['203.0.113.1'], seenBy: ['n1', 'n2', 'n3'] },
        ],
      },
    ],
    problems: [],
  });
});

test.each<[string, EgressFacts, string[]]>([
  [
    'nodes send the same traffic to different gateways',
    withView('n3', [entry({ gateway: '192.168.0.2' }), EXCLUDED]),
    ['out', '', 'nodes disagree on the gateway of 10.0.2.5 → 0.0.0.0/0: n1 says n1, n2; n2 says n3'],
  ],
  [
    'a gateway without its labels',
    { ...FINE, nodes: [node(1, { labels: {} }), node(2, { labels: { egress: 'yes' } }), node(3)] },
    ['out', 'n1', 'it is taken for the gateway, and its labels are not those of one'],
  ],
  [
    'a gateway that is not ready',
    { ...FINE, nodes: [node(1, { trouble: 'its agent is not ready' }), node(2), node(3)] },
    ['out', 'n1', 'it is the gateway, and cannot be reached: its agent is not ready'],
  ],
  [
    'a gateway that is gone',
    { ...FINE, nodes: [node(2, { labels: { egress: 'yes' } }), node(3)] },
    ['out', '', 'no node has the address of its gateway, 192.168.0.1'],
  ],
  [
    'no node with the labels',
    { ...FINE, nodes: [node(1, { labels: {} }), node(2), node(3)] },
    ['out', '', 'no node has the labels of its gateway: traffic of its pods is dropped'],
  ],
  [
    'a node that found no gateway',
    withView('n2', [entry({ gateway: 'Not Found' }), EXCLUDED]),
    ['out', 'n2', 'it found no gateway, though n1 could be it'],
  ],
  [
    'a gateway without an address to send from',
    withView('n1', [entry(), EXCLUDED]),
    ['out', 'n1', 'it is the gateway, and has no address to send from: traffic is dropped there'],
  ],
  [
    'a gateway that sends from another address',
    withView('n1', [entry({ egressIp: '203.0.113.9' }), EXCLUDED]),
    ['out', 'n1', 'it sends from 203.0.113.9, and the policy says 203.0.113.1'],
  ],
  [
    'a gateway that takes another for it',
    withView('n1', [entry({ gateway: '192.168.0.3' }), EXCLUDED]),
    ['out', 'n1', 'it is the gateway, and does not take itself for it'],
  ],
  [
    'a node without an entry for its own pod',
    withView('n2', [EXCLUDED]),
    ['out', 'n2', 'it has no entry for pods that run there, which take no gateway: 10.0.2.5 → 0.0.0.0/0'],
  ],
  [
    'a node without the feature',
    withView('n3', 'off'),
    ['', 'n3', 'egress gateways are disabled there: its pods take none'],
  ],
  [
    'an entry of no policy',
    withView('n3', [entry(), EXCLUDED, entry({ source: '10.0.9.9' })]),
    ['', 'n3', 'entries that no policy asks for: 10.0.9.9 → 0.0.0.0/0'],
  ],
  [
    'two policies for the same traffic',
    { ...FINE, policies: [POLICY, { ...POLICY, name: 'too' }] },
    ['too', '', 'out is about the same traffic: 10.0.2.5 → 0.0.0.0/0, 10.0.2.5 → 10.0.0.0/8'],
  ],
  [
    'a policy that agents refuse',
    withPolicy({ selectors: [{ pods: undefined, namespaces: undefined, nodes: undefined }] }),
    ['out', '', 'agents refuse it: a selector without podSelector and namespaceSelector'],
  ],
])('%s', (_, facts, problem) => {
  expect(textsOf(facts)).toContainEqual(problem);
});

describe('which pods a policy is about', () => {
  const podsOf = (selectors: EgressPolicy['selectors'], labels = POD.labels) => {
    const facts = withPolicy({ selectors }, { ...FINE, endpoints: [{ ...POD, labels }] });
    return judgeEgress(facts).policies[0]?.pods;
  };
  const none = { pods: undefined, namespaces: undefined, nodes: undefined };
  test.each<[string, EgressPolicy['selectors'], number]>([
    ['labels of its namespace', [{ ...none, namespaces: { matchLabels: { team: 'x' } } }], 1],
    ['other labels of its namespace', [{ ...none, namespaces: { matchLabels: { team: 'y' } } }], 0],
    ['any namespace', [{ ...none, namespaces: {} }], 1],
    ['its node', [{ ...none, pods: {}, nodes: { matchLabels: { egress: 'yes' } } }], 0],
    [
      'one of two selectors',
      [
        { ...none, pods: { matchLabels: { app: 'z' } } },
        { ...none, pods: {} },
      ],
      1,
    ],
    [
      'an expression',
      [{ ...none, pods: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] } }],
      0,
    ],
  ])('%s', (_, selectors, count) => {
    expect(podsOf(selectors)).toBe(count);
  });
  test('a label of another source is none of Kubernetes', () => {
    expect(podsOf([{ ...none, pods: { matchLabels: { app: 'a' } } }], ['any:app=a', 'cni:app=a'])).toBe(0);
  });
});

test('addresses go to ranges of their own family', () => {
  const facts = withPolicy(
    { destinations: ['0.0.0.0/0', '::/0'], excluded: [] },
    {
      ...withView('n2', [entry(), entry({ source: 'fd00::5', destination: '::/0' })]),
      endpoints: [{ ...POD, addresses: ['10.0.2.5', 'fd00::5'] }],
    },
  );
  expect(textsOf(facts).map(([, at]) => at)).not.toContain('n2');
});
