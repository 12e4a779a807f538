import { TIERS } from '../../rule.ts';
import type { CompiledRule, Direction, Part, PortSpec } from '../maps/compile-rule.ts';
import type { DirectionPolicy } from '../maps/direction-policy.ts';
import { type Identity, isHost, isNode, isReserved } from '../selectors/identities.ts';
import type { PolicyEngine, SubjectPolicy } from './engine.ts';
import {
  type Doubt,
  type Findings,
  findingsAt,
  inDoubtAt,
  inOrder,
  joined,
  type LevelTests,
  type Match,
  noFindings,
  testsOf,
} from './levels.ts';
import { type Asked, remarkOn, type Traffic } from './ports-of-traffic.ts';

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

/** Decides one direction of traffic between a subject and a peer from the rules, without a policy map. */
export function decideDirection(
  engine: PolicyEngine,
  direction: Direction,
  subject: Identity,
  peer: Identity,
  traffic: Traffic,
): Decision {
  const asked = { direction, subject, peer, traffic };
  const decision = decideAsked(engine, asked);
  const { otherBuild } = engine;
  if (!otherBuild || decision.answer === 'unknown') return decision;
  const other = decideAsked(otherBuild, asked);
  if (other.answer === decision.answer) return decision;
  const sources = new Set([decision, other].flatMap(rulesOf).map(({ source }) => source));
  return unknown({
    why: `released ${engine.release} and agents on the way to it decide this otherwise (--release ${engine.release}.0)`,
    rules: engine.rules.filter(({ source }) => sources.has(source)),
  });
}

function decideAsked(engine: PolicyEngine, asked: Asked): Decision {
  const { subject } = asked;
  const applies = policyApplies(subject, engine.settings.hostFirewall);
  const none: Decision = { answer: 'allowed', reason: { kind: 'no-endpoint' } };
  if (applies === false) return none;
  const decision = decideForEndpoint(engine, asked, engine.policyOf(subject));
  if (applies === true) return decision;
  if (decision.answer === 'allowed') {
    // Nothing says that it is no endpoint, and no rule applies if it is one.
    const anyone = subject.gap?.of === 'any' && decision.reason.kind !== 'rule';
    return anyone ? decision : none;
  }
  return unknown({ why: applies, rules: rulesOf(decision) });
}

/** The rules that decide, or that may. */
export function rulesOf({ reason, passed = [] }: Decision): readonly CompiledRule[] {
  const passing = passed.map(({ rule }) => rule);
  if (reason.kind === 'rule') return [reason.part.rule, ...passing];
  return 'rules' in reason ? [...reason.rules, ...passing] : passing;
}

function unknown({ why, rules }: Doubt): Decision {
  return { answer: 'unknown', reason: { kind: 'unknown', why, rules: [...new Set(rules)] } };
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

function decideBy(
  engine: PolicyEngine,
  asked: Asked,
  { perhaps, conflict, ...own }: SubjectPolicy,
): Decision {
  const policy = own[asked.direction];
  if (conflict) return unknown(conflict);
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

/** What was found level by level. Where something is not known there are several ends. */
interface Walk extends Pick<Findings, 'passed' | 'mayDeny' | 'mayAllow' | 'mayPass' | 'openAllows'> {
  ends: Decision[];
  /** No rule is sure to have decided it. */
  goesOn: boolean;
  /** Rules of later levels that ask for authentication where one allows without. */
  auth: Doubt | undefined;
}

/** Asks tier after tier, and in each level after level: a deny goes before an allow, and that before a pass. */
function walkLevels(levels: readonly LevelTests[], engine: PolicyEngine, asked: Asked): Walk {
  const walk: Walk = { ...noFindings(), ends: [], goesOn: true, auth: undefined };
  let [tier, here, next] = [0, true, false];
  for (const level of levels) {
    if (level.tier !== tier) [tier, here, next] = [level.tier, here || next, false];
    const plain = walk.ends.some(needsNoAuth);
    if (!here && !plain) continue;
    const found = findingsAt(level, engine, asked);
    if (plain) walk.auth = joined(walk.auth, laterAuth(found.allowed));
    if (!here) continue;
    if (found.denied) {
      walk.ends.push({ answer: 'denied', reason: { kind: 'rule', ...found.denied } });
      here = false;
      continue;
    }
    walk.mayDeny = joined(walk.mayDeny, found.mayDeny);
    walk.mayAllow = joined(walk.mayAllow, found.mayAllow);
    walk.openAllows = joined(walk.openAllows, found.openAllows);
    const [first] = found.allowed;
    if (first) {
      walk.ends.push(allowedBy(first, found.allowed));
      here = false;
    } else if (found.passed.length > 0) {
      walk.passed.push(...found.passed);
      [here, next] = [false, true];
    } else if (found.mayPass) {
      walk.mayPass = joined(walk.mayPass, found.mayPass);
      next = true;
    }
  }
  walk.goesOn = here || next;
  return walk;
}

/** What agents make of authentication that a later level asks for, no recording shows. */
function laterAuth(allowed: readonly Match[]): Doubt | undefined {
  const rules = allowed.flatMap(({ part }) => (part.auth ? [part.rule] : []));
  return rules.length > 0 ? { why: LATER_AUTH, rules } : undefined;
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
