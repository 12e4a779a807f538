import { atLeast, type Release } from '../../../model/release.ts';
import { type AggregateOf, ALL_AGGREGATES, EVERYBODY } from './aggregates.ts';
import type { DirectionPolicy, Filter, PeerPolicy } from './direction-policy.ts';
import { ANY_L4, broaderKeys, includesKey, type L4Key, l4Key, prefixOf } from './map-key.ts';
import type { Bucket, EgressPorts, MapState, NamedPort, Verdict } from './policy-map.ts';
import { portBlocks } from './ports.ts';

/**
 * The map of releases whose datapath compares entries by precedence (1.18 on). It looks a peer up by its own identity
 * and by its aggregate, and takes the entry with the higher precedence, then that with the narrower port, then the
 * peer's own. So an entry is left out when one with a broader or equal port, for the same peer or its aggregate, has a
 * higher precedence.
 */
export interface Entry extends Verdict {
  /** See `precedenceOf`. */
  precedence: number;
  /** Which proxy a redirect goes to. */
  listener: string;
}

/** What precedences are made of: the priority of the rule, inverted, and what it does. */
const LOWEST_PRIORITY = 0xffffff;
const DENY = 255;
const REDIRECT = 2;
const ALLOW = 1;
/** The priority of what holds when no rule does: allow all, or allow the own node. */
const DEFAULT_PRIORITY_1_19 = 1;
const DEFAULT_PRIORITY = 10;

function precedence(priority: number, byte: number): number {
  return (LOWEST_PRIORITY - priority) * 256 + byte;
}

/** Within one priority: deny first, then redirects by the priority of their listener, then allow. */
function precedenceOf(peer: PeerPolicy, priority: number): number {
  if (peer.deny) return precedence(priority, DENY);
  if (!peer.redirect) return precedence(priority, ALLOW);
  return precedence(priority, peer.priority > 0 ? DENY - peer.priority : REDIRECT);
}

/** Whether two entries are of rules with one priority, so that they are merged when they meet. */
function sameLevel(a: Entry, b: Entry): boolean {
  return Math.floor(a.precedence / 256) === Math.floor(b.precedence / 256) && a.deny === b.deny;
}

/** Precedence without the listener's part. */
function withoutListener({ precedence: value }: Entry): number {
  return value - (value % 256) + ALLOW;
}

export interface PrecedenceOptions {
  release: Release;
  allowHost: boolean;
  aggregateOf: AggregateOf;
  /** The number of a container port of the endpoint itself. */
  namedPort: NamedPort;
  /** Numbers of a container port of others, by identity. Undefined: ports are those of the endpoint itself. */
  egressPorts: EgressPorts | undefined;
}

/** Builds the map of one direction. */
export function precedenceMap(policy: DirectionPolicy, options: PrecedenceOptions): MapState {
  const { release, allowHost } = options;
  const folds = atLeast(release, '1.20');
  const open = policy.filters.some((filter) => [...filter.peers.values()].some(isDefault));
  // From 1.20 on the own node is allowed by a rule of its own, which exists only beside others.
  const hostRule = allowHost && (!folds || (policy.parts.length > 0 && !policy.open));
  const map = new PrecedenceMap(options.aggregateOf, folds, {
    ...featuresOf(policy),
    ...((open && atLeast(release, '1.19')) || (folds && hostRule) ? { precedence: true } : {}),
  });
  if (!policy.enforced) map.insert(ANY_L4, map.everybody, allow(precedence(0, ALLOW)));
  else {
    for (const filter of policy.filters) addFilter(filter, map, options);
    if (hostRule) map.insertHost(allow(precedence(folds ? DEFAULT_PRIORITY : 0, ALLOW)));
  }
  return map.state;
}

function allow(value: number): Entry {
  return { ...NOTHING, precedence: value };
}

const NOTHING = { deny: false, proxy: false, auth: 0, explicitAuth: false, parts: [], listener: '' };

/** Allow all, added because no rule enables default deny. */
function isDefault(peer: PeerPolicy): boolean {
  return peer.parts.length === 0;
}

interface Features {
  /** Some entries take precedence over others. */
  precedence: boolean;
  /** A rule states the authentication. */
  auth: boolean;
}

function featuresOf({ filters }: DirectionPolicy): Features {
  const peers = filters.flatMap((filter) => [...filter.peers.values()]);
  return {
    precedence: peers.some(({ deny, redirect }) => deny || redirect),
    auth: peers.some(({ deny, auth }) => !deny && auth !== undefined),
  };
}

