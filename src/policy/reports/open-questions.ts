import { isDeepStrictEqual } from 'node:util';
import { formatRange } from '../../lib/address.ts';
import { hasIdentity, RESERVED_IDS } from '../../model/reserved-identity.ts';
import type { Endpoint } from '../evaluate/decide/endpoint-maps.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import type { CompiledRule, Part } from '../evaluate/maps/compile-rule.ts';
import { effectivePeers } from '../evaluate/maps/direction-policy.ts';
import { type Identity, isNode, isReserved } from '../evaluate/selectors/identities.ts';
import { selectsOrWhy } from '../evaluate/selectors/match.ts';
import type { Selector } from '../evaluate/selectors/selector.ts';

/**
 * What is not known and the policy maps of the endpoints rest on, one sentence each. `peersOf` are rules whose peers are
 * counted, whether they select an endpoint or not.
 */
export function openQuestions(engine: PolicyEngine, peersOf: readonly CompiledRule[] = []): string[] {
  const found = new Set<string>();
  const uncertain = uncertainPeers(engine);
  for (const { identity: id } of engine.endpoints) {
    const identity = engine.identities.get(id);
    if (!identity) continue;
    const rules = engine.rulesFor(identity);
    if (rules.length === 0) continue;
    if (isNode(identity) && engine.settings.hostFirewall === undefined)
      found.add('whether the host firewall is on is not known (--host-firewall)');
    const { perhaps, conflict } = engine.policyOf(identity);
    if (perhaps) found.add(perhaps.why);
    if (conflict) found.add(conflict.why);
    for (const part of rules.flatMap(({ parts }) => parts)) {
      for (const why of openPeers(part, engine, uncertain)) found.add(why);
      for (const why of unknownPorts(part, identity, engine)) found.add(why);
    }
  }
  for (const part of peersOf.flatMap(({ parts }) => parts))
    for (const why of openPeers(part, engine, uncertain)) found.add(why);
  if (engine.settings.release === undefined && engine.rules.length > 0 && engine.endpoints.length > 0)
    found.add(`the release is not known, ${engine.release} is assumed (--release)`);
  for (const why of otherBuild(engine)) found.add(why);
  return [...found];
}

/** What agents of the release, or those on the way to it, make otherwise where it is not known which of them it is. */
function otherBuild(engine: PolicyEngine): string[] {
  const { release, releaseOfMaps, settings } = engine;
  if (releaseOfMaps === release) return [];
  const said = `these are the maps of an agent on the way to ${release}, as agents of ${releaseOfMaps} make them`;
  const others = engine.withSettings({ development: false });
  const differing = engine.endpoints.filter((endpoint) => !sameEntries(engine, others, endpoint));
  if (differing.length === 0) return [];
  const count = `${differing.length} of ${engine.endpoints.length} endpoints`;
  return settings.development
    ? [`${said}: a later one may make those of ${release}, which differ for ${count}`]
    : [`${said}: those of released ${release} differ for ${count} (--release ${release}.0)`];
}

function sameEntries(one: PolicyEngine, other: PolicyEngine, endpoint: Endpoint): boolean {
  return isDeepStrictEqual(one.entriesOf(endpoint), other.entriesOf(endpoint));
}

function openPeers(part: Part, engine: PolicyEngine, uncertain: readonly Identity[]): string[] {
  const open = (part.peers ?? []).flatMap((peer) => whyOpen(peer, engine, uncertain));
  return [...part.unknowns, ...open, ...missingPeers(part, engine)];
}

/** Whether something that is not known may give the part an effect that the policy maps do not show. */
export function isOpen(part: Part, engine: PolicyEngine): boolean {
  const uncertain = uncertainPeers(engine);
  return (
    part.unknowns.length > 0 ||
    (part.peers ?? []).some((peer) => whyOpen(peer, engine, uncertain).length > 0) ||
    part.ports.some(({ name, protocol }) => name !== '' && engine.portsNamed(name, protocol) === undefined)
  );
}

const UNCERTAIN = new WeakMap<PolicyEngine, readonly Identity[]>();

/** Identities that may have more labels than are known. */
function uncertainPeers(engine: PolicyEngine): readonly Identity[] {
  const known = UNCERTAIN.get(engine);
  if (known) return known;
  const found = [...engine.identities.all.values()].filter(({ gap }) => gap !== undefined);
  UNCERTAIN.set(engine, found);
  return found;
}

const OPEN = new WeakMap<PolicyEngine, Map<string, string[]>>();

/** Why it is not known of some identities whether they are selected. Each selector is looked at once. */
function whyOpen(peer: Selector, engine: PolicyEngine, uncertain: readonly Identity[]): string[] {
  const known = OPEN.get(engine) ?? new Map<string, string[]>();
  OPEN.set(engine, known);
  const found = known.get(peer.key) ?? findOpen(peer, engine, uncertain);
  known.set(peer.key, found);
  return found;
}

