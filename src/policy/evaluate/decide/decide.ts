import { TIERS } from '../../rule.ts';
import type { CompiledRule, Direction, Level, Part, PortSpec } from '../maps/compile-rule.ts';
import { compareLevels, type DirectionPolicy, effectivePeers } from '../maps/direction-policy.ts';
import { type Identity, isHost, isNode, isReserved } from '../selectors/identities.ts';
import type { Selection } from '../selectors/selection.ts';
import type { Selector } from '../selectors/selector.ts';
import type { PolicyEngine, SubjectPolicy } from './engine.ts';
import { type Asked, portFits, remarkOn, type Traffic } from './ports-of-traffic.ts';

export type Answer = 'allowed' | 'denied' | 'unknown';

/** Why a direction was decided as it was. */
export type Reason =
  /** A rule allows or denies it. */
  | { kind: 'rule'; part: Part; port: PortSpec }
  /** Rules enable default deny, and none allows the traffic. */
  | { kind: 'default-deny'; rules: readonly CompiledRule[] }
  /** No rule for the endpoint enables default deny. */
  | { kind: 'default-allow' }
  /** No rule applies to this direction of the endpoint. */
  | { kind: 'not-enforced' }
  /** Policy does not apply to this end of the connection. */
  | { kind: 'no-endpoint' }
  /** Connections of the node to its pods are always allowed. */
  | { kind: 'localhost' }
  /** Something that the answer rests on is not known. `rules` may decide it. */
  | { kind: 'unknown'; why: string; rules: readonly CompiledRule[] };

/** The verdict at one end of a connection, and why. */
export interface Decision {
  answer: Answer;
  reason: Reason;
  /** Allowed, but a proxy then applies the L7 rules of this part. */
  proxy?: Part;
  /** Allowed once the peers have authenticated each other. */
  auth?: number;
  /** Parts that left it to a later tier. */
  passed?: readonly Part[];
  /** What is surprising about the answer. */
  remark?: string;
}

/** The verdicts at both ends: a connection is allowed when both allow it. */
export interface ConnectionDecision {
  answer: Answer;
  egress: Decision;
  ingress: Decision;
}

interface Test {
  part: Part;
  /** Undefined selects every peer. */
  selections: readonly Selection[] | undefined;
}

/** The tests of one level; `why` of rules that may not apply. */
interface LevelTests extends Level {
  of: readonly { why?: string; tests: readonly Test[] }[];
}

const TESTS = new WeakMap<DirectionPolicy, readonly LevelTests[]>();

/** Decides one direction of traffic between a subject and a peer from the rules, without a policy map. */
export function decideDirection(
  engine: PolicyEngine,
  direction: Direction,
  subject: Identity,
  peer: Identity,
  traffic: Traffic,
): Decision {
  const applies = policyApplies(subject, engine.settings.hostFirewall);
  const none: Decision = { answer: 'allowed', reason: { kind: 'no-endpoint' } };
  if (applies === false) return none;
  const asked = { direction, subject, peer, traffic };
  const decision = decideForEndpoint(engine, asked, engine.policyOf(subject));
  if (applies === true) return decision;
  if (decision.answer === 'allowed') return none;
  return unknown({ why: applies, rules: rulesOf(decision) });
}

/** The rules that decide, or that may. */
export function rulesOf({ reason, passed = [] }: Decision): readonly CompiledRule[] {
  const passing = passed.map(({ rule }) => rule);
  if (reason.kind === 'rule') return [reason.part.rule, ...passing];
  return 'rules' in reason ? [...reason.rules, ...passing] : passing;
}

/** What the rules of a level say: parts that match, and why others, or rules that may not apply, may match. */
interface Findings {
  denied: Match | undefined;
  allowed: Match[];
  passed: Match[];
  mayDeny: Doubt | undefined;
  mayAllow: Doubt | undefined;
  mayPass: Doubt | undefined;
}

interface Match {
  part: Part;
  port: PortSpec;
}

interface Doubt {
  why: string;
  rules: readonly CompiledRule[];
}

function unknown({ why, rules }: Doubt): Decision {
  return { answer: 'unknown', reason: { kind: 'unknown', why, rules: [...new Set(rules)] } };
}

const NOTHING: Findings = {
  denied: undefined,
  allowed: [],
  passed: [],
  mayDeny: undefined,
  mayAllow: undefined,
  mayPass: undefined,
};

/** The same, where it is not known whether the rules apply at all. */
function inDoubt(found: Findings, why: string): Findings {
  const doubt = (matches: readonly Match[], more: Doubt | undefined): Doubt | undefined =>
    matches.length > 0 || more
      ? { why, rules: [...matches.map(({ part }) => part.rule), ...(more?.rules ?? [])] }
      : undefined;
  return {
    ...NOTHING,
    mayDeny: doubt(found.denied ? [found.denied] : [], found.mayDeny),
    mayAllow: doubt(found.allowed, found.mayAllow),
    mayPass: doubt(found.passed, found.mayPass),
  };
}

