import { atLeast, type Release } from '../../../model/release.ts';
import { encloses, type Identities, type Identity } from '../selectors/identities.ts';
import { EVERYBODY } from './aggregates.ts';
import type { Direction, Part } from './compile-rule.ts';
import { covers, type DirectionPolicy, type Filter, type PeerPolicy } from './direction-policy.ts';
import { ANY_L4, broaderKeys, type L4Key, l4Key, portOf, prefixOf, protocolOf } from './map-key.ts';
import { portBlocks } from './ports.ts';

/** The value of a map entry. Shared between identities, so never changed. */
export interface Verdict {
  deny: boolean;
  proxy: boolean;
  /** 0 none, 1 SPIRE, 2 always fails. */
  auth: number;
  /** A rule states the authentication; it is not inherited. */
  explicitAuth: boolean;
  parts: readonly Part[];
  /** From 1.17 on: the entry with the higher one decides. */
  precedence?: number;
}

/** Entries with the same protocol and port, by identity. Identity 0 is every peer. */
export type Bucket = Map<number, Verdict>;
export type MapState = Map<L4Key, Bucket>;

/** One entry of an endpoint's policy map. */
export interface MapEntry {
  direction: Direction;
  identity: number;
  protocol: number;
  port: number;
  /** Significant bits of the port, 0 to 16. */
  prefix: number;
  deny: boolean;
  proxy: boolean;
  auth: number;
  /** From 1.19 on maps contain it. */
  precedence?: number;
}

/** Finds a container port by name; 0 when there is none. */
export type NamedPort = (name: string, protocol: number) => number;

/** Numbers of a container port of other endpoints, by identity. */
export type EgressPorts = (name: string, protocol: number) => Iterable<[identity: number, port: number]>;

export const OPEN: Verdict = { deny: false, proxy: false, auth: 0, explicitAuth: true, parts: [] };

/** The map of one direction as agents from 1.14 to 1.16 compute it. */
export function mapState(
  policy: DirectionPolicy,
  identities: Identities,
  namedPort: NamedPort,
  allowHost: boolean,
): MapState {
  const allows: MapState = new Map();
  if (!policy.enforced) {
    put(allows, ANY_L4, EVERYBODY, OPEN);
    return allows;
  }
  const denies: MapState = new Map();
  for (const filter of policy.filters) addFilter(filter, allows, denies, namedPort);
  if (allowHost) put(allows, ANY_L4, 1, OPEN);
  if (denies.size > 0) preferDenials(allows, denies, identities);
  if (anyExplicitAuth(allows)) spreadAuth(allows);
  for (const [key, bucket] of denies) for (const [id, verdict] of bucket) put(allows, key, id, verdict);
  return allows;
}

function put(state: MapState, key: L4Key, id: number, verdict: Verdict): void {
  const bucket = state.get(key);
  if (!bucket) state.set(key, new Map([[id, verdict]]));
  else {
    const known = bucket.get(id);
    bucket.set(id, known && known !== verdict ? mergeVerdicts(known, verdict) : verdict);
  }
}

/** Merges entries of one key: deny wins, proxy wins, a stated authentication wins, and the stricter of two. */
export function mergeVerdicts(a: Verdict, b: Verdict): Verdict {
  if (a.deny !== b.deny) return a.deny ? a : b;
  const stated = [a, b].filter((verdict) => verdict.explicitAuth);
  return {
    deny: a.deny,
    proxy: a.proxy || b.proxy,
    auth: Math.max(...(stated.length > 0 ? stated : [b]).map((verdict) => verdict.auth)),
    explicitAuth: stated.length > 0,
    parts: [...new Set([...a.parts, ...b.parts])],
  };
}

function addFilter(filter: Filter, allows: MapState, denies: MapState, namedPort: NamedPort): void {
  const port = filter.name === '' ? filter.port : namedPort(filter.name, filter.protocol);
  if (filter.name !== '' && port === 0) return;
  const keys = portBlocks(port, filter.endPort).map((block) => l4Key(filter.protocol, block));
  const everybody = [...filter.peers.values()].find((peer) => peer.selection.wildcard);
  for (const peer of filter.peers.values()) {
    const besideAll = port !== 0 && everybody !== undefined && peer !== everybody;
    if (besideAll && covers(everybody, peer)) continue;
    const redirect = !peer.deny && (peer.redirect || (besideAll && everybody.redirect));
    const verdict = verdictOf(peer, redirect);
    const state = peer.deny ? denies : allows;
    for (const key of keys) {
      if (peer.selection.wildcard) put(state, key, EVERYBODY, verdict);
      else for (const id of peer.selection.ids) put(state, key, id, verdict);
    }
  }
}