function addFilter(filter: Filter, map: PrecedenceMap, options: PrecedenceOptions): void {
  const everybody = [...filter.peers.values()].find((peer) => peer.selection.wildcard);
  const byPeer = filter.name !== '' && options.egressPorts !== undefined;
  const port = filter.name === '' || byPeer ? filter.port : options.namedPort(filter.name, filter.protocol);
  if (filter.name !== '' && !byPeer && port === 0) return;
  for (const peer of filter.peers.values()) {
    const besideAll = everybody !== undefined && peer !== everybody && (byPeer || port !== 0);
    const entry = entryOf(peer, options.release);
    if (besideAll && equivalent(entry, entryOf(everybody, options.release))) continue;
    if (byPeer) addNamed(filter, peer, entry, map, options.egressPorts);
    else
      for (const block of portBlocks(port, filter.endPort)) {
        const ids = peer.selection.wildcard ? map.everybody : peer.selection.ids;
        map.insert(l4Key(filter.protocol, block), ids, entry);
      }
  }
}

/** Egress to a port name: each peer has its own number, and peers without the name have no entry. */
function addNamed(
  filter: Filter,
  { selection }: PeerPolicy,
  entry: Entry,
  map: PrecedenceMap,
  ports: EgressPorts | undefined,
): void {
  for (const [id, port] of ports?.(filter.name, filter.protocol) ?? [])
    if (selection.wildcard || selection.ids.includes(id))
      map.insert(l4Key(filter.protocol, { port, prefix: 16 }), [id], entry);
}

function entryOf(peer: PeerPolicy, release: Release): Entry {
  const fallback = atLeast(release, '1.20') ? DEFAULT_PRIORITY : DEFAULT_PRIORITY_1_19;
  const priority = isDefault(peer) && atLeast(release, '1.19') ? fallback : 0;
  const auth = peer.deny ? undefined : peer.auth;
  return {
    deny: peer.deny,
    proxy: !peer.deny && peer.redirect,
    auth: auth ?? 0,
    explicitAuth: auth !== undefined,
    parts: peer.parts,
    precedence: precedenceOf(peer, priority),
    listener: peer.listener,
  };
}

/** Whether two entries do the same, so that one of them can be left out beside the other. */
function equivalent(a: Entry, b: Entry): boolean {
  return (
    a.precedence === b.precedence &&
    a.proxy === b.proxy &&
    a.listener === b.listener &&
    a.auth === b.auth &&
    a.explicitAuth === b.explicitAuth
  );
}

type Entries = Map<number, Entry>;

class PrecedenceMap {
  readonly #buckets = new Map<L4Key, Entries>();
  /** The identities under which an entry for every peer is written. */
  readonly everybody: readonly number[];

  constructor(
    readonly aggregateOf: AggregateOf,
    /** An entry for a peer is left out when that for its aggregate on the same port is equivalent. */
    readonly folds: boolean,
    readonly features: Features,
  ) {
    this.everybody = folds ? ALL_AGGREGATES : [EVERYBODY];
  }

  get state(): MapState {
    const state: MapState = new Map();
    for (const [key, entries] of this.#buckets)
      if (entries.size > 0) state.set(key, entries satisfies Bucket);
    return state;
  }

  insert(key: L4Key, ids: Iterable<number>, entry: Entry, features = this.features): void {
    const own = this.#buckets.get(key) ?? new Map<number, Entry>();
    this.#buckets.set(key, own);
    const level = {
      key,
      own,
      above: this.#above(key),
      below: features.precedence || features.auth ? this.#below(key) : [],
    };
    for (const id of ids) {
      if (this.folds && this.#hasEquivalentAggregate(id, entry, own)) continue;
      if (entry.deny) this.#insertDeny(id, entry, level);
      else if (features.auth) this.#insertWithAuth(id, entry, level);
      else this.#insertAllow(id, entry, level, features);
      if (this.folds) this.#foldInto(id, entry, own);
    }
  }

  /** The own node is always allowed, whatever the rules have of it. */
  insertHost(entry: Entry): void {
    this.insert(ANY_L4, [1], entry, { precedence: true, auth: true });
  }

  #above(key: L4Key): Entries[] {
    return broaderKeys(key).flatMap((each) => this.#buckets.get(each) ?? []);
  }

  /** Entries of narrower ports, broadest first. */
  #below(key: L4Key): Entries[] {
    return [...this.#buckets]
      .filter(([each]) => each !== key && includesKey(key, each))
      .sort(([a], [b]) => prefixOf(a) - prefixOf(b))
      .map(([, entries]) => entries);
  }

  #insertDeny(id: number, entry: Entry, { own, above, below }: Level): void {
    const aggregate = this.aggregateOf(id);
    const hides = (found: Entry | undefined) => found !== undefined && found.precedence >= entry.precedence;
    if (above.some((entries) => hides(entries.get(aggregate)) || hides(entries.get(id)))) return;
    if (id !== aggregate && hides(own.get(aggregate))) return;
    const known = own.get(id);
    if (known && known.precedence > entry.precedence) return;
    for (const entries of below) this.#remove(id, entries, (found) => found.precedence <= entry.precedence);
    this.#remove(id, own, (found, of) =>
      of === id ? found.precedence < entry.precedence : found.precedence <= entry.precedence,
    );
    add(own, id, entry);
  }