function decideForEndpoint(engine: PolicyEngine, asked: Asked, policy: SubjectPolicy): Decision {
  const decision = decideBy(engine, asked, policy);
  if (!policy.whenOn) return decision;
  const { why, policy: other } = policy.whenOn;
  const on = decideForEndpoint(engine, asked, other);
  if (on.answer === decision.answer) return decision;
  return unknown({ why: [decision, on].map(whyUnknown).find(Boolean) ?? why, rules: rulesOf(on) });
}

function whyUnknown({ reason }: Decision): string | undefined {
  return reason.kind === 'unknown' ? reason.why : undefined;
}

function decideBy(engine: PolicyEngine, asked: Asked, { perhaps, ...own }: SubjectPolicy): Decision {
  const policy = own[asked.direction];
  const sure = testsOf(policy, engine);
  const other = perhaps && {
    why: perhaps.why,
    tests: testsOf(perhaps[asked.direction], engine),
    closedBy: perhaps[asked.direction].closedBy,
  };
  const levels = other
    ? inOrder([...sure, ...other.tests.map((level) => inDoubtAt(level, other.why))])
    : sure;
  const walk = walkLevels(levels, engine, asked);
  if (walk.goesOn) {
    const closing =
      other && other.closedBy.length > 0 ? { why: other.why, rules: other.closedBy } : undefined;
    addDefault(walk, policy, closing, engine, asked);
  }
  return conclude(walk, policy);
}

function inDoubtAt(level: LevelTests, why: string): LevelTests {
  return { ...level, of: level.of.map((each) => ({ ...each, why })) };
}

/** What was found level by level. Where something is not known there are several ends. */
interface Walk {
  ends: Decision[];
  /** No rule is sure to have decided it. */
  goesOn: boolean;
  passed: Match[];
  mayDeny: Doubt | undefined;
  mayAllow: Doubt | undefined;
  mayPass: Doubt | undefined;
  /** The part of `mayAllow` that is of rules that may not apply. */
  openAllows: Doubt | undefined;
  /** Rules of later levels that ask for authentication where one allows without. */
  auth: Doubt | undefined;
}

/** Asks tier after tier, and in each level after level: a deny goes before an allow, and that before a pass. */
function walkLevels(levels: readonly LevelTests[], engine: PolicyEngine, asked: Asked): Walk {
  const walk: Walk = {
    ...NOTHING,
    ends: [],
    goesOn: true,
    passed: [],
    openAllows: undefined,
    auth: undefined,
  };
  let [tier, here, next] = [0, true, false];
  for (const level of levels) {
    if (level.tier !== tier) [tier, here, next] = [level.tier, here || next, false];
    if (!here && !walk.ends.some(needsNoAuth)) continue;
    const found = level.of.map(({ why, tests }) => {
      const own = findingsIn(tests, engine, asked);
      return why === undefined ? own : inDoubt(own, why);
    });
    // What agents make of authentication that a later level asks for, no recording shows.
    for (const { part } of found.flatMap((each) => each.allowed))
      if (part.auth && walk.ends.some(needsNoAuth))
        walk.auth = joined(walk.auth, { why: LATER_AUTH, rules: [part.rule] });
    if (!here) continue;
    const denied = found.find((each) => each.denied)?.denied;
    if (denied) {
      walk.ends.push({ answer: 'denied', reason: { kind: 'rule', ...denied } });
      here = false;
      continue;
    }
    const allowed = found.flatMap((each) => each.allowed);
    const passed = found.flatMap((each) => each.passed);
    for (const [i, each] of found.entries()) {
      walk.mayDeny = joined(walk.mayDeny, each.mayDeny);
      walk.mayAllow = joined(walk.mayAllow, each.mayAllow);
      if (level.of[i]?.why !== undefined) walk.openAllows = joined(walk.openAllows, each.mayAllow);
      if (allowed.length > 0 || passed.length > 0 || !each.mayPass) continue;
      walk.mayPass = joined(walk.mayPass, each.mayPass);
      next = true;
    }
    const [first] = allowed;
    if (first) {
      walk.ends.push(allowedBy(first, allowed));
      here = false;
    } else if (passed.length > 0) {
      walk.passed.push(...passed);
      [here, next] = [false, true];
    }
  }
  walk.goesOn = here || next;
  return walk;
}

const LATER_AUTH = 'whether authentication that a later rule asks for still holds is not known';

function needsNoAuth({ answer, auth }: Decision): boolean {
  return answer === 'allowed' && auth === undefined;
}

