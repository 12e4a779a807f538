import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import { EVERYBODY } from '../evaluate/maps/aggregates.ts';
import { type CompiledRule, DIRECTIONS, type Direction } from '../evaluate/maps/compile-rule.ts';
import { effectivePeers } from '../evaluate/maps/direction-policy.ts';
import { broaderKeys, type L4Key } from '../evaluate/maps/map-key.ts';
import type { MapState, Verdict } from '../evaluate/maps/policy-map.ts';
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

/** The costs of all rules and endpoints. */
export function countRules(engine: PolicyEngine): {
  rules: Map<CompiledRule, RuleCost>;
  endpoints: EndpointCost[];
} {
  const costs = new Map<CompiledRule, RuleCost>();
  for (const rule of engine.rules) {
    const { source } = rule;
    costs.set(rule, {
      rule: referenceOf(source.origin, source.rule.labels, source.origin.part),
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
  for (const place of placesIn(maps)) {
    entries++;
    const { parts, proxy } = place.verdict;
    const rules = new Set(parts.map(({ rule }) => rule));
    const alone = rules.size === 1 && !isRedundant(place, () => true);
    for (const rule of rules) {
      count(costs, rule, 'entries');
      if (alone) count(costs, rule, 'alone');
      if (proxy) count(costs, rule, 'proxied');
    }
  }
  return entries;
}

/** An entry of a policy map, and where it is. */
export interface Place {
  state: MapState;
  key: L4Key;
  id: number;
  verdict: Verdict;
}

/** All entries of an endpoint's policy maps. */
export function* placesIn(maps: Readonly<Record<Direction, MapState>>): Generator<Place> {
  for (const direction of DIRECTIONS) {
    const state = maps[direction];
    for (const [key, bucket] of state) for (const [id, verdict] of bucket) yield { state, key, id, verdict };
  }
}

/** Whether a broader entry that stays allows the same in the same way. */
export function isRedundant(
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
