import type { Selection, SelectorCache } from '../selectors/selection.ts';
import { type Selector, WILDCARD } from '../selectors/selector.ts';
import {
  type CompiledRule,
  type Direction,
  type Level,
  NORMAL,
  type Part,
  type PortSpec,
  WIDE_ZERO,
} from './compile-rule.ts';

/** What a filter does with the peers of one selector. */
export interface PeerPolicy {
  selection: Selection;
  deny: boolean;
  /** It leaves the decision to the next tier. */
  pass: boolean;
  redirect: boolean;
  listener: string;
  priority: number;
  /** Undefined: not stated, so that of a broader rule applies. */
  auth: number | undefined;
  parts: readonly Part[];
}

/** A subject's rules of one level for one port (range) and protocol in one direction. */
export interface Filter {
  /** Index into the levels; beyond the last for what holds when no rule does. */
  level: number;
  protocol: number;
  port: number;
  endPort: number;
  name: string;
  peers: Map<string, PeerPolicy>;
}

/** The parts of rules of one level. */
export interface PartLevel extends Level {
  parts: readonly Part[];
}

/** A subject's rules for one direction, merged per port and protocol. */
export interface DirectionPolicy {
  /** A rule applies to this direction. Unless `open`, traffic that no rule allows is dropped. */
  enforced: boolean;
  /** No rule enables default deny, so all other traffic is allowed. */
  open: boolean;
  filters: readonly Filter[];
  parts: readonly Part[];
  /** The parts in the order in which they are asked. Network policies alone are one level. */
  levels: readonly PartLevel[];
  /** The rules that enable default deny. */
  closedBy: readonly CompiledRule[];
  /** Rules that agents cannot merge: they keep what the endpoint had before. */
  conflict?: Conflict;
}

/** Why rules cannot be merged. */
export interface Conflict {
  why: string;
  rules: readonly CompiledRule[];
}

/** Merges the rules for one direction. `partsOf` gives what a rule means for the subject. */
export function directionPolicy(
  direction: Direction,
  rules: readonly CompiledRule[],
  cache: SelectorCache,
  always: boolean,
  partsOf: (rule: CompiledRule) => readonly Part[] = (rule) => rule.parts,
): DirectionPolicy {
  const relevant = rules.filter((rule) => rule.hasRules[direction]);
  const enforced = always || relevant.length > 0;
  const closedBy = relevant.filter((rule) => rule.defaultDeny[direction]);
  const open = !always && enforced && closedBy.length === 0;
  const levels = levelsOf(relevant, direction, partsOf);
  const parts = levels.flatMap((level) => level.parts);
  const filters = filtersOf(levels, cache);
  const conflict = conflictOf([...filters.values()]);
  if (open) addAllowAll(filters, isOrdered(levels) ? levels.length : 0, cache);
  return {
    enforced,
    open,
    filters: [...filters.values()],
    parts,
    levels,
    closedBy,
    ...(conflict && { conflict }),
  };
}

/** Whether agents could merge the rules for one direction, if all of them were for the subject. */
export function conflictAmong(
  direction: Direction,
  rules: readonly CompiledRule[],
  cache: SelectorCache,
  partsOf: (rule: CompiledRule) => readonly Part[],
): Conflict | undefined {
  return conflictOf([...filtersOf(levelsOf(rules, direction, partsOf), cache).values()]);
}

function filtersOf(levels: readonly PartLevel[], cache: SelectorCache): Map<string, Filter> {
  const filters = new Map<string, Filter>();
  for (const [i, { parts }] of levels.entries())
    for (const part of parts)
      for (const port of part.ports) if (port.perhaps !== WIDE_ZERO) addPart(filters, i, part, port, cache);
  return filters;
}

/** One port has one proxy whoever the peers are, and peers of one selector have one way to authenticate. */
function conflictOf(filters: readonly Filter[]): Conflict | undefined {
  for (const filter of filters) {
    const parts = [...filter.peers.values()].flatMap((peer) => (peer.deny ? [] : peer.parts));
    const parsers = new Set(parts.flatMap((part) => parsersAt(filter, part)));
    const parsed = parts.filter((part) => parsersAt(filter, part).length > 0);
    if (parsers.size > 1) return conflict([...parsers].sort().join(' and '), parsed);
    for (const { deny, parts: own } of filter.peers.values()) {
      const stated = own.filter(({ auth }) => auth !== undefined);
      if (!deny && new Set(stated.map(({ auth }) => auth)).size > 1)
        return conflict('different ways to authenticate the same peers', stated);
    }
  }
  return undefined;
}

function conflict(what: string, parts: readonly Part[]): Conflict {
  const why = `agents cannot merge the rules of this endpoint, which ask for ${what} on one port: it keeps the policy that it had`;
  return { why, rules: [...new Set(parts.map(({ rule }) => rule))] };
}

/** What reads the traffic of a part at the port of a filter. */
function parsersAt(filter: Filter, { ports }: Part): string[] {
  return ports.flatMap((port) => {
    const here =
      port.protocol === filter.protocol &&
      port.port === filter.port &&
      port.endPort === filter.endPort &&
      port.name === filter.name;
    return (here && parserOfPort(port)) || [];
  });
}

