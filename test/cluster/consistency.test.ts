import { describe, expect, test } from '@jest/globals';
import {
  AGENT_TAINT,
  type ClusterFacts,
  findInconsistencies,
  lastingFindings,
  nodesWithoutAgent,
} from '../../src/cluster/consistency.ts';

const WEB = { name: 'shop/web', identity: 1001, addresses: ['10.0.0.1', 'fd00::1'] };
const API = { name: 'shop/api', identity: 1002, addresses: ['10.0.1.1'] };
const LOCAL = { name: 'shop/cidr', identity: (1 << 24) + 1, addresses: ['10.0.1.9'] };

/** A cluster whose parts agree. */
const SOUND: ClusterFacts = {
  nodes: [
    { name: 'n1', taints: [] },
    { name: 'n2', taints: ['other'] },
  ],
  ciliumNodes: new Map([
    ['n1', ['10.0.0.0/24']],
    ['n2', ['10.0.1.0/24']],
  ]),
  pods: [
    { name: 'shop/web', node: 'n1', runs: true, addresses: ['10.0.0.1', 'fd00::1'] },
    { name: 'shop/api', node: 'n2', runs: true, addresses: ['10.0.1.1'] },
    { name: 'shop/cidr', node: 'n2', runs: true, addresses: ['10.0.1.9'] },
    { name: 'shop/new', node: '', runs: false, addresses: [] },
  ],
  endpoints: [WEB, API, LOCAL],
  slices: [WEB, API, LOCAL],
  identities: new Set([1001, 1002]),
  agents: new Map([
    ['n1', { isReady: true, endpoints: [WEB] }],
    ['n2', { isReady: true, endpoints: [API, LOCAL] }],
  ]),
  agentTaint: AGENT_TAINT,
};

const lines = (change: Partial<ClusterFacts>) =>
  findInconsistencies({ ...SOUND, ...change }).map(
    ({ check, object, node, text }) => `${check} ${object} ${node || '-'}: ${text}`,
  );