export function verdictOf(peer: PeerPolicy, proxy: boolean): Verdict {
  const auth = peer.deny ? undefined : peer.auth;
  return { deny: peer.deny, proxy, auth: auth ?? 0, explicitAuth: auth !== undefined, parts: peer.parts };
}

/**
 * Makes deny entries win. The datapath up to 1.16 looks first for the peer's entry with a port, then for the wildcard's. So
 * a deny entry with a broader port or more peers is copied for each narrower allow entry that would be found first.
 */
function preferDenials(allows: MapState, denies: MapState, identities: Identities): void {
  dropCoveredDenials(denies);
  const changed = dropDeniedAllows(allows, denies, identities);
  const copies = copyDenials(allows, denies, identities);
  for (const [key, id, verdict] of [...changed, ...copies]) put(denies, key, id, verdict);
}

/** Removes deny entries that one with a broader port covers, for every peer or for the same. */
function dropCoveredDenials(denies: MapState): void {
  for (const [key, bucket] of denies) {
    const broader = broaderKeys(key).flatMap((above) => denies.get(above) ?? []);
    const everybody = bucket.has(EVERYBODY) || broader.some((above) => above.has(EVERYBODY));
    for (const id of bucket.keys()) {
      const byAll = id === EVERYBODY ? broader.some((above) => above.has(EVERYBODY)) : everybody;
      if (byAll || broader.some((above) => above.has(id))) bucket.delete(id);
    }
    if (bucket.size === 0) denies.delete(key);
  }
}

type Change = [L4Key, number, Verdict];

/** Removes allow entries that a deny entry covers. One that only the deny of a wider CIDR covers becomes a deny entry. */
function dropDeniedAllows(allows: MapState, denies: MapState, identities: Identities): Change[] {
  const changes: Change[] = [];
  for (const [key, bucket] of allows) {
    const above = [key, ...broaderKeys(key)].flatMap((each) => denies.get(each) ?? []);
    if (above.length === 0) continue;
    const prefixed = above.flatMap((denied) => prefixedIn(denied, identities));
    for (const id of bucket.keys()) {
      if (above.some((denied) => denied.has(EVERYBODY) || denied.has(id))) bucket.delete(id);
      else {
        const peer = identities.get(id);
        const wider =
          peer && peer.prefixes.length > 0 && prefixed.find(({ identity }) => encloses(identity, peer));
        if (!wider) continue;
        bucket.delete(id);
        changes.push([key, id, wider.verdict]);
      }
    }
    if (bucket.size === 0) allows.delete(key);
  }
  return changes;
}

interface Prefixed {
  identity: Identity;
  verdict: Verdict;
}

/** The identities of a bucket that stand for prefixes. */
function prefixedIn(bucket: Bucket, identities: Identities): Prefixed[] {
  const found: Prefixed[] = [];
  for (const [id, verdict] of bucket) {
    const identity = id === EVERYBODY ? undefined : identities.get(id);
    if (identity && identity.prefixes.length > 0) found.push({ identity, verdict });
  }
  return found;
}

function copyDenials(allows: MapState, denies: MapState, identities: Identities): Change[] {
  const changes: Change[] = [];
  for (const [key, allowed] of allows) {
    for (const above of broaderKeys(key)) {
      const denied = denies.get(above);
      if (denied) repeatForNarrowerPort(key, allowed, denied, identities, changes);
    }
  }
  for (const [key, denied] of denies) {
    for (const above of broaderKeys(key)) {
      const allowed = allows.get(above);
      if (allowed) repeatForEachPeer(key, allowed, denied, identities, changes);
    }
  }
  return changes;
}

