import { expect, test } from '@jest/globals';
import type { Release } from '../../../src/model/release.ts';
import { parsePolicies } from '../../../src/policy/read/policies.ts';

function object(kind: string, direction: string): string {
  return `apiVersion: cilium.io/v2
kind: ${kind}
metadata: {name: t}
spec:
  endpointSelector: {}
  ${direction}
`;
}

const serverName = (name: string) =>
  `egress: [{toPorts: [{ports: [{port: "443", protocol: TCP}], serverNames: ["${name}"]}]}]`;
const protocol = (name: string) => `egress: [{toPorts: [{ports: [{port: "0", protocol: ${name}}]}]}]`;
const withoutPort = (name: string) => `egress: [{toPorts: [{ports: [{protocol: ${name}}]}]}]`;
const rules = (l7: string) =>
  `egress: [{toPorts: [{ports: [{port: "9092", protocol: TCP}], rules: {${l7}}}]}]`;

/** The first of 1.18, 1.19 and 1.20 that takes it, and the first that does not. */
test.each<[string, Release | undefined, Release | undefined]>([
  [serverName('a.example.com'), '1.18', undefined],
  [serverName('*.example.com'), '1.18', undefined],
  [serverName('**.example.com'), '1.18', undefined],
  [serverName('*'), '1.20', undefined],
  [serverName('*example.com'), '1.20', undefined],
  [serverName('sub*.example.com'), '1.20', undefined],
  [serverName('api.*-example.com'), '1.20', undefined],
  [serverName('a b'), undefined, undefined],
  [serverName(''), undefined, undefined],
  [protocol('SCTP'), '1.18', undefined],
  [protocol('VRRP'), '1.19', undefined],
  [protocol('IGMP'), '1.19', undefined],
  [protocol('GRE'), '1.20', undefined],
  [protocol('IPIP'), '1.20', undefined],
  [protocol('IPV6'), '1.20', undefined],
  [protocol('ESP'), '1.20', undefined],
  [protocol('AH'), '1.20', undefined],
  [protocol('OSPF'), undefined, undefined],
  [withoutPort('IGMP'), '1.19', undefined],
  [withoutPort('ESP'), '1.20', undefined],
  [withoutPort('TCP'), undefined, undefined],
  ['ingress: [{fromEntities: [cluster-mesh]}]', '1.20', undefined],
  ['egressDeny: [{toEntities: [cluster-mesh]}]', '1.20', undefined],
  ['ingress: [{fromEntities: [cluster]}]', '1.18', undefined],
  ['ingress: [{fromRequires: [{matchLabels: {a: b}}]}]', '1.18', '1.19'],
  [rules('kafka: [{topic: a}]'), '1.18', '1.20'],
  [rules('l7proto: p, l7: [{a: b}]'), '1.18', '1.20'],
  [rules('http: [{}]'), '1.18', undefined],
  [
    'egress: [{toServices: [{k8sService: {serviceName: a}}], toPorts: [{ports: [{port: "80"}]}]}]',
    '1.18',
    undefined,
  ],
])('%s is taken from %s until %s', async (direction, since, until) => {
  const taken: Release[] = [];
  for (const target of ['1.18', '1.19', '1.20'] as const) {
    for (const kind of ['CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy']) {
      const { findings } = await parsePolicies([{ file: 'p.yaml', text: object(kind, direction) }], {
        target,
      });
      if (findings.every(({ severity }) => severity !== 'error')) taken.push(target);
    }
  }
  const between = (['1.18', '1.19', '1.20'] as const).filter(
    (release) => since !== undefined && release >= since && (until === undefined || release < until),
  );
  expect(taken).toEqual(between.flatMap((release) => [release, release]));
});

/** What the API server refuses of an object, and whether the agent's own form is refused as well. */
test.each<[direction: string, taken: Partial<Record<Release, boolean>>]>([
  [protocol('udp'), { '1.10': false, '1.14': false, '1.17': false }],
  [protocol('UDP'), { '1.10': true, '1.14': true, '1.17': true }],
  ['ingress: [{fromCIDR: [10.1.2.3]}]', { '1.9': false, '1.16': false }],
  ['ingress: [{icmps: [{fields: [{type: 8, family: ipv4}]}]}]', { '1.14': false, '1.17': false }],
  [rules('kafka: [{role: Produce}]'), { '1.12': false, '1.17': false }],
  [serverName('a..b'), { '1.13': true, '1.17': true, '1.18': false }],
  ['egress: [{toFQDNs: [{matchName: a..b}]}]', { '1.9': false, '1.17': false }],
  [`egress: [{toFQDNs: [{matchName: ${'a'.repeat(256)}}]}]`, { '1.16': true, '1.17': false }],
  [rules('http: [{}], l7proto: ""'), { '1.15': true, '1.16': false }],
  ['egress: [{toPorts: [{ports: [{port: "53"}], rules: {dns: [{}]}}]}]', { '1.16': false }],
])('an object with %s is taken: %j', async (direction, taken) => {
  const found: Record<string, boolean> = {};
  for (const target of Object.keys(taken) as Release[]) {
    const text = object('CiliumNetworkPolicy', direction);
    const { findings } = await parsePolicies([{ file: 'p.yaml', text }], { target });
    found[target] = findings.every(({ severity }) => severity !== 'error');
  }
  expect(found).toEqual(taken);
});
