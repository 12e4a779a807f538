import type { CompiledRule, Level, Part, PortSpec } from '../maps/compile-rule.ts';
import { compareLevels, type DirectionPolicy, effectivePeers } from '../maps/direction-policy.ts';
import type { Identity } from '../selectors/identities.ts';
import type { Selection } from '../selectors/selection.ts';
import type { Selector } from '../selectors/selector.ts';
import type { PolicyEngine } from './engine.ts';
import { type Asked, portFits, portsFor } from './ports-of-traffic.ts';

interface Test {
  part: Part;
  /** Undefined selects every peer. */
  selections: readonly Selection[] | undefined;
}

/** The tests of one level; `why` of rules that may not apply. */
export interface LevelTests extends Level {
  of: readonly { why?: string; tests: readonly Test[] }[];
}

const TESTS = new WeakMap<DirectionPolicy, readonly LevelTests[]>();

/** What the rules of a level say: parts that match, and why others, or rules that may not apply, may match. */
export interface Findings {
  denied: Match | undefined;
  allowed: Match[];
  passed: Match[];
  mayDeny: Doubt | undefined;
  mayAllow: Doubt | undefined;
  mayPass: Doubt | undefined;
  /** The part of `mayAllow` that is of rules that may not apply. */
  openAllows: Doubt | undefined;
}

export interface Match {
  part: Part;
  port: PortSpec;
}

export interface Doubt {
  why: string;
  rules: readonly CompiledRule[];
}

export function noFindings(): Findings {
  return {
    denied: undefined,
    allowed: [],
    passed: [],
    mayDeny: undefined,
    mayAllow: undefined,
    mayPass: undefined,
    openAllows: undefined,
  };
}

/** The same, where it is not known whether the rules apply at all. */
function inDoubt(found: Findings, why: string): Findings {
  const doubt = (matches: readonly Match[], more: Doubt | undefined): Doubt | undefined =>
    matches.length > 0 || more
      ? { why, rules: [...matches.map(({ part }) => part.rule), ...(more?.rules ?? [])] }
      : undefined;
  const mayAllow = doubt(found.allowed, found.mayAllow);
  return {
    denied: undefined,
    allowed: [],
    passed: [],
    mayDeny: doubt(found.denied ? [found.denied] : [], found.mayDeny),
    mayAllow,
    mayPass: doubt(found.passed, found.mayPass),
    openAllows: mayAllow,
  };
}

export function inDoubtAt(level: LevelTests, why: string): LevelTests {
  return { ...level, of: level.of.map((each) => ({ ...each, why })) };
}

export function testsOf(policy: DirectionPolicy, engine: PolicyEngine): readonly LevelTests[] {
  const known = TESTS.get(policy);
  if (known) return known;
  const tests = policy.levels.map(({ tier, priority, parts }) => ({
    tier,
    priority,
    of: [{ tests: parts.filter((part) => part.peers !== undefined).map((part) => testOf(part, engine)) }],
  }));
  TESTS.set(policy, tests);
  return tests;
}

/** All that may be selected: whether a wildcard has bounds may depend on the release. */
function peersOf(part: Part): readonly Selector[] {
  return part.peers?.some((peer) => peer.kind === 'labels' && peer.within)
    ? part.peers
    : effectivePeers(part);
}

function testOf(part: Part, engine: PolicyEngine): Test {
  const selections = peersOf(part).map((peer) => engine.selectors.resolve(peer));
  return { part, selections: selections.some((each) => each.wildcard) ? undefined : selections };
}

/** What all rules of a level say, those that may not apply among them. */
export function findingsAt({ of }: LevelTests, engine: PolicyEngine, asked: Asked): Findings {
  const all = of.map(({ why, tests }) => {
    const own = findingsIn(tests, engine, asked);
    return why === undefined ? own : inDoubt(own, why);
  });
  const [first, ...others] = all;
  if (first && others.length === 0) return first;
  return {
    denied: all.find(({ denied }) => denied)?.denied,
    allowed: all.flatMap(({ allowed }) => allowed),
    passed: all.flatMap(({ passed }) => passed),
    mayDeny: all.map(({ mayDeny }) => mayDeny).reduce(joined, undefined),
    mayAllow: all.map(({ mayAllow }) => mayAllow).reduce(joined, undefined),
    mayPass: all.map(({ mayPass }) => mayPass).reduce(joined, undefined),
    openAllows: all.map(({ openAllows }) => openAllows).reduce(joined, undefined),
  };
}

export function joined(a: Doubt | undefined, b: Doubt | undefined): Doubt | undefined {
  if (!a || !b) return a ?? b;
  return { why: a.why, rules: [...a.rules, ...b.rules] };
}

/** The levels in order, those of one place together. */
export function inOrder(all: readonly LevelTests[]): LevelTests[] {
  const levels: LevelTests[] = [];
  for (const level of all.toSorted(compareLevels)) {
    const last = levels.at(-1);
    if (last && compareLevels(last, level) === 0)
      levels.splice(-1, 1, { ...last, of: [...last.of, ...level.of] });
    else levels.push(level);
  }
  return levels;
}

function findingsIn(tests: readonly Test[], engine: PolicyEngine, asked: Asked): Findings {
  const found = noFindings();
  for (const { part, selections } of tests) {
    const peerFits = fitsAny(selections, asked.peer);
    if (peerFits === false) continue;
    for (const port of portsFor(part.ports, asked.traffic)) {
      const fits = portFits(port, asked, engine);
      if (fits === false) continue;
      if (peerFits === true && fits === true) {
        if (part.deny) return { ...found, denied: { part, port } };
        (part.pass ? found.passed : found.allowed).push({ part, port });
        continue;
      }
      const doubt = { why: String(peerFits === true ? fits : peerFits), rules: [part.rule] };
      if (part.deny) found.mayDeny = joined(found.mayDeny, doubt);
      else if (part.pass) found.mayPass = joined(found.mayPass, doubt);
      else found.mayAllow = joined(found.mayAllow, doubt);
    }
  }
  return found;
}

/** Whether one of the selections has the peer, or why that is not known. */
function fitsAny(selections: readonly Selection[] | undefined, peer: Identity): boolean | string {
  if (selections === undefined) return true;
  let unknown: string | undefined;
  for (const selection of selections) {
    const has = selection.has(peer);
    if (has === true) return true;
    if (has !== false) unknown ??= has;
  }
  return unknown ?? false;
}