describe('where the parts of a cluster disagree', () => {
  test('a sound cluster has no finding', () => expect(lines({})).toEqual([]));

  test.each<[string, Partial<ClusterFacts>, string[]]>([
    [
      'a pod without a CiliumEndpoint',
      { endpoints: [API, LOCAL], slices: [API, LOCAL] },
      ['pods shop/web n1: it runs and has no CiliumEndpoint'],
    ],
    [
      'an address that the pod has not',
      { endpoints: [{ ...WEB, addresses: ['10.0.0.7'] }, API, LOCAL] },
      ['pods shop/web n1: its CiliumEndpoint has the address 10.0.0.7, the pod has 10.0.0.1, fd00::1'],
    ],
    [
      'a CiliumEndpoint of a pod that is gone',
      { pods: SOUND.pods?.filter(({ name }) => name !== 'shop/web') },
      [
        'endpoints shop/web -: a CiliumEndpoint of a pod that is not there',
        'agents shop/web n1: the agent has an endpoint of a pod that is not there',
      ],
    ],
    [
      'slices that lack one and keep another',
      { slices: [{ ...WEB, identity: 7777 }, LOCAL, { ...API, name: 'shop/old' }] },
      [
        'slices shop/api -: its CiliumEndpoint is in no slice',
        'slices shop/old -: a slice holds it, and there is no CiliumEndpoint of it',
        'slices shop/web -: its slice has identity 7777, its CiliumEndpoint 1001',
      ],
    ],
    [
      'an agent that lacks one, has one of elsewhere, and another identity',
      {
        agents: new Map([
          ['n1', { isReady: true, endpoints: [API] }],
          ['n2', { isReady: true, endpoints: [{ ...API, identity: 1003 }, LOCAL] }],
        ]),
      },
      [
        'agents shop/api n1: the agent has an endpoint of a pod that runs on n2',
        'agents shop/api n2: the agent has identity 1003, the CiliumEndpoint 1002',
        'agents shop/web n1: it runs, and the agent of its node has no endpoint of it',
      ],
    ],
    [
      'an identity without an object; local and reserved ones have none',
      {
        identities: new Set([1001]),
        endpoints: [WEB, API, { ...LOCAL, identity: 104 }],
        slices: 'none',
        agents: undefined,
      },
      ['identities 1002 -: there is no CiliumIdentity of it, and shop/api has it'],
    ],
    [
      'nodes on one side only, and one prefix twice',
      {
        ciliumNodes: new Map([
          ['n1', ['10.0.0.0/24']],
          ['n3', ['10.0.0.0/24']],
        ]),
      },
      [
        'nodes n2 n2: it has no CiliumNode',
        'nodes n3 n3: a CiliumNode of a node that is gone',
        'nodes n3 n3: its prefix 10.0.0.0/24 is also that of n1',
      ],
    ],
    [
      'a taint that stays',
      {
        nodes: [
          { name: 'n1', taints: [AGENT_TAINT] },
          { name: 'n2', taints: [] },
        ],
      },
      [`taints n1 n1: the taint ${AGENT_TAINT} stays though its agent is ready`],
    ],
    [
      'a taint of a name that was configured; an agent that is not ready may have it',
      {
        nodes: [
          { name: 'n1', taints: ['mine'] },
          { name: 'n2', taints: ['mine'] },
        ],
        agents: new Map([
          ['n1', { isReady: false, endpoints: [WEB] }],
          ['n2', { isReady: true, endpoints: [API, LOCAL] }],
        ]),
        agentTaint: 'mine',
      },
      ['taints n2 n2: the taint mine stays though its agent is ready'],
    ],
  ])('%s', (_, change, expected) => expect(lines(change)).toEqual(expected));

  test('what could not be read is not compared', () => {
    const keys = ['nodes', 'ciliumNodes', 'pods', 'endpoints', 'slices', 'identities', 'agents'] as const;
    for (const key of keys) expect(lines({ [key]: undefined })).toEqual([]);
    expect(lines({ agents: new Map([['n1', { isReady: true }]]) })).toEqual([]);
  });

  test('nodes without an agent are told, by the nodes or else by the pods', () => {
    const one = new Map([['n2', { isReady: true }]]);
    expect(nodesWithoutAgent(SOUND)).toEqual([]);
    expect(nodesWithoutAgent({ ...SOUND, agents: one })).toEqual(['n1']);
    expect(nodesWithoutAgent({ ...SOUND, agents: one, nodes: undefined })).toEqual(['n1']);
    expect(nodesWithoutAgent({ ...SOUND, agents: one, nodes: undefined, pods: undefined })).toEqual([]);
    expect(nodesWithoutAgent({ ...SOUND, agents: undefined })).toEqual([]);
  });

  test('many pods take no more time each than few', () => {
    const many = Array.from({ length: 60_000 }, (_, n) => ({
      name: `shop/p${n}`,
      node: `n${n % 2000}`,
      runs: true,
      addresses: [],
    }));
    const beganMs = performance.now();
    const found = findInconsistencies({
      ...SOUND,
      nodes: undefined,
      ciliumNodes: undefined,
      slices: 'none',
      pods: many,
      endpoints: many.map(({ name }) => ({ name, identity: 5000, addresses: [] })),
      agents: new Map(
        Map.groupBy(many, ({ node }) => node)
          .entries()
          .map(([node, pods]) => [
            node,
            { isReady: true, endpoints: pods.map(({ name }) => ({ name, identity: 5000, addresses: [] })) },
          ]),
      ),
    });
    expect(found.map(({ text }) => text)).toEqual([
      'there is no CiliumIdentity of it, and shop/p0 and 59999 more has it',
    ]);
    // Each pod for each agent, or each name for each name, would take half a minute.
    expect(performance.now() - beganMs).toBeLessThan(15_000);
  });

  test('only what is there twice lasts', () => {
    const first = findInconsistencies({ ...SOUND, identities: new Set([1001]) });
    const second = findInconsistencies({ ...SOUND, identities: new Set() });
    expect(lastingFindings(first, second).map(({ object }) => object)).toEqual(['1002']);
    expect(lastingFindings([], second)).toEqual([]);
  });
});
