import type { CompiledRule, Direction, Part, PortSpec } from '../maps/compile-rule.ts';
import { type DirectionPolicy, effectivePeers } from '../maps/direction-policy.ts';
import { type Identity, isHost, isNode, isReserved } from '../selectors/identities.ts';
import type { Selection } from '../selectors/selection.ts';
import type { Selector } from '../selectors/selector.ts';
import type { PolicyEngine } from './engine.ts';
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

const TESTS = new WeakMap<DirectionPolicy, readonly Test[]>();

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
  const decision = decideForEndpoint(engine, direction, subject, peer, traffic);
  if (applies === true) return decision;
  if (decision.answer === 'allowed') return none;
  return unknown({ why: applies, rules: rulesOf(decision) });
}

/** The rules that decide, or that may. */
export function rulesOf({ reason }: Decision): readonly CompiledRule[] {
  if (reason.kind === 'rule') return [reason.part.rule];
  return 'rules' in reason ? reason.rules : [];
}

/** What the rules say: parts that match, and why others, or rules that may be for the subject, may match. */
interface Findings {
  denied: Match | undefined;
  allowed: Match[];
  mayDeny: Doubt | undefined;
  mayAllow: Doubt | undefined;
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

/** The same, where it is not known whether the rules are for the subject at all. */
function inDoubt(found: Findings, why: string): Pick<Findings, 'mayDeny' | 'mayAllow'> {
  const doubt = (matches: readonly Match[], more: Doubt | undefined): Doubt | undefined =>
    matches.length > 0 || more
      ? { why, rules: [...matches.map(({ part }) => part.rule), ...(more?.rules ?? [])] }
      : undefined;
  return {
    mayDeny: doubt(found.denied ? [found.denied] : [], found.mayDeny),
    mayAllow: doubt(found.allowed, found.mayAllow),
  };
}

function decideForEndpoint(
  engine: PolicyEngine,
  direction: Direction,
  subject: Identity,
  peer: Identity,
  traffic: Traffic,
): Decision {
  const { [direction]: policy, perhaps } = engine.policyOf(subject);
  const asked = { direction, subject, peer, traffic };
  const sure = findingsIn(policy, engine, asked);
  if (sure.denied) return { answer: 'denied', reason: { kind: 'rule', ...sure.denied } };
  // What rules say that are for the subject only if it has labels that are not known.
  const other = perhaps && inDoubt(findingsIn(perhaps[direction], engine, asked), perhaps.why);
  const mayDeny = joined(sure.mayDeny, other?.mayDeny);
  const [first] = sure.allowed;
  const host = engine.settings.allowLocalhost && direction === 'ingress' && isHost(peer);
  if (first || host) {
    if (mayDeny) return unknown(mayDeny);
    return first ? allowedBy(first, sure.allowed) : { answer: 'allowed', reason: { kind: 'localhost' } };
  }
  const closed = policy.enforced && !policy.open;
  if (!closed) {
    const closing = perhaps && { why: perhaps.why, rules: perhaps[direction].closedBy };
    const doubt = joined(mayDeny, closing?.rules.length ? closing : undefined);
    if (doubt) return unknown(joined(doubt, other?.mayAllow) ?? doubt);
    return { answer: 'allowed', reason: { kind: policy.enforced ? 'default-allow' : 'not-enforced' } };
  }
  const mayAllow = joined(sure.mayAllow, other?.mayAllow);
  if (mayAllow) return unknown({ ...mayAllow, rules: [...mayAllow.rules, ...policy.closedBy] });
  const remark = remarkOn(engine, policy.parts, traffic, direction);
  return {
    answer: 'denied',
    reason: { kind: 'default-deny', rules: policy.closedBy },
    ...(remark !== undefined && { remark }),
  };
}

function joined(a: Doubt | undefined, b: Doubt | undefined): Doubt | undefined {
  if (!a || !b) return a ?? b;
  return { why: a.why, rules: [...a.rules, ...b.rules] };
}

function findingsIn(policy: DirectionPolicy, engine: PolicyEngine, asked: Asked): Findings {
  const found: Findings = { denied: undefined, allowed: [], mayDeny: undefined, mayAllow: undefined };
  for (const { part, selections } of testsOf(policy, engine)) {
    const peerFits = fitsAny(selections, asked.peer);
    if (peerFits === false) continue;
    for (const port of part.ports) {
      const fits = portFits(port, { ...asked, everyPeer: selections === undefined }, engine);
      if (fits === false) continue;
      if (peerFits === true && fits === true) {
        if (part.deny) return { ...found, denied: { part, port } };
        found.allowed.push({ part, port });
        continue;
      }
      const doubt = { why: String(peerFits === true ? fits : peerFits), rules: [part.rule] };
      if (part.deny) found.mayDeny = joined(found.mayDeny, doubt);
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

function testsOf(policy: DirectionPolicy, engine: PolicyEngine): readonly Test[] {
  const known = TESTS.get(policy);
  if (known) return known;
  const tests = policy.parts
    .filter((part) => part.peers !== undefined)
    .map((part) => {
      const selections = peersOf(part).map((peer) => engine.selectors.resolve(peer));
      return { part, selections: selections.some((each) => each.wildcard) ? undefined : selections };
    });
  TESTS.set(policy, tests);
  return tests;
}

/** All that may be selected: whether a wildcard has bounds may depend on the release. */
function peersOf(part: Part): readonly Selector[] {
  return part.peers?.some((peer) => peer.kind === 'labels' && peer.within)
    ? part.peers
    : effectivePeers(part);
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