function findOpen(peer: Selector, engine: PolicyEngine, uncertain: readonly Identity[]): string[] {
  if (peer.kind === 'fqdn' && engine.selectors.resolve(peer).ids.length === 0)
    return ['the addresses of DNS names are not known before pods have asked for them'];
  const inside = peer.kind === 'cidr' && (peer.insiders || peer.perhaps);
  if (peer.kind !== 'labels' && !inside) return [];
  const asked =
    inside || (peer.kind === 'labels' && peer.within) ? engine.identities.all.values() : uncertain;
  const open = new Map<string, number[]>();
  for (const identity of asked) {
    const selected = selectsOrWhy(peer, identity);
    if (typeof selected !== 'string') continue;
    const ids = open.get(selected);
    if (ids) ids.push(identity.id);
    else open.set(selected, [identity.id]);
  }
  return [...open].map(([why, ids]) => why.replace('the peer', identitiesText(ids)));
}

/** The most identities that a question names. */
const NAMED = 3;

function identitiesText(ids: readonly number[]): string {
  const more = ids.length - NAMED;
  const named = ids.slice(0, NAMED).join(', ');
  return `${ids.length === 1 ? 'identity' : 'identities'} ${named}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Every cluster has reserved identities, and addresses outside, whether the state lists them or not. */
export function isAlwaysThere(peer: Selector): boolean {
  return (
    (peer.kind === 'cidr' && !peer.perhaps) ||
    (peer.kind === 'labels' && peer.terms.some(({ source }) => source === 'reserved'))
  );
}

/** Peers that every cluster has and whose entries are missing, because no identity of theirs is known. */
function missingPeers(part: Part, engine: PolicyEngine): string[] {
  const there = effectivePeers(part).filter(isAlwaysThere);
  const missing = there.filter((peer) => isMissing(peer, engine));
  // Which of the identities of the world a cluster uses depends on its address families.
  const hasWorld = there.some((peer) => !missing.includes(peer) && reservedName(peer)?.startsWith('world'));
  const names = missing
    .flatMap((peer) => (hasWorld && isWorld(peer) ? [] : (reservedName(peer) ?? [])))
    .filter((name) => hasIdentity(engine.release, RESERVED_IDS[name] ?? 0));
  const prefixes = missing.flatMap((peer) =>
    peer.kind === 'cidr' && peer.prefix.length > 0 && !peer.insiders?.only ? formatRange(peer.prefix) : [],
  );
  const ofNodes = part.peers?.some((peer) => peer.kind === 'labels' && peer.nodes)
    ? missingNodes(engine)
    : [];
  const families =
    engine.dualStack === undefined && there.some((peer) => peer.kind === 'labels' && peer.family);
  return [
    ...prefixes.map(
      (prefix) => `no identity of ${prefix} is known: agents make one for a prefix that rules name`,
    ),
    ...[...new Set([...names, ...ofNodes])].map(
      (name) => `the identity of ${name.replace(/^world-.*/, 'world')} is not known`,
    ),
    ...(families ? ['whether both address families are in use is not known'] : []),
  ];
}

/** Kinds of nodes that every cluster has, and of which no identity is known. */
function missingNodes(engine: PolicyEngine): string[] {
  return ['host', 'remote-node'].filter((name) => !hasReserved(engine, name));
}

function hasReserved(engine: PolicyEngine, ...names: string[]): boolean {
  return [...engine.identities.all.values()].some((identity) =>
    names.some((name) => isReserved(identity, name) && !isPrefix(identity)),
  );
}

function isMissing(peer: Selector, engine: PolicyEngine): boolean {
  if (peer.kind === 'labels' && peer.nodes) return false;
  // All addresses are the world.
  if (peer.kind === 'cidr' && peer.prefix.length === 0)
    return !hasReserved(engine, 'world', 'world-ipv4', 'world-ipv6');
  const found = [...engine.selectors.resolve(peer).ids].flatMap((id) => engine.identities.get(id) ?? []);
  // Prefixes outside the cluster have the labels of the world, too; CIDR rules may select nodes and pods beside them.
  if (peer.kind === 'cidr') return found.every(({ prefixes }) => prefixes.length === 0);
  return found.every(isPrefix);
}

const isPrefix = ({ labels }: Identity) => labels.some(({ source }) => source === 'cidr');

const isWorld = (peer: Selector) => /^(aggregate-)?world/.test(reservedName(peer) ?? '');

/** The name of the reserved identity that a selector asks for. */
function reservedName(peer: Selector): string | undefined {
  if (peer.kind === 'cidr') return peer.prefix.length === 0 && !peer.insiders?.only ? 'world' : undefined;
  if (peer.kind !== 'labels') return undefined;
  return peer.terms.find(({ source, operator }) => source === 'reserved' && operator !== 'DoesNotExist')
    ?.name;
}

function unknownPorts({ ports, direction }: Part, subject: Identity, engine: PolicyEngine): string[] {
  return ports.flatMap(({ name, protocol }) =>
    name !== '' &&
    engine.portsNamed(name, protocol, direction === 'ingress' ? subject : undefined) === undefined
      ? [`the port named ${name} is not known`]
      : [],
  );
}
