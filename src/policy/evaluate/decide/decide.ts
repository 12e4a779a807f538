import type { CompiledRule, Direction, Part, PortSpec } from '../maps/compile-rule.ts';
import { type DirectionPolicy, effectivePeers } from '../maps/direction-policy.ts';
import { type Identity, isHost, isReserved } from '../selectors/identities.ts';
import type { Selection } from '../selectors/selectors.ts';
import type { PolicyEngine } from './engine.ts';

/** What rules can match in a connection besides its ends. */
export interface Traffic {
  /** Number of the IP protocol; undefined when it is not known. */
  protocol: number | undefined;
  /** Destination port, or the ICMP type. */
  port: number | undefined;
}

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
  | { kind: 'unknown'; why: string };

/** The verdict at one end of a connection, and why. */
export interface Decision {
  answer: Answer;
  reason: Reason;
  /** Allowed, but a proxy then applies the L7 rules of this part. */
  proxy?: Part;
  /** Allowed once the peers have authenticated each other. */
  auth?: number;
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
  if (!isSubject(subject, engine.settings.hostFirewall))
    return { answer: 'allowed', reason: { kind: 'no-endpoint' } };
  const policy = engine.policyOf(subject)[direction];
  if (!policy.enforced) return { answer: 'allowed', reason: { kind: 'not-enforced' } };
  const matching: { part: Part; port: PortSpec }[] = [];
  let unknown: string | undefined;
  for (const { part, selections } of testsOf(policy, engine)) {
    const peerMatches = selections === undefined || selections.some((selection) => selection.has(peer));
    const doubt = peerMatches ? undefined : doubtOf(part, peer);
    if (!peerMatches && doubt === undefined) continue;
    for (const port of part.ports) {
      const fits = portFits(port, traffic, direction, subject, peer, engine);
      if (fits === 'no') continue;
      if (peerMatches && fits === 'yes') {
        if (part.deny) return { answer: 'denied', reason: { kind: 'rule', part, port } };
        matching.push({ part, port });
      } else unknown ??= fits === 'yes' ? doubt : fits;
    }
  }
  if (unknown !== undefined && !isAllowedRegardless(matching, policy, engine, peer))
    return { answer: 'unknown', reason: { kind: 'unknown', why: unknown } };
  const host = engine.settings.allowLocalhost && direction === 'ingress' && isHost(peer);
  const [first] = matching;
  if (host && !first) return { answer: 'allowed', reason: { kind: 'localhost' } };
  if (first) return allowedBy(first, matching);
  if (policy.open) return { answer: 'allowed', reason: { kind: 'default-allow' } };
  return { answer: 'denied', reason: { kind: 'default-deny', rules: policy.closedBy } };
}

/** Why it is unknown whether a part that does not select the peer should; undefined when it is certain. */
function doubtOf({ peers, unknowns }: Part, peer: Identity): string | undefined {
  if (unknowns[0] !== undefined) return unknowns[0];
  // Identities of the agent have labels for the prefixes and names that select them.
  if (peer.id >= 0 || !isOutside(peer)) return undefined;
  const byAddress = peer.prefixes.length > 0;
  if (!byAddress && peers?.some(({ kind }) => kind === 'cidr')) return 'the address of the peer is not known';
  if (peer.names.length === 0 && peers?.some(({ kind }) => kind === 'fqdn'))
    return 'the DNS name of the peer is not known';
  return undefined;
}

function isOutside(peer: Identity): boolean {
  return ['world', 'world-ipv4', 'world-ipv6'].some((name) => isReserved(peer, name));
}

/** Whether the unknown part cannot change the answer: the traffic is allowed, and no rule might deny it. */
function isAllowedRegardless(
  matching: readonly { part: Part }[],
  policy: DirectionPolicy,
  engine: PolicyEngine,
  peer: Identity,
): boolean {
  const allowed = matching.length > 0 || policy.open;
  if (!allowed) return false;
  return !testsOf(policy, engine).some(
    ({ part, selections }) =>
      part.deny &&
      (doubtOf(part, peer) !== undefined ||
        selections === undefined ||
        selections.some((each) => each.has(peer))),
  );
}

function allowedBy(
  first: { part: Part; port: PortSpec },
  matching: readonly { part: Part; port: PortSpec }[],
): Decision {
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
      const selections = effectivePeers(part).map((peer) => engine.selectors.resolve(peer));
      return { part, selections: selections.some((each) => each.wildcard) ? undefined : selections };
    });
  TESTS.set(policy, tests);
  return tests;
}

/** `yes`, `no`, or the reason why it is unknown. */
function portFits(
  spec: PortSpec,
  traffic: Traffic,
  direction: Direction,
  subject: Identity,
  peer: Identity,
  engine: PolicyEngine,
): string {
  // A port without a protocol is a deny rule of an agent up to 1.14, which no packet meets.
  if (spec.protocol === 0) return spec.port === 0 && spec.name === '' ? 'yes' : 'no';
  if (traffic.protocol === undefined) return 'the protocol is not known';
  if (traffic.protocol !== spec.protocol) return 'no';
  let { port } = spec;
  if (spec.name !== '') {
    const named = engine.namedPort(
      direction === 'ingress' ? subject : peer,
      spec.name,
      spec.protocol,
      direction,
    );
    if (named === undefined) return `the port named ${spec.name} is not known`;
    port = named;
    if (port === 0) return 'no';
  } else if (port === 0 && (spec.endPort === 0 || spec.endPort === 0xffff)) return 'yes';
  if (traffic.port === undefined) return 'the port is not known';
  return traffic.port >= port && traffic.port <= Math.max(port, spec.endPort) ? 'yes' : 'no';
}

/** Reserved identities that policy does not apply to. */
const NO_ENDPOINTS = ['world', 'world-ipv4', 'world-ipv6', 'remote-node', 'kube-apiserver', 'unmanaged'];

/** Whether policy applies to an identity's traffic. */
function isSubject(identity: Identity, hostFirewall: boolean): boolean {
  if (isHost(identity)) return hostFirewall;
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
