import { type AddressRange, contains, formatRange } from '../../../lib/address.ts';
import { POD_CLUSTER, POD_NAMESPACE } from '../../../model/label.ts';
import { AGGREGATE_IDS } from '../../../model/reserved-identity.ts';
import type { Term } from '../../../model/selector.ts';
import { type Identity, isNode, isOutside, isReserved, meetsOrWhy, type Role } from './identities.ts';
import type { Among, Bounds, Selector } from './selector.ts';

/** Whether the selector selects a peer, as far as is known of it. */
export function selects(selector: Selector, peer: Identity): boolean {
  return selectsOrWhy(selector, peer) === true;
}

/** Whether the selector selects a peer, or why that is not known. */
export function selectsOrWhy(selector: Selector, peer: Identity, role: Role = 'peer'): boolean | string {
  switch (selector.kind) {
    case 'labels':
      return !isHidden(peer, selector.terms) && hasLabels(selector, peer, role);
    case 'cidr':
      return hasAddress(selector, peer);
    case 'fqdn':
      return hasName(selector, peer);
    case 'none':
      return selector.why !== undefined && mayBe(peer, selector.among ?? 'both') ? selector.why : false;
  }
}

/**
 * Whether selectors by label do not see an identity: the aggregates are only for entities and for every peer, whatever
 * labels a selector excludes.
 */
export function isHidden(peer: Identity, terms: readonly Term[]): boolean {
  if (terms.length === 0 || !AGGREGATES.has(peer.id)) return false;
  return (
    !terms.some(({ source }) => source === 'reserved') && isReserved(peer, AGGREGATES.get(peer.id) ?? '')
  );
}

const AGGREGATES: ReadonlyMap<number, string> = new Map(
  Object.entries(AGGREGATE_IDS).map(([name, id]) => [id, name]),
);
/** Identities of the agent have labels for the prefixes and names that select them. */
function isMade({ id }: Identity): boolean {
  return id < 0;
}

function hasLabels(
  { terms, family, nodes, within }: Extract<Selector, { kind: 'labels' }>,
  peer: Identity,
  role: Role,
): boolean | string {
  let unknown: string | undefined;
  for (const term of terms) {
    const split = familyOfWorld(term);
    const met =
      split !== undefined && isWhole(peer)
        ? isOfFamily(peer, split, 'whether both address families are in use is not known')
        : meetsOrWhy(peer, term, nodes ? 'subject' : role);
    if (met === false) return false;
    if (met !== true) unknown ??= met;
  }
  const inside = within === undefined ? true : isWithin(within, peer);
  if (inside === false) return false;
  if (inside !== true) unknown ??= inside;
  const fits = family === undefined ? true : isOfFamily(peer, family, true);
  return fits === true ? (unknown ?? true) : fits;
}

/** Whether the peer is within the bounds, or why that is not known. */
function isWithin({ cluster, remoteNodes, everybody, why }: Bounds, peer: Identity): boolean | string {
  if (peer.gap?.of === 'any') return peer.gap.why;
  const own = cluster ? inCluster(cluster.name, peer) : true;
  if (own === true && !everybody && (!remoteNodes || isReserved(peer, 'remote-node'))) return true;
  return why ?? own;
}

/** Pods that do not say which cluster they are of count as those of the own one. */
function inCluster(name: string | undefined, peer: Identity): boolean | string {
  const label = peer.byKey.get(POD_CLUSTER)?.value;
  if (label === undefined) {
    if (peer.gap && isNode(peer)) return peer.gap.why;
    return peer.byKey.has(POD_NAMESPACE) || (peer.gap !== undefined && !isOutside(peer));
  }
  return name === undefined ? 'the name of the cluster is not known' : label === name;
}

/** The family that a term of the identities `world-ipv4` and `world-ipv6` asks for. */
function familyOfWorld({ source, name, operator }: Term): 4 | 6 | undefined {
  if (source !== 'reserved' || operator === 'DoesNotExist' || operator === 'NotIn') return undefined;
  return name === 'world-ipv4' ? 4 : name === 'world-ipv6' ? 6 : undefined;
}

/** A host outside that is not said to be of one of the two families. */
function isWhole(peer: Identity): boolean {
  return isMade(peer) && isReserved(peer, 'world');
}