/** `denied` has a broader port than `allowed`, which is for more peers: deny its peers the narrower port too. */
function repeatForNarrowerPort(
  key: L4Key,
  allowed: Bucket,
  denied: Bucket,
  identities: Identities,
  changes: Change[],
): void {
  const wide = allowed.has(EVERYBODY) ? undefined : prefixedIn(allowed, identities);
  if (wide?.length === 0) return;
  for (const [id, verdict] of denied) {
    if (id === EVERYBODY) continue;
    const peer = wide && identities.get(id);
    const enclosed = peer && wide.some(({ identity }) => encloses(identity, peer));
    if (!wide || enclosed) changes.push([key, id, verdict]);
  }
}

/** `allowed` has a broader port than `denied`, which is for more peers: deny each of those peers the port. */
function repeatForEachPeer(
  key: L4Key,
  allowed: Bucket,
  denied: Bucket,
  identities: Identities,
  changes: Change[],
): void {
  const everybody = denied.get(EVERYBODY);
  const wide = everybody ? [] : prefixedIn(denied, identities);
  if (!everybody && wide.length === 0) return;
  for (const id of allowed.keys()) {
    if (id === EVERYBODY) continue;
    const peer = everybody ? undefined : identities.get(id);
    const verdict =
      everybody ??
      (peer && wide.find(({ identity }) => identity.id !== id && encloses(identity, peer))?.verdict);
    if (verdict) changes.push([key, id, verdict]);
  }
}

function anyExplicitAuth(state: MapState): boolean {
  for (const bucket of state.values())
    for (const verdict of bucket.values()) if (verdict.explicitAuth) return true;
  return false;
}

/** Entries without a stated authentication inherit it from the narrowest broader entry that states one. */
function spreadAuth(allows: MapState): void {
  const inherited: Change[] = [];
  for (const [key, bucket] of allows) {
    const broader = broaderKeys(key).flatMap((above) => allows.get(above) ?? []);
    for (const [id, verdict] of bucket) {
      if (verdict.explicitAuth) continue;
      const from = statedFor(id, bucket, broader);
      if (from) inherited.push([key, id, { ...verdict, auth: from.auth }]);
      else if (id === EVERYBODY) inherited.push(...perPeer(key, verdict, allows));
    }
  }
  for (const [key, id, verdict] of inherited) allows.get(key)?.set(id, verdict);
}

/** The entry whose authentication `id` inherits: of the same peer, then of every peer, narrowest port first. */
function statedFor(id: number, bucket: Bucket, broader: readonly Bucket[]): Verdict | undefined {
  const candidates =
    id === EVERYBODY
      ? broader.map((above) => above.get(EVERYBODY))
      : [...broader.map((above) => above.get(id)), ...[bucket, ...broader].map((b) => b.get(EVERYBODY))];
  return candidates.find((verdict) => verdict?.explicitAuth);
}

/** A peer that needs authentication on every port also needs it on a port that is open to every peer. */
function perPeer(key: L4Key, verdict: Verdict, allows: MapState): Change[] {
  const changes: Change[] = [];
  for (const [id, peer] of allows.get(ANY_L4) ?? []) {
    if (id === EVERYBODY || !peer.explicitAuth || allows.get(key)?.has(id)) continue;
    const parts = [...peer.parts, ...verdict.parts];
    changes.push([
      key,
      id,
      { deny: false, proxy: verdict.proxy, auth: peer.auth, explicitAuth: false, parts },
    ]);
  }
  return changes;
}

/** The entries in the order in which `policy maps` prints them: identity, protocol, port, prefix. */
export function entriesOf(direction: Direction, state: MapState, release: Release): MapEntry[] {
  const entries: MapEntry[] = [];
  const written = atLeast(release, '1.19');
  for (const [key, bucket] of state) {
    const at = { protocol: protocolOf(key), port: portOf(key), prefix: prefixOf(key) };
    for (const [identity, { deny, proxy, auth, precedence }] of bucket)
      entries.push({
        direction,
        identity,
        ...at,
        deny,
        proxy,
        auth,
        ...(precedence !== undefined && written && { precedence }),
      });
  }
  return entries.sort(
    (a, b) => a.identity - b.identity || a.protocol - b.protocol || a.port - b.port || a.prefix - b.prefix,
  );
}
