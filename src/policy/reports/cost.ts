import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import { type CompiledRule, DIRECTIONS, type Direction, type Part } from '../evaluate/maps/compile-rule.ts';
import { effectivePeers } from '../evaluate/maps/direction-policy.ts';
import { broaderKeys, type L4Key } from '../evaluate/maps/map-key.ts';
import { EVERYBODY, type MapState, type Verdict } from '../evaluate/maps/policy-map.ts';
import { type RuleReference, referenceOf } from './explain.ts';

/** The agent's default size of a policy map. */
const MAP_CAPACITY = 16_384;

/** The cost of a rule. */
export interface RuleCost {
  rule: RuleReference;
  endpoints: number;
  /** Identities that its peers select. */
  identities: number;
  /** Map entries that it contributes to, in the maps of all endpoints. */
  entries: number;
  /** Entries that only this rule causes and that no broader entry makes redundant. */
  alone: number;
  /** Entries that send traffic through a proxy. */
  proxied: number;
}

export interface EndpointCost {
  endpoint: number;
  entries: number;
  /** Share of the map's capacity, 0 to 1. */
  pressure: number;
}

export interface CostReport {
  rules: RuleCost[];
  endpoints: EndpointCost[];
  entries: number;
}

/** Counts what every rule adds to the policy maps of the endpoints, the most expensive first. */
export function costOf(engine: PolicyEngine): CostReport {
  const { rules, endpoints } = countRules(engine);
  return {
    rules: [...rules.values()].sort((a, b) => b.entries - a.entries),
    endpoints: endpoints.sort((a, b) => b.entries - a.entries),
    entries: endpoints.reduce((sum, each) => sum + each.entries, 0),
  };
}

function countRules(engine: PolicyEngine): { rules: Map<CompiledRule, RuleCost>; endpoints: EndpointCost[] } {
  const costs = new Map<CompiledRule, RuleCost>();
  for (const rule of engine.rules) {
    const { source } = rule;
    costs.set(rule, {
      rule: referenceOf(source.origin, source.rule.labels),
      endpoints: 0,
      identities: peersOf(engine, rule),
      entries: 0,
      alone: 0,
      proxied: 0,
    });
  }
  const endpoints = engine.endpoints.map((endpoint) => {
    const identity = engine.identities.get(endpoint.identity);
    if (identity) for (const rule of engine.rulesFor(identity)) count(costs, rule, 'endpoints');
    const entries = countEntries(engine.mapsOf(endpoint), costs);
    return { endpoint: endpoint.id, entries, pressure: entries / MAP_CAPACITY };
  });
  return { rules: costs, endpoints };
}

function countEntries(maps: Record<Direction, MapState>, costs: Map<CompiledRule, RuleCost>): number {
  let entries = 0;
  for (const direction of DIRECTIONS)
    for (const [key, bucket] of maps[direction])
      for (const [id, verdict] of bucket) {
        entries++;
        const rules = new Set(verdict.parts.map(({ rule }) => rule));
        const state = maps[direction];
        const alone = rules.size === 1 && !isNeedless({ state, key, id, verdict }, () => true);
        for (const rule of rules) {
          count(costs, rule, 'entries');
          if (alone) count(costs, rule, 'alone');
          if (verdict.proxy) count(costs, rule, 'proxied');
        }
      }
  return entries;
}

/** Whether a broader entry that stays allows the same in the same way. */
function isNeedless(
  { state, key, id, verdict: { deny, proxy, auth } }: Place,
  stays: (broader: Verdict) => boolean,
): boolean {
  if (deny || proxy) return false;
  const same = (verdict: Verdict | undefined) =>
    verdict !== undefined && !verdict.deny && !verdict.proxy && verdict.auth === auth && stays(verdict);
  return [key, ...broaderKeys(key)].some((above) => {
    const bucket = state.get(above);
    return (above !== key && same(bucket?.get(id))) || (id !== EVERYBODY && same(bucket?.get(EVERYBODY)));
  });
}

function count(
  costs: ReadonlyMap<CompiledRule, RuleCost>,
  rule: CompiledRule,
  field: 'endpoints' | 'entries' | 'alone' | 'proxied',
): void {
  const cost = costs.get(rule);
  if (cost) cost[field]++;
}

function peersOf(engine: PolicyEngine, rule: CompiledRule): number {
  const ids = new Set<number>();
  for (const part of rule.parts)
    for (const peer of effectivePeers(part)) for (const id of engine.selectors.resolve(peer).ids) ids.add(id);
  return ids.size;
}

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

/** An entry of a policy map, and where it is. */
interface Place {
  state: MapState;
  key: L4Key;
  id: number;
  verdict: Verdict;
}

/**
 * Rules that can all be removed without a change of a map. They are tried from the last to the first and a removed rule
 * covers nothing, so of rules that cover each other the first stays.
 */
function coveredRules(engine: PolicyEngine): Set<CompiledRule> {
  const places = placesOfRules(engine);
  const gone = new Set<CompiledRule>();
  for (const rule of engine.rules.reverse()) {
    const own = places.get(rule);
    if (!own) continue;
    const others = ({ parts }: Verdict) => parts.filter((part) => part.rule !== rule && !gone.has(part.rule));
    const needless = own.every(
      (place) =>
        isRepeated(rule, place.verdict, others(place.verdict)) ||
        isNeedless(place, (broader) => others(broader).length > 0),
    );
    if (needless && !changesDefaults(engine, rule, gone)) gone.add(rule);
  }
  return gone;
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
function changesDefaults(engine: PolicyEngine, rule: CompiledRule, gone: ReadonlySet<CompiledRule>): boolean {
  return engine.endpoints.some((endpoint) => {
    const identity = engine.identities.get(endpoint.identity);
    if (!identity) return false;
    const policy = engine.policyOf(identity);
    return DIRECTIONS.some((direction) => {
      const { closedBy } = policy[direction];
      return closedBy.includes(rule) && closedBy.every((each) => each === rule || gone.has(each));
    });
  });
}