  #insertAllow(id: number, entry: Entry, { own, above, below }: Level, features: Features): void {
    if (features.precedence) {
      const aggregate = this.aggregateOf(id);
      const hides = (found: Entry | undefined) => found !== undefined && found.precedence > entry.precedence;
      for (const entries of [own, ...above])
        if (hides(entries.get(aggregate)) || hides(entries.get(id))) return;
      for (const entries of [own, ...below])
        this.#remove(id, entries, (found) => found.precedence < entry.precedence);
    }
    add(own, id, entry);
  }

  /** Entries without a stated authentication take that of the narrowest broader entry of the same peer that states one. */
  #insertWithAuth(id: number, given: Entry, { own, above, below }: Level): void {
    let entry = given;
    let derived = false;
    for (const entries of [own, ...above]) {
      const found = entries.get(id);
      if (!found) continue;
      if (found.precedence > entry.precedence) {
        if (found.deny || !entry.explicitAuth) return;
        entry = { ...entry, proxy: found.proxy, listener: found.listener, precedence: found.precedence };
        break;
      }
      const states = found.explicitAuth && entries !== own;
      if (states && !derived && !entry.explicitAuth && withoutListener(found) >= withoutListener(entry)) {
        entry = { ...entry, auth: found.auth };
        derived = true;
      }
    }
    this.#passAuthOn(id, entry, own, below);
    add(own, id, entry);
  }

  #passAuthOn(id: number, entry: Entry, own: Entries, below: readonly Entries[]): void {
    let reached = false;
    for (const entries of [own, ...below]) {
      let found = entries.get(id);
      if (!found) continue;
      if (found.precedence < entry.precedence) {
        if (!found.explicitAuth) {
          entries.delete(id);
          continue;
        }
        found = { ...found, proxy: entry.proxy, listener: entry.listener, precedence: entry.precedence };
        entries.set(id, found);
      }
      if (reached || !entry.explicitAuth || entries === own) continue;
      if (found.deny || found.explicitAuth) reached = true;
      else entries.set(id, { ...found, auth: entry.auth });
    }
  }

  /** Removes the entry of a peer, and of all that it stands for when it is an aggregate. */
  #remove(id: number, entries: Entries, unwanted: (found: Entry, of: number) => boolean): void {
    if (this.aggregateOf(id) !== id) {
      const found = entries.get(id);
      if (found && unwanted(found, id)) entries.delete(id);
      return;
    }
    for (const [other, found] of entries)
      if (this.aggregateOf(other) === id && unwanted(found, other)) entries.delete(other);
  }

  #hasEquivalentAggregate(id: number, entry: Entry, own: Entries): boolean {
    const aggregate = this.aggregateOf(id);
    const found = aggregate === id ? undefined : own.get(aggregate);
    return found !== undefined && equivalent(found, entry);
  }

  #foldInto(id: number, entry: Entry, own: Entries): void {
    if (this.aggregateOf(id) !== id) return;
    for (const [other, found] of own)
      if (other !== id && this.aggregateOf(other) === id && equivalent(found, entry)) own.delete(other);
  }
}

interface Level {
  own: Entries;
  above: readonly Entries[];
  below: readonly Entries[];
}

/** Adds an entry; one of the same priority is merged with that which is there, else the higher precedence wins. */
function add(own: Entries, id: number, entry: Entry): void {
  const known = own.get(id);
  if (!known) own.set(id, entry);
  else if (sameLevel(known, entry)) own.set(id, merged(known, entry));
  else if (known.precedence < entry.precedence) own.set(id, entry);
}

function merged(known: Entry, entry: Entry): Entry {
  if (known === entry) return known;
  const parts = [...new Set([...known.parts, ...entry.parts])];
  if (known.deny) return { ...known, parts };
  const proxied = entry.proxy && entry.precedence > known.precedence ? entry : known;
  const stated = entry.explicitAuth === known.explicitAuth ? entry.auth > known.auth : entry.explicitAuth;
  const authenticated = stated ? entry : known;
  return {
    deny: false,
    proxy: proxied.proxy,
    listener: proxied.listener,
    precedence: proxied.precedence,
    auth: authenticated.auth,
    explicitAuth: authenticated.explicitAuth,
    parts,
  };
}

/** The entry that the datapath finds for a packet; undefined means that it is dropped. */
export function lookupByPrecedence(
  state: MapState,
  identity: number,
  aggregate: number,
  key: L4Key,
): Verdict | undefined {
  const keys = [key, ...broaderKeys(key)];
  const find = (id: number) => {
    const at = keys.findIndex((each) => state.get(each)?.has(id));
    const verdict = state.get(keys[at] ?? -1)?.get(id);
    return verdict && { verdict, at };
  };
  const [own, all] = [find(identity), find(aggregate)];
  if (!own || !all) return (own ?? all)?.verdict;
  const difference = (own.verdict.precedence ?? 0) - (all.verdict.precedence ?? 0);
  if (difference !== 0) return difference > 0 ? own.verdict : all.verdict;
  return all.at < own.at ? all.verdict : own.verdict;
}