function parserOfPort({ listener, l7 }: PortSpec): string | undefined {
  if (listener !== '') return 'a listener';
  if (l7?.dns?.length) return 'DNS';
  if (l7?.http?.length) return 'HTTP';
  return l7?.kafka?.length ? 'Kafka' : l7?.l7proto;
}

/** Whether there are rules of other levels than that of network policies. */
export function isOrdered(levels: readonly Level[]): boolean {
  return levels.some(({ tier, priority }) => tier !== NORMAL.tier || priority !== NORMAL.priority);
}

/** Which of two levels goes first: negative for the first of them. */
export function compareLevels(a: Level, b: Level): number {
  return a.tier - b.tier || a.priority - b.priority;
}

function levelsOf(
  rules: readonly CompiledRule[],
  direction: Direction,
  partsOf: (rule: CompiledRule) => readonly Part[],
): PartLevel[] {
  const levels: (Level & { parts: Part[] })[] = [];
  for (const rule of rules.toSorted((a, b) => compareLevels(a.level, b.level))) {
    const { level } = rule;
    const last = levels.at(-1);
    const own = partsOf(rule).filter((part) => part.direction === direction);
    if (last && compareLevels(last, level) === 0) last.parts.push(...own);
    else levels.push({ ...level, parts: own });
  }
  return levels;
}

/** The selectors of a part's peers; the wildcard makes all others redundant. */
export function effectivePeers({ peers }: Pick<Part, 'peers'>): readonly Selector[] {
  if (peers === undefined) return [];
  if (peers.length === 0) return [WILDCARD];
  const all = peers.some((peer) => peer.kind === 'labels' && peer.terms.length === 0);
  return all ? [WILDCARD] : peers;
}

function filterAt(filters: Map<string, Filter>, level: number, port: PortSpec): Filter {
  const key = `${level} ${port.protocol} ${port.port} ${port.endPort} ${port.name}`;
  const known = filters.get(key);
  if (known) return known;
  const { protocol, endPort, name } = port;
  const filter: Filter = { level, protocol, port: port.port, endPort, name, peers: new Map() };
  filters.set(key, filter);
  return filter;
}

function addPart(
  filters: Map<string, Filter>,
  level: number,
  part: Part,
  port: PortSpec,
  cache: SelectorCache,
): void {
  const filter = filterAt(filters, level, port);
  for (const selector of effectivePeers(part)) {
    const { redirect, listener, priority } = port;
    mergeInto(filter, {
      selection: cache.resolve(selector),
      deny: part.deny,
      pass: part.pass,
      redirect,
      listener,
      priority,
      auth: part.auth,
      parts: [part],
    });
  }
}

function addAllowAll(filters: Map<string, Filter>, level: number, cache: SelectorCache): void {
  const all = { protocol: 0, port: 0, endPort: 0, name: '', redirect: false, listener: '', priority: 0 };
  const filter = filterAt(filters, level, { ...all, l7: undefined, serverNames: [] });
  mergeInto(filter, {
    selection: cache.resolve(WILDCARD),
    deny: false,
    pass: false,
    redirect: false,
    listener: '',
    priority: 0,
    auth: undefined,
    parts: [],
  });
}

/** A deny replaces an allow, and that a pass; two of a kind are merged. */
function mergeInto(filter: Filter, added: PeerPolicy): void {
  const { key } = added.selection.selector;
  const known = filter.peers.get(key);
  const over = known ? strength(added) - strength(known) : 1;
  if (!known || over > 0) filter.peers.set(key, added);
  else if (over === 0) filter.peers.set(key, join(known, added));
}

function strength({ deny, pass }: PeerPolicy): number {
  return deny ? 2 : pass ? 0 : 1;
}

function join(a: PeerPolicy, b: PeerPolicy): PeerPolicy {
  const prefers = b.listener !== '' && (a.listener === '' || rank(b.priority) < rank(a.priority));
  // Of two proxies without a listener, that which reads more of the traffic.
  const parser = a.listener === '' && b.listener === '' && rank(b.priority) < rank(a.priority);
  return {
    ...a,
    redirect: a.redirect || b.redirect,
    listener: prefers ? b.listener : a.listener,
    priority: prefers || parser ? b.priority : a.priority,
    auth: a.auth ?? b.auth,
    parts: [...a.parts, ...b.parts],
  };
}

/** No priority counts as the lowest. */
function rank(priority: number): number {
  return priority === 0 ? 0x10000 : priority;
}

/**
 * Whether the policy for every peer makes that of one selector on the same port redundant: without an entry for the peer,
 * the wildcard entry decides.
 */
export function covers(everybody: PeerPolicy, peer: PeerPolicy): boolean {
  if (everybody.deny) return true;
  if (peer.deny) return false;
  if (peer.auth !== undefined && peer.auth !== everybody.auth) return false;
  if (peer.redirect && !everybody.redirect) return false;
  return !(peer.redirect && everybody.redirect && peer.listener !== everybody.listener);
}