/** `then` when all known addresses are of the family. */
function isOfFamily<T>({ prefixes }: Identity, family: 4 | 6, then: T): T | false | string {
  const fitting = prefixes.filter((prefix) => prefix.family === family);
  if (prefixes.length > 0 && fitting.length === 0) return false;
  return prefixes.length > 0 && fitting.length === prefixes.length
    ? then
    : 'the address family of the peer is not known';
}

function hasAddress(selector: Extract<Selector, { kind: 'cidr' }>, peer: Identity): boolean | string {
  const { insiders, perhaps } = selector;
  if (perhaps) return peer.prefixes.some((own) => hasHole(own, selector)) ? perhaps : false;
  const sort = insiders && kindInside(peer);
  if (sort) return hasInsider(selector, insiders[sort], peer);
  if (insiders?.only) return peer.gap?.of === 'any' ? peer.gap.why : false;
  if (selector.split && !isMade(peer) && isReserved(peer, 'world')) return false;
  const whole = (own: AddressRange) => inSelector(own, selector) && !(isMade(peer) && hasHole(own, selector));
  if (peer.prefixes.some(whole)) return true;
  if (peer.gap?.of === 'any') return peer.gap.why;
  if (!isMade(peer)) return selector.prefix.length === 0 && hasNoPrefix(peer, selector.prefix.family);
  if (peer.prefixes.length === 0 && isOutside(peer)) return 'the address of the peer is not known';
  const { prefix, holes } = selector;
  const parts = peer.prefixes.some((own) => contains(own, prefix) || hasHole(own, selector));
  return parts && !peer.prefixes.some((own) => holes.some((hole) => contains(hole, own)))
    ? `it selects a part of ${peer.prefixes.map(formatRange).join(' and ')}`
    : false;
}

/** Agents give an address that has a name the labels of all prefixes around it that rules speak of: without one it is in no exception. */
function hasNoPrefix(peer: Identity, family: 4 | 6): boolean | string {
  if (peer.prefixes.length > 0) return false;
  if (isReserved(peer, family === 4 ? 'world-ipv4' : 'world-ipv6')) return true;
  return isReserved(peer, 'world') && 'the address family of the peer is not known';
}

function kindInside(peer: Identity): 'nodes' | 'pods' | undefined {
  if (peer.gap?.of === 'any') return undefined;
  if (isNode(peer)) return 'nodes';
  const isPod = !isOutside(peer) && !peer.labels.some(({ source }) => source === 'reserved');
  return isPod ? 'pods' : undefined;
}

/** Whether the selector has all addresses of a node or a pod, if it has any such peer. */
function hasInsider(
  selector: Extract<Selector, { kind: 'cidr' }>,
  has: true | string | undefined,
  { addresses = [] }: Identity,
): boolean | string {
  if (has === undefined) return false;
  const inside = addresses.filter((own) => inSelector(own, selector));
  if (inside.length === 0 && addresses.length > 0) return false;
  if (has !== true) return has;
  if (addresses.length === 0) return 'the address of the peer is not known';
  return inside.length === addresses.length || 'it selects a part of the addresses of the peer';
}

function hasName({ pattern, labels }: Extract<Selector, { kind: 'fqdn' }>, peer: Identity): boolean | string {
  if (
    peer.names.some((name) => pattern.test(name)) ||
    peer.labels.some(({ source, key }) => source === 'fqdn' && labels.includes(key))
  )
    return true;
  if (peer.gap?.of === 'any') return peer.gap.why;
  return isMade(peer) && isOutside(peer) && peer.names.length === 0
    ? 'the DNS name of the peer is not known'
    : false;
}

function mayBe(peer: Identity, among: Among): boolean {
  if (peer.gap?.of === 'any') return true;
  if (isOutside(peer)) return among !== 'pods';
  if (isNode(peer)) return among === 'hosts' || among === 'anyone';
  return among !== 'outside' && among !== 'hosts' && !peer.labels.some(({ source }) => source === 'reserved');
}

/** Whether the selector selects a part of the addresses only. */
function hasHole(own: AddressRange, selector: Extract<Selector, { kind: 'cidr' }>): boolean {
  return inSelector(own, selector) && selector.holes.some((hole) => contains(own, hole));
}

function inSelector(own: AddressRange, { prefix, holes }: Extract<Selector, { kind: 'cidr' }>): boolean {
  return contains(prefix, own) && !holes.some((hole) => contains(hole, own));
}
