import type { LabelSelector } from '../../src/model/selector.ts';
import { type Identity, identityOf } from '../../src/policy/evaluate/selectors/identities.ts';
import type { EgressRule, Entity, IngressRule, PortProtocol, Protocol, Rule } from '../../src/policy/rule.ts';
import fc from '../helpers/properties.ts';

/** A small cluster: pods that differ in two labels, reserved identities, nested CIDRs of both families. */
export const IDENTITIES: readonly Identity[] = [
  identityOf(1, ['reserved:host']),
  identityOf(2, ['reserved:world']),
  identityOf(4, ['reserved:health']),
  identityOf(6, ['reserved:remote-node']),
  identityOf(7, ['reserved:kube-apiserver', 'reserved:remote-node']),
  ...['a', 'b', 'c'].flatMap((app, i) =>
    ['x', 'y'].map((tier, j) =>
      identityOf(1000 + 10 * i + j, [
        `k8s:app=${app}`,
        `k8s:tier=${tier}`,
        'k8s:io.cilium.k8s.policy.cluster=lab',
      ]),
    ),
  ),
  ...['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.1.2.3/32', '192.168.0.0/16', 'fd00--/8'].map(
    (prefix, i) => identityOf(16_777_217 + i, [`cidr:${prefix}`, 'reserved:world']),
  ),
];

export const PODS = IDENTITIES.filter(({ byKey }) => byKey.has('app'));

const labels: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  fc.constantFrom('a', 'b', 'c').map((app) => ({ matchLabels: { 'any:app': app } })),
  fc
    .record({ app: fc.constantFrom('a', 'b'), tier: fc.constantFrom('x', 'y') })
    .map(({ app, tier }) => ({ matchLabels: { 'k8s:app': app, 'any:tier': tier } })),
  fc.constantFrom('In' as const, 'NotIn' as const).map((operator) => ({
    matchExpressions: [{ key: 'any:app', operator, values: ['a', 'b'] }],
  })),
  fc.constantFrom('Exists' as const, 'DoesNotExist' as const).map((operator) => ({
    matchExpressions: [{ key: 'any:tier', operator }],
  })),
);

const ENTITIES: Entity[] = ['all', 'world', 'cluster', 'host', 'remote-node', 'health'];
const entities = fc.subarray(ENTITIES, { minLength: 1, maxLength: 2 });
const cidrs = fc.subarray(['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3/32', '0.0.0.0/0', 'fd00::/8'], {
  minLength: 1,
  maxLength: 2,
});

const PROTOCOLS: Protocol[] = ['TCP', 'UDP', 'ANY', 'SCTP'];

const port: fc.Arbitrary<PortProtocol> = fc
  .record({
    first: fc.constantFrom(0, 22, 80, 443, 1000, 8000, 8080),
    more: fc.constantFrom(0, 0, 1, 7, 80, 999),
    protocol: fc.constantFrom(...PROTOCOLS),
  })
  .map(({ first, more, protocol }) => ({
    port: String(first),
    ...(more > 0 && first > 0 && { endPort: first + more }),
    protocol,
  }));

const toPorts = fc.option(
  fc.array(fc.record({ ports: fc.array(port, { minLength: 1, maxLength: 2 }) }), {
    minLength: 1,
    maxLength: 2,
  }),
  { nil: undefined, freq: 2 },
);
const icmps = fc.constantFrom([{ fields: [{ family: 'IPv4' as const, type: 8 }] }]);

function withPorts<T extends object>(peers: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(peers, toPorts).map(([p, ports]) => ({ ...p, ...(ports && { toPorts: ports }) })),
    },
    { weight: 1, arbitrary: fc.tuple(peers, icmps).map(([p, icmp]) => ({ ...p, icmps: icmp })) },
  );
}

const ingressPart: fc.Arbitrary<IngressRule> = withPorts(
  fc.oneof(
    fc.constant<IngressRule>({}),
    fc.array(labels, { minLength: 1, maxLength: 2 }).map((fromEndpoints): IngressRule => ({ fromEndpoints })),
    entities.map((fromEntities): IngressRule => ({ fromEntities })),
    cidrs.map((fromCIDR): IngressRule => ({ fromCIDR })),
    fc.constant<IngressRule>({ fromCIDRSet: [{ cidr: '10.0.0.0/8', except: ['10.1.2.0/24'] }] }),
  ),
);

function mirrored({ fromEndpoints, fromEntities, fromCIDR, fromCIDRSet, ...rest }: IngressRule): EgressRule {
  return {
    ...rest,
    ...(fromEndpoints && { toEndpoints: fromEndpoints }),
    ...(fromEntities && { toEntities: fromEntities }),
    ...(fromCIDR && { toCIDR: fromCIDR }),
    ...(fromCIDRSet && { toCIDRSet: fromCIDRSet }),
  };
}

/** A rule in stored form. `deny` rules and those that leave default deny off are among them. */
export const anyRule: fc.Arbitrary<Rule> = fc
  .record({
    endpointSelector: labels,
    part: ingressPart,
    deny: fc.boolean(),
    egress: fc.boolean(),
    defaultDeny: fc.boolean(),
  })
  .map(({ endpointSelector, part, deny, egress, defaultDeny }) => ({
    endpointSelector,
    ...(egress
      ? { [deny ? 'egressDeny' : 'egress']: [mirrored(part)] }
      : { [deny ? 'ingressDeny' : 'ingress']: [part] }),
    enableDefaultDeny: { ingress: !egress && defaultDeny, egress: egress && defaultDeny },
  }));

export const anyRules = fc.array(anyRule, { minLength: 1, maxLength: 5 });

/** A connection that rules of `anyRules` can speak of. */
export const anyTraffic = fc.record({
  subject: fc.constantFrom(...PODS),
  peer: fc.constantFrom(...IDENTITIES),
  direction: fc.constantFrom('ingress' as const, 'egress' as const),
  protocol: fc.constantFrom(6, 17, 132, 1, 47),
  port: fc.constantFrom(8, 22, 80, 81, 443, 1000, 1001, 8000, 8063, 8080, 8999, 65535),
});
