import { UserError } from '../../../errors.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import { type AggregateOf, ALL_AGGREGATES, EVERYBODY } from './aggregates.ts';
import { type DirectionPolicy, type Filter, isOrdered, type PeerPolicy } from './direction-policy.ts';
import { ANY_L4, broaderKeys, includesKey, type L4Key, l4Key, prefixOf } from './map-key.ts';
import { PassMap } from './pass-map.ts';
import type { Bucket, EgressPorts, MapState, NamedPort } from './policy-map.ts';
import { portBlocks } from './ports.ts';
import {
  ALLOW,
  add,
  DENY,
  type Entry,
  equivalent,
  PASS,
  precedence,
  precedenceOf,
  withoutListener,
} from './precedence-entry.ts';
import { type Priorities, prioritiesOf } from './priorities.ts';

/** Up to 1.19 the priority of what holds when no rule does. */
const DEFAULT_PRIORITY_1_19 = 1;

/**
 * The map of releases whose datapath compares entries by precedence (1.17 on). It looks a peer up by its own identity
 * and by its aggregate, and takes the entry with the higher precedence, then that with the narrower port, then the
 * peer's own. So an entry is left out when one with a broader or equal port, for the same peer or its aggregate, has a
 * higher precedence.
 */
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
  const closed = policy.enforced && !policy.open;
  const open = policy.filters.some((filter) => [...filter.peers.values()].some(isDefault));
  // From 1.20 on the own node is allowed by a rule of its own, which exists only beside others.
  const hostRule = allowHost && (!folds || (policy.parts.length > 0 && closed));
  const passes = policy.parts.some(({ pass }) => pass);
  const denyRule = passes && closed;
  const features = featuresOf(policy);
  if (passes && features.auth)
    throw new UserError(
      'the map of an endpoint with rules that pass and rules that ask for authentication is not computed',
      {
        hint: 'No recording shows what agents write then. "cilium policy simulate" still decides each connection.',
      },
    );
  const priorities: Priorities = folds
    ? prioritiesOf(policy.levels, open || hostRule || denyRule)
    : { levels: [], tiers: [], defaults: atLeast(release, '1.19') ? DEFAULT_PRIORITY_1_19 : 0 };
  const map = new PrecedenceMap(options.aggregateOf, folds, {
    ...features,
    ...((open && atLeast(release, '1.19')) || (folds && hostRule) || isOrdered(policy.levels)
      ? { precedence: true }
      : {}),
  });
  const writer = passes ? new PassWriter(new PassMap(options.aggregateOf), map.everybody, priorities) : map;
  if (!policy.enforced) map.insert(ANY_L4, map.everybody, allow(precedence(0, ALLOW)));
  else {
    for (const filter of policy.filters) addFilter(filter, writer, { ...options, priorities });
    if (hostRule) writer.insertHost(allow(precedence(folds ? priorities.defaults : 0, ALLOW)));
    if (denyRule)
      writer.insert(ANY_L4, writer.everybody, {
        ...allow(precedence(priorities.defaults + (hostRule ? 1 : 0), DENY)),
        deny: true,
      });
  }
  return writer.state;
}

/** What entries are written to. `level` is that of the rule, past the last for what holds when no rule does. */
interface Writer {
  readonly everybody: readonly number[];
  readonly state: MapState;
  insert(key: L4Key, ids: Iterable<number>, entry: Entry, level?: number): void;
  insertHost(entry: Entry): void;
  insertPass?(key: L4Key, ids: Iterable<number>, level: number): void;
}

/** Writes the entries of a policy in which rules pass. */
class PassWriter implements Writer {
  constructor(
    readonly map: PassMap,
    readonly everybody: readonly number[],
    readonly priorities: Priorities,
  ) {}

  get state(): MapState {
    return this.map.state;
  }

  insert(key: L4Key, ids: Iterable<number>, entry: Entry, level = Number.POSITIVE_INFINITY): void {
    this.map.insert(key, ids, entry, precedence(this.#firstOf(level), DENY));
  }

  insertHost(entry: Entry): void {
    this.insert(ANY_L4, [1], entry);
  }

  insertPass(key: L4Key, ids: Iterable<number>, level: number): void {
    const { levels, tiers, defaults } = this.priorities;
    this.map.insertPass(key, ids, {
      precedence: precedence(levels[level] ?? defaults, PASS),
      highest: precedence(this.#firstOf(level), DENY),
      lowest: precedence((tiers[level]?.next ?? defaults) - 1, PASS),
    });
  }

  /** The first priority of the tier. */
  #firstOf(level: number): number {
    return this.priorities.tiers[level]?.first ?? this.priorities.defaults;
  }
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

interface FilterOptions extends PrecedenceOptions {
  priorities: Priorities;
}

function addFilter(filter: Filter, map: Writer, options: FilterOptions): void {
  const everybody = [...filter.peers.values()].find((peer) => peer.selection.wildcard);
  const byPeer = filter.name !== '' && options.egressPorts !== undefined;
  const port = filter.name === '' || byPeer ? filter.port : options.namedPort(filter.name, filter.protocol);
  if (filter.name !== '' && !byPeer && port === 0) return;
  for (const peer of filter.peers.values()) {
    const besideAll = everybody !== undefined && peer !== everybody && (byPeer || port !== 0);
    const entry = entryOf(peer, filter, options);
    const covered =
      besideAll && peer.pass === everybody.pass && equivalent(entry, entryOf(everybody, filter, options));
    if (covered) continue;
    const put = (key: L4Key, ids: Iterable<number>) =>
      peer.pass ? map.insertPass?.(key, ids, filter.level) : map.insert(key, ids, entry, filter.level);
    if (byPeer) addNamed(filter, peer, put, options.egressPorts);
    else
      for (const block of portBlocks(port, filter.endPort))
        put(l4Key(filter.protocol, block), peer.selection.wildcard ? map.everybody : peer.selection.ids);
  }
}

/** Egress to a port name: each peer has its own number, and peers without the name have no entry. */
function addNamed(
  filter: Filter,
  { selection }: PeerPolicy,
  put: (key: L4Key, ids: Iterable<number>) => void,
  ports: EgressPorts | undefined,
): void {
  for (const [id, port] of ports?.(filter.name, filter.protocol) ?? [])
    if (selection.wildcard || selection.ids.includes(id))
      put(l4Key(filter.protocol, { port, prefix: 16 }), [id]);
}

function entryOf(peer: PeerPolicy, { level }: Filter, { priorities }: FilterOptions): Entry {
  const priority = isDefault(peer) ? priorities.defaults : (priorities.levels[level] ?? 0);
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

type Entries = Map<number, Entry>;

class PrecedenceMap implements Writer {
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

  insert(key: L4Key, ids: Iterable<number>, entry: Entry): void {
    this.#insert(key, ids, entry, this.features);
  }

  #insert(key: L4Key, ids: Iterable<number>, entry: Entry, features: Features): void {
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
    this.#insert(ANY_L4, [1], entry, { precedence: true, auth: true });
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
