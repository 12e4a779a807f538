import { describe, expect, test } from '@jest/globals';
import { atLeast, type Release } from '../../../../src/model/release.ts';
import { decideDirection } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import type { Settings } from '../../../../src/policy/evaluate/decide/settings.ts';
import { aggregateByKind, EVERYBODY } from '../../../../src/policy/evaluate/maps/aggregates.ts';
import { l4Key } from '../../../../src/policy/evaluate/maps/map-key.ts';
import { Identities } from '../../../../src/policy/evaluate/selectors/identities.ts';
import type { Rule } from '../../../../src/policy/rule.ts';
import { lookup, lookupByPrecedence } from '../../../helpers/datapath-lookup.ts';
import fc from '../../../helpers/properties.ts';
import { anyRule, anyRules, anyTraffic, IDENTITIES, PODS } from '../../arbitrary.ts';
import { entriesText, ruleOf } from '../../helpers.ts';

const ENDPOINTS = PODS.map(({ id }, i) => ({ id: i + 1, identity: id }));

function engineOf(
  rules: readonly Rule[],
  release: Release = '1.17',
  settings: Partial<Settings> = {},
): PolicyEngine {
  return new PolicyEngine(IDENTITIES, ENDPOINTS, { release, cidrMatchMode: [], ...settings }).addAll(
    rules.map(ruleOf),
  );
}

/** One address for each node and pod, some of them within the prefixes of the rules. */
const BOOK = IDENTITIES.filter(({ prefixes }) => prefixes.length === 0).map(({ id }, i) => ({
  cidr: `${i % 3 === 0 ? '172.16.0' : i % 3 === 1 ? '10.1.2' : '10.9.0'}.${i + 3}/32`,
  identity: id,
}));

const AGGREGATE_OF = aggregateByKind(new Identities(IDENTITIES), 'lab');

type Asked = typeof anyTraffic extends fc.Arbitrary<infer T> ? T : never;

function byMap(engine: PolicyEngine, { subject, peer, direction, protocol, port }: Asked): boolean {
  const endpoint = ENDPOINTS.find(({ identity }) => identity === subject.id);
  const state = endpoint ? engine.mapsOf(endpoint)[direction] : new Map();
  const { releaseOfMaps: release } = engine;
  const aggregate = atLeast(release, '1.20') ? AGGREGATE_OF(peer.id) : EVERYBODY;
  const found = atLeast(release, '1.17')
    ? lookupByPrecedence(state, peer.id, aggregate, l4Key(protocol, { port, prefix: 16 }))
    : lookup(state, peer.id, protocol, port);
  return found !== undefined && !found.deny;
}

function byRules(engine: PolicyEngine, { subject, peer, direction, ...traffic }: Asked): boolean {
  // The engine's own knows its addresses.
  const known = engine.identities.get(peer.id) ?? peer;
  const { answer } = decideDirection(engine, direction, subject, known, traffic);
  expect(answer).not.toBe('unknown');
  return answer === 'allowed';
}

describe('random rules and traffic', () => {
  test.each([
    ['1.17', true, 1_500],
    ['1.17', false, 1_000],
    ['1.18', false, 500],
    ['1.20', false, 1_500],
  ] as const)(
    'the policy map of %s (on the way to it: %j) and the rules give the same answer',
    (release, development, numRuns) => {
      fc.assert(
        fc.property(anyRules, fc.array(anyTraffic, { minLength: 1, maxLength: 8 }), (rules, asked) => {
          const engine = engineOf(rules, release, { development });
          for (const each of asked) expect(byMap(engine, each)).toBe(byRules(engine, each));
        }),
        { numRuns },
      );
    },
  );

  test.each([
    ['1.17', true, ['nodes']],
    ['1.17', false, ['nodes']],
    ['1.20', false, ['nodes', 'pods']],
  ] as const)('they do so in %s (%j) where CIDR rules select %j', (release, development, cidrMatchMode) => {
    fc.assert(
      fc.property(anyRules, fc.array(anyTraffic, { minLength: 1, maxLength: 8 }), (rules, asked) => {
        const engine = engineOf(rules, release, { development, cidrMatchMode, addresses: BOOK });
        for (const each of asked) expect(byMap(engine, each)).toBe(byRules(engine, each));
      }),
      { numRuns: 500 },
    );
  });

  test('what one rule denies, no other rule allows', () => {
    fc.assert(
      fc.property(anyRule, anyRules, anyTraffic, (rule, others, asked) => {
        const alone = engineOf([rule]);
        const { subject, peer, direction, ...traffic } = asked;
        const { reason } = decideDirection(alone, direction, subject, peer, traffic);
        fc.pre(reason.kind === 'rule' && reason.part.deny);
        expect(byMap(engineOf([...others, rule]), asked)).toBe(false);
      }),
      { numRuns: 600 },
    );
  });

  test('an added allow rule takes nothing away from an endpoint whose default deny is on or stays off', () => {
    fc.assert(
      fc.property(anyRule, anyRules, anyTraffic, (rule, others, asked) => {
        fc.pre(!rule.ingressDeny && !rule.egressDeny);
        const before = engineOf(others);
        const policy = before.policyOf(asked.subject)[asked.direction];
        const closed = policy.enforced && !policy.open;
        fc.pre(closed || !rule.enableDefaultDeny[asked.direction]);
        fc.pre(byMap(before, asked));
        expect(byMap(engineOf([...others, rule]), asked)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('adding and removing rules one by one leads to the same maps as starting afresh', () => {
    fc.assert(
      fc.property(anyRules, anyRules, (kept, removed) => {
        const engine = engineOf([]);
        const gone = removed.map((rule) => engine.add(ruleOf(rule)));
        for (const endpoint of ENDPOINTS) engine.entriesOf(endpoint);
        for (const rule of kept) engine.add(ruleOf(rule));
        for (const endpoint of ENDPOINTS) engine.entriesOf(endpoint);
        for (const handle of gone) engine.remove(handle);
        const fresh = engineOf(kept);
        for (const endpoint of ENDPOINTS)
          expect(entriesText(engine.entriesOf(endpoint))).toEqual(entriesText(fresh.entriesOf(endpoint)));
      }),
      { numRuns: 500 },
    );
  });
});
