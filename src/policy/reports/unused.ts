import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import { type CompiledRule, DIRECTIONS, type Part } from '../evaluate/maps/compile-rule.ts';
import { effectivePeers } from '../evaluate/maps/direction-policy.ts';
import type { Verdict } from '../evaluate/maps/policy-map.ts';
import { countRules, isRedundant, type Place } from './cost.ts';
import { type RuleReference, referenceOf } from './explain.ts';

/** Why a rule has no effect: it selects no endpoint, its peers select no identity, others cover it, no flow needed it. */
export type UnusedReason = 'no-endpoint' | 'no-peer' | 'covered' | 'no-flow';

/** A rule, or a part of one, without effect. */
export interface Unused {
  rule: RuleReference;
  reason: UnusedReason;
  text: string;
}

/** Rules that can be removed without effect. `used` are the rules that decided flows, when flows were given. */
export function unusedRules(engine: PolicyEngine, used?: ReadonlySet<CompiledRule>): Unused[] {
  const costs = countRules(engine).rules;
  const covered = coveredRules(engine);
  const found: Unused[] = [];
  for (const [rule, cost] of costs) {
    if (cost.endpoints === 0) {
      found.push({ rule: cost.rule, reason: 'no-endpoint', text: 'its selector selects no endpoint' });
      continue;
    }
    for (const part of rule.parts) {
      if (part.peers === undefined || part.unknowns.length > 0) continue;
      const peers = effectivePeers(part);
      const selected = peers.some((peer) => engine.selectors.resolve(peer).ids.length > 0);
      if (peers.length > 0 && !selected && part.ports.length > 0)
        found.push({
          rule: referenceOf(part.origin, rule.source.rule.labels, part.path),
          reason: 'no-peer',
          text: 'its peers select no identity',
        });
    }
    if (covered.has(rule))
      found.push({ rule: cost.rule, reason: 'covered', text: 'other rules cover all of it' });
    else if (used && !used.has(rule))
      found.push({ rule: cost.rule, reason: 'no-flow', text: 'it decided no flow' });
  }
  return found;
}

/**
 * Rules that can all be removed without a change of a map. They are tried from the last to the first and a removed rule
 * covers nothing, so of rules that cover each other the first stays.
 */
function coveredRules(engine: PolicyEngine): Set<CompiledRule> {
  const places = placesOfRules(engine);
  const removed = new Set<CompiledRule>();
  for (const rule of engine.rules.reverse()) {
    const own = places.get(rule);
    if (!own) continue;
    const others = ({ parts }: Verdict) =>
      parts.filter((part) => part.rule !== rule && !removed.has(part.rule));
    const redundant = own.every(
      (place) =>
        isRepeated(rule, place.verdict, others(place.verdict)) ||
        isRedundant(place, (broader) => others(broader).length > 0),
    );
    if (redundant && !changesDefaults(engine, rule, removed)) removed.add(rule);
  }
  return removed;
}

/** Whether other rules cause the same entry. Rules that use a proxy add up, so their ports must be equal too. */
function isRepeated(
  rule: CompiledRule,
  { deny, auth, proxy, parts }: Verdict,
  others: readonly Part[],
): boolean {
  const same = others.filter((part) => part.deny === deny && (part.auth ?? 0) === auth);
  if (!proxy) return same.length > 0;
  const own = parts.filter((part) => part.rule === rule);
  const l7 = new Set(same.map(({ ports }) => JSON.stringify(ports)));
  return own.every(({ ports }) => l7.has(JSON.stringify(ports)));
}

function placesOfRules(engine: PolicyEngine): Map<CompiledRule, Place[]> {
  const places = new Map<CompiledRule, Place[]>();
  // Endpoints of one identity share their maps.
  for (const maps of new Set(engine.endpoints.map((endpoint) => engine.mapsOf(endpoint))))
    for (const direction of DIRECTIONS) {
      const state = maps[direction];
      for (const [key, bucket] of state)
        for (const [id, verdict] of bucket)
          for (const rule of new Set(verdict.parts.map((part) => part.rule))) {
            const own = places.get(rule) ?? [];
            if (own.length === 0) places.set(rule, own);
            own.push({ state, key, id, verdict });
          }
    }
  return places;
}

/** Whether an endpoint would lose default deny in a direction without the rule and those already removed. */
function changesDefaults(
  engine: PolicyEngine,
  rule: CompiledRule,
  removed: ReadonlySet<CompiledRule>,
): boolean {
  return engine.endpoints.some((endpoint) => {
    const identity = engine.identities.get(endpoint.identity);
    if (!identity) return false;
    const policy = engine.policyOf(identity);
    return DIRECTIONS.some((direction) => {
      const { closedBy } = policy[direction];
      return closedBy.includes(rule) && closedBy.every((each) => each === rule || removed.has(each));
    });
  });
}
