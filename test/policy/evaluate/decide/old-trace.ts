import type { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import type { Traffic } from '../../../../src/policy/evaluate/decide/ports-of-traffic.ts';
import type { Direction } from '../../../../src/policy/evaluate/maps/compile-rule.ts';
import type { Filter } from '../../../../src/policy/evaluate/maps/direction-policy.ts';
import {
  type Identity,
  identityOf,
  isNode,
  isReserved,
} from '../../../../src/policy/evaluate/selectors/identities.ts';

/**
 * What `policy trace` of 1.10 does otherwise than the policy maps of the same agent:
 * - `any-subject`: rules are held against peers that are no endpoints (nodes, the world, prefixes) as if they were;
 * - `deny-only`: where all rules for a direction only deny, it is not enforced, and they are passed over;
 * - `init-open`: `init` is enforced only where a rule selects it;
 * - `wildcard-first`: what holds on every port is asked before what holds on one, and in both an entry for every peer
 *   before the others, so that an allow for all goes before a deny for some.
 */
export const QUIRKS = ['any-subject', 'deny-only', 'init-open', 'wildcard-first'] as const;
export type Quirk = (typeof QUIRKS)[number];

const NO_ENDPOINTS = ['world', 'unmanaged'];

/** The verdict on a connection with these quirks; with none of them it is that of the policy maps. */
export function traceWith(
  engine: PolicyEngine,
  [source, destination]: readonly [Identity, Identity],
  traffic: Traffic,
  quirks: ReadonlySet<Quirk>,
): 'allowed' | 'denied' {
  const allows = (direction: Direction, subject: Identity, peer: Identity) =>
    directionAllows(engine, { direction, subject, peer, traffic }, quirks);
  const allowed = allows('egress', source, destination) && allows('ingress', destination, source);
  return allowed ? 'allowed' : 'denied';
}

interface Asked {
  direction: Direction;
  subject: Identity;
  peer: Identity;
  traffic: Traffic;
}

function directionAllows(engine: PolicyEngine, asked: Asked, quirks: ReadonlySet<Quirk>): boolean {
  const { direction, subject, peer, traffic } = asked;
  if (!isEndpoint(subject) && !quirks.has('any-subject')) return true;
  const { parts, filters } = engine.policyOf(asEndpoint(subject))[direction];
  const always = isReserved(subject, 'init') && !quirks.has('init-open');
  const counts = parts.filter(({ deny }) => !deny || !quirks.has('deny-only'));
  if (!always && counts.length === 0) return true;
  const onEveryPort = filters.filter(isEveryPort);
  const onPort = filters.filter(
    ({ protocol, port }) => protocol === traffic.protocol && (port === 0 || port === traffic.port),
  );
  const answers = quirks.has('wildcard-first')
    ? [answerOf(onEveryPort, peer, true), answerOf(onPort, peer, true)]
    : [answerOf([...onEveryPort, ...onPort], peer, false)];
  return answers.find((answer) => answer !== undefined) ?? false;
}

/** Whether the filters allow the peer; undefined when they say nothing of it. */
function answerOf(filters: readonly Filter[], peer: Identity, wildcardFirst: boolean): boolean | undefined {
  const all = filters.flatMap(({ peers }) => [...peers.values()]);
  const wildcards = wildcardFirst ? all.filter(({ selection }) => selection.wildcard) : [];
  const asked = wildcards.length > 0 ? wildcards : all;
  const matching = asked.filter(({ selection }) => selection.has(peer) === true);
  return matching.length === 0 ? undefined : !matching.some(({ deny }) => deny);
}

function isEveryPort({ protocol, port, name }: Filter): boolean {
  return protocol === 0 && port === 0 && name === '';
}

function isEndpoint(identity: Identity): boolean {
  const outside = identity.prefixes.length > 0 || NO_ENDPOINTS.some((name) => isReserved(identity, name));
  return !outside && !isNode(identity);
}

/** A node has only the rules with a node selector; a stand-in of its number has those that the trace holds against it. */
function asEndpoint(identity: Identity): Identity {
  return isNode(identity) ? identityOf(FIRST_STAND_IN + identity.id, ['reserved:node']) : identity;
}

const FIRST_STAND_IN = 60_000;
