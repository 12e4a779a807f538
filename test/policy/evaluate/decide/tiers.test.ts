import { describe, expect, test } from '@jest/globals';
import { decideDirection } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import type { Settings } from '../../../../src/policy/evaluate/decide/settings.ts';
import { aggregateByKind } from '../../../../src/policy/evaluate/maps/aggregates.ts';
import { l4Key } from '../../../../src/policy/evaluate/maps/map-key.ts';
import { Identities } from '../../../../src/policy/evaluate/selectors/identities.ts';
import { selects } from '../../../../src/policy/evaluate/selectors/match.ts';
import { labelSelector } from '../../../../src/policy/evaluate/selectors/selector.ts';
import { type Order, type Rule, TIERS } from '../../../../src/policy/rule.ts';
import { lookupByPrecedence } from '../../../helpers/datapath-lookup.ts';
import fc from '../../../helpers/properties.ts';
import { anyRule, anyTraffic, IDENTITIES, PODS } from '../../arbitrary.ts';
import { ruleOf } from '../../helpers.ts';

const ENDPOINTS = PODS.map(({ id }, i) => ({ id: i + 1, identity: id }));
const AGGREGATE_OF = aggregateByKind(new Identities(IDENTITIES), 'lab');

function engineOf(rules: readonly Rule[], settings: Partial<Settings> = {}): PolicyEngine {
  return new PolicyEngine(IDENTITIES, ENDPOINTS, { release: '1.20', cidrMatchMode: [], ...settings }).addAll(
    rules.map(ruleOf),
  );
}

/** Rules of all tiers. Those with an order are as a ClusterNetworkPolicy makes them: without default deny. */
const orderedRule: fc.Arbitrary<Rule> = fc
  .record({
    rule: anyRule,
    order: fc.option(
      fc.record({
        tier: fc.constantFrom('Admin' as const, 'Baseline' as const),
        priority: fc.constantFrom(0, 0.01, 5, 5.01, 1000),
        pass: fc.boolean(),
      }),
      { freq: 3 },
    ),
  })
  .map(({ rule, order }): Rule => {
    if (!order) return rule;
    const { tier, priority, pass } = order;
    const { ingressDeny, egressDeny, ...others } = rule;
    const passing: Order = { tier, priority, ...(pass && { pass }) };
    return {
      ...(pass
        ? {
            ...others,
            ...(ingressDeny && { ingress: ingressDeny }),
            ...(egressDeny && { egress: egressDeny }),
          }
        : rule),
      enableDefaultDeny: { ingress: false, egress: false },
      order: passing,
    };
  });

const orderedRules = fc.array(orderedRule, { minLength: 1, maxLength: 6 });

type Asked = typeof anyTraffic extends fc.Arbitrary<infer T> ? T : never;

/** The plainest reading: rule by rule in order, each engine holding one rule alone. */
function naive(
  rules: readonly Rule[],
  { subject, peer, direction, ...traffic }: Asked,
  host: boolean,
): boolean {
  const levelOf = ({ order }: Rule) => [TIERS[order?.tier ?? 'Normal'], order?.priority ?? 0] as const;
  const effects = rules
    .filter((rule) =>
      direction === 'ingress' ? (rule.ingress ?? rule.ingressDeny) : (rule.egress ?? rule.egressDeny),
    )
    .filter((rule) => selects(labelSelector(rule.endpointSelector ?? {}), subject))
    .map((rule) => {
      // Alone, a rule decides what it matches, whatever its order.
      const { order, ...plain } = rule;
      const { reason } = decideDirection(
        engineOf([{ ...plain, enableDefaultDeny: { ingress: true, egress: true } }]),
        direction,
        subject,
        peer,
        traffic,
      );
      const matches = reason.kind === 'rule';
      const deny = direction === 'ingress' ? rule.ingressDeny : rule.egressDeny;
      return { matches, effect: deny ? 'deny' : order?.pass ? 'pass' : 'allow', level: levelOf(rule) };
    });
  const tiers = [...new Set(effects.map(({ level }) => level[0]))].sort((a, b) => a - b);
  for (const tier of tiers) {
    const priorities = effects.filter(({ level }) => level[0] === tier).map(({ level }) => level[1]);
    for (const priority of [...new Set(priorities)].sort((a, b) => a - b)) {
      const found = effects
        .filter(({ matches, level }) => matches && level[0] === tier && level[1] === priority)
        .map(({ effect }) => effect);
      if (found.includes('deny')) return false;
      if (found.includes('allow')) return true;
      if (found.includes('pass')) break;
    }
  }
  if (host && direction === 'ingress' && peer.id === 1) return true;
  return !rules.some(
    (rule) =>
      rule.enableDefaultDeny[direction] && selects(labelSelector(rule.endpointSelector ?? {}), subject),
  );
}

function byMap(engine: PolicyEngine, { subject, peer, direction, protocol, port }: Asked): boolean {
  const endpoint = ENDPOINTS.find(({ identity }) => identity === subject.id);
  const state = endpoint ? engine.mapsOf(endpoint)[direction] : new Map();
  const key = l4Key(protocol, { port, prefix: 16 });
  const found = lookupByPrecedence(state, peer.id, AGGREGATE_OF(peer.id), key);
  return found !== undefined && !found.deny;
}

describe('random rules of all tiers', () => {
  const asked = fc.array(anyTraffic, { minLength: 1, maxLength: 6 });

  test('decide as they do when they are asked one by one', () => {
    fc.assert(
      fc.property(orderedRules, asked, fc.boolean(), (rules, list, host) => {
        const engine = engineOf(rules, { allowLocalhost: host });
        for (const each of list) {
          const { subject, peer, direction, ...traffic } = each;
          const { answer } = decideDirection(engine, direction, subject, peer, traffic);
          expect(answer).toBe(naive(rules, each, host) ? 'allowed' : 'denied');
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the policy map and the rules give the same answer', () => {
    fc.assert(
      fc.property(orderedRules, asked, fc.boolean(), (rules, list, host) => {
        const engine = engineOf(rules, { allowLocalhost: host });
        for (const each of list) {
          const { subject, peer, direction, ...traffic } = each;
          const { answer } = decideDirection(engine, direction, subject, peer, traffic);
          expect(byMap(engine, each)).toBe(answer === 'allowed');
        }
      }),
      { numRuns: 1000 },
    );
  });
});
