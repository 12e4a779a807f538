import type { Build } from '../../model/release.ts';
import { connectionOf, endsOf, type FlowRecord, ICMP_ERROR } from '../evaluate/decide/connections.ts';
import { rulesOf } from '../evaluate/decide/decide.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import type { Peers } from '../evaluate/decide/peers.ts';
import { type CompiledRule, DIRECTIONS, type Part } from '../evaluate/maps/compile-rule.ts';
import { effectivePeers, isOrdered } from '../evaluate/maps/direction-policy.ts';
import type { Verdict } from '../evaluate/maps/policy-map.ts';
import type { SourcedRule } from '../rule.ts';
import { countRules, isRedundant, type Place, placesIn } from './cost.ts';
import { type RuleReference, referenceOf } from './explain.ts';
import { FlowTable } from './flow-table.ts';
import { isAlwaysThere, isOpen } from './open-questions.ts';

/** Why a rule has no effect: it selects no endpoint, its peers select no identity, others cover it, no flow needed it. */
export type UnusedReason = 'no-endpoint' | 'no-peer' | 'covered' | 'no-flow';

/** A rule, or a part of one, without effect. */
export interface Unused {
  rule: RuleReference;
  reason: UnusedReason;
  text: string;
}

/** What is known besides the rules and the endpoints. */
interface Evidence {
  /** The rules that decided flows, when flows were given. */
  used?: ReadonlySet<CompiledRule> | undefined;
  /** Of the peers only those on one node are known. */
  partial?: boolean | undefined;
}

/** Rules that can be removed without effect. */
export function unusedRules(engine: PolicyEngine, { used, partial = false }: Evidence = {}): Unused[] {
  const costs = countRules(engine).rules;
  const covered = coveredAnywhere(engine);
  const found: Unused[] = [];
  for (const [rule, cost] of costs) {
    if (cost.endpoints === 0) {
      found.push({ rule: cost.rule, reason: 'no-endpoint', text: 'its selector selects no endpoint' });
      continue;
    }
    for (const part of rule.parts) {
      if (partial || part.peers === undefined || isOpen(part, engine)) continue;
      const peers = effectivePeers(part);
      const selected = peers.some(
        (peer) => isAlwaysThere(peer) || engine.selectors.resolve(peer).ids.length > 0,
      );
      if (peers.length > 0 && !selected && part.ports.length > 0)
        found.push({
          rule: referenceOf(part.origin, rule.source.rule.labels, part.path),
          reason: 'no-peer',
          text: 'its peers select no identity',
        });
    }
    if (covered.has(rule.source))
      found.push({ rule: cost.rule, reason: 'covered', text: 'other rules cover all of it' });
    else if (used && !used.has(rule))
      found.push({ rule: cost.rule, reason: 'no-flow', text: 'it decided no flow' });
  }
  return found;
}

/** Whether identities of peers that every cluster has are missing, so that the maps lack their entries. */
function lacksIdentities({ peers = [] }: Part, engine: PolicyEngine): boolean {
  const there = peers.filter(isAlwaysThere);
  return there.length > 0 && there.every((peer) => engine.selectors.resolve(peer).ids.length === 0);
}

/** The rules that decide one of the flows or may, or that enable default deny for it. */
export async function rulesOfFlows(
  flows: AsyncIterable<FlowRecord>,
  engine: PolicyEngine,
  peers: Peers,
): Promise<Set<CompiledRule>> {
  const table = new FlowTable(peers);
  const used = new Set<CompiledRule>();
  for await (const flow of flows) {
    table.add(flow);
    const connection = connectionOf(flow, peers);
    if (typeof connection !== 'string' || connection === ICMP_ERROR) continue;
    for (const end of endsOf(flow, peers)) for (const rule of engine.rulesFor(end)) used.add(rule);
  }
  for (const { connection } of table.connections) {
    const { egress, ingress, backends = [] } = table.decide(engine, connection);
    for (const each of [egress, ingress, ...backends.flatMap((backend) => [backend.egress, backend.ingress])])
      for (const rule of rulesOf(each)) used.add(rule);
  }
  return used;
}

/** Builds whose maps differ: where it is not known which it is, a rule must be covered in all. */
const BUILDS_1_17: readonly Build[] = [true, false].map((development) => ({ release: '1.17', development }));
const BUILDS: readonly Build[] = [
  // Without SCTP as ANY, and without a meaning of denied ports that name no protocol.
  { release: '1.12', development: false },
  { release: '1.14', development: false },
  ...BUILDS_1_17,
  { release: '1.19', development: false },
  { release: '1.20', development: false },
];

function coveredAnywhere(engine: PolicyEngine): Set<SourcedRule> {
  const sourcesIn = (each: PolicyEngine) => new Set([...coveredRules(each)].map(({ source }) => source));
  const { release, development } = engine.settings;
  const isOpen = release === '1.17' && development === undefined;
  if (release !== undefined && !isOpen) return sourcesIn(engine);
  const [first = new Set<SourcedRule>(), ...others] = (isOpen ? BUILDS_1_17 : BUILDS).map((build) =>
    sourcesIn(engine.withSettings(build)),
  );
  return new Set([...first].filter((source) => others.every((each) => each.has(source))));
}

/**
 * Rules that can all be removed without a change of a map. They are tried from the last to the first and a removed rule
 * covers nothing, so of rules that cover each other the first stays.
 */
function coveredRules(engine: PolicyEngine): Set<CompiledRule> {
  const places = placesOfRules(engine);
  const removed = new Set<CompiledRule>();
  const kept = keptRules(engine);
  const perhaps = engine.endpoints.flatMap(({ identity }) => engine.identities.get(identity) ?? []);
  for (const rule of engine.rules.reverse()) {
    const own = places.get(rule);
    // What is not known may give it an entry that no other rule has.
    const open =
      rule.parts.some((part) => isOpen(part, engine) || lacksIdentities(part, engine)) ||
      perhaps.some((identity) => engine.maySelect(rule, identity));
    if (!own || open || kept.has(rule)) continue;
    const others = ({ parts }: Verdict) =>
      parts.filter((part) => part.rule !== rule && !removed.has(part.rule) && !isInDoubt(part));
    const redundant = own.every(
      (place) =>
        isRepeated(rule, place.verdict, others(place.verdict)) ||
        isRedundant(place, (broader) => others(broader).length > 0),
    );
    if (redundant && !changesDefaults(engine, rule, removed)) removed.add(rule);
  }
  return removed;
}

/** Only some agents of the release have all its ports. */
function isInDoubt({ ports }: Part): boolean {
  return ports.some(({ perhaps }) => perhaps !== undefined);
}

/**
 * Rules that count as covered by none: those for endpoints that rules of several tiers are for, as what covers what there is
 * not looked into, and those for endpoints whose rules agents cannot merge, as their maps hold other rules.
 */
function keptRules(engine: PolicyEngine): Set<CompiledRule> {
  const found = new Set<CompiledRule>();
  for (const { identity: id } of engine.endpoints) {
    const identity = engine.identities.get(id);
    if (!identity) continue;
    const policy = engine.policyOf(identity);
    if (policy.conflict) for (const rule of engine.rulesFor(identity)) found.add(rule);
    for (const direction of DIRECTIONS) {
      const { levels, parts } = policy[direction];
      if (isOrdered(levels)) for (const { rule } of parts) found.add(rule);
    }
  }
  return found;
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
    for (const place of placesIn(maps))
      for (const rule of new Set(place.verdict.parts.map((part) => part.rule))) {
        const own = places.get(rule) ?? [];
        if (own.length === 0) places.set(rule, own);
        own.push(place);
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