/** What holds where no rule decides. */
function addDefault(
  walk: Walk,
  policy: DirectionPolicy,
  closing: Doubt | undefined,
  engine: PolicyEngine,
  { direction, peer, traffic }: Asked,
): void {
  if (engine.settings.allowLocalhost && direction === 'ingress' && isHost(peer)) {
    walk.ends.push({ answer: 'allowed', reason: { kind: 'localhost' } });
    return;
  }
  if (policy.enforced && !policy.open) {
    const remark = remarkOn(engine, policy.parts, traffic, direction);
    walk.ends.push({
      answer: 'denied',
      reason: { kind: 'default-deny', rules: policy.closedBy },
      ...(remark !== undefined && { remark }),
    });
    return;
  }
  walk.mayDeny = joined(walk.mayDeny, closing);
  walk.ends.push({
    answer: 'allowed',
    reason: { kind: policy.enforced ? 'default-allow' : 'not-enforced' },
  });
}

/** The answer, if all ends and all that may be in front of them agree. */
function conclude(walk: Walk, policy: DirectionPolicy): Decision {
  const { ends, mayDeny, mayAllow, mayPass, passed } = walk;
  const [end] = ends;
  const denies = mayDeny !== undefined || ends.some(({ answer }) => answer === 'denied');
  const allows = mayAllow !== undefined || ends.some(({ answer }) => answer === 'allowed');
  if (end && !(denies && allows) && walk.auth) return unknown(walk.auth);
  if (end && !(denies && allows))
    return {
      ...end,
      ...(passed.length > 0 && { passed: passed.map(({ part }) => part) }),
      ...(liftsDefaultDeny(end, policy) && { remark: LIFTED }),
    };
  const differ = ends.some(({ answer }) => answer !== end?.answer);
  const doubt =
    joined(end?.answer === 'denied' && !differ ? mayAllow : mayDeny, differ ? mayPass : undefined) ??
    joined(mayAllow, mayPass);
  if (!doubt) throw new Error('the ends differ without a doubt');
  const kind = end?.reason.kind;
  if (kind === 'default-allow' || kind === 'not-enforced')
    return unknown(joined(doubt, walk.openAllows) ?? doubt);
  return unknown(kind === 'default-deny' ? { ...doubt, rules: [...doubt.rules, ...policy.closedBy] } : doubt);
}

const LIFTED = 'agents ask the Baseline tier before default deny, also of pods that a NetworkPolicy selects';

/** Kubernetes lets a NetworkPolicy decide for the pods that it selects. Agents do not. */
function liftsDefaultDeny({ answer, reason }: Decision, { closedBy }: DirectionPolicy): boolean {
  return (
    answer === 'allowed' &&
    reason.kind === 'rule' &&
    reason.part.rule.level.tier === TIERS.Baseline &&
    closedBy.length > 0
  );
}

function joined(a: Doubt | undefined, b: Doubt | undefined): Doubt | undefined {
  if (!a || !b) return a ?? b;
  return { why: a.why, rules: [...a.rules, ...b.rules] };
}

/** The levels in order, those of one place together. */
function inOrder(all: readonly LevelTests[]): LevelTests[] {
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
  const found: Findings = { ...NOTHING, allowed: [], passed: [] };
  for (const { part, selections } of tests) {
    const peerFits = fitsAny(selections, asked.peer);
    if (peerFits === false) continue;
    for (const port of part.ports) {
      const fits = portFits(port, { ...asked, everyPeer: selections === undefined }, engine);
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

function allowedBy(first: Match, matching: readonly Match[]): Decision {
  // If any of the rules uses a proxy, traffic passes it.
  const proxied = matching.find(({ port }) => port.redirect);
  const auth = matching.map(({ part }) => part.auth).find((type) => type !== undefined && type > 0);
  const { part, port } = proxied ?? first;
  return {
    answer: 'allowed',
    reason: { kind: 'rule', part, port },
    ...(proxied && { proxy: proxied.part }),
    ...(auth !== undefined && { auth }),
  };
}

function testsOf(policy: DirectionPolicy, engine: PolicyEngine): readonly LevelTests[] {
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

/** Reserved identities that policy does not apply to. */
const NO_ENDPOINTS = ['world', 'world-ipv4', 'world-ipv6', 'kube-apiserver', 'unmanaged'];

/** Whether policy applies to an identity's traffic, or why that is not known. */
function policyApplies(identity: Identity, hostFirewall: boolean | undefined): boolean | string {
  if (isNode(identity))
    return hostFirewall ?? 'whether the host firewall is on is not known (--host-firewall)';
  if (identity.gap?.of === 'any') return identity.gap.why;
  return !NO_ENDPOINTS.some((name) => isReserved(identity, name)) && identity.prefixes.length === 0;
}

/** Decides a connection at both of its ends. */
export function decideConnection(
  engine: PolicyEngine,
  source: Identity,
  destination: Identity,
  traffic: Traffic,
): ConnectionDecision {
  const egress = decideDirection(engine, 'egress', source, destination, traffic);
  const ingress = decideDirection(engine, 'ingress', destination, source, traffic);
  return { answer: both(egress.answer, ingress.answer), egress, ingress };
}

function both(a: Answer, b: Answer): Answer {
  if (a === 'denied' || b === 'denied') return 'denied';
  return a === 'unknown' || b === 'unknown' ? 'unknown' : 'allowed';
}
