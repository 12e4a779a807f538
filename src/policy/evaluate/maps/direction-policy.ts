import type { Selection, SelectorCache } from '../selectors/selection.ts';
import { type Selector, WILDCARD } from '../selectors/selector.ts';
import type { CompiledRule, Direction, Part, PortSpec } from './compile-rule.ts';

/** What a filter does with the peers of one selector. */
export interface PeerPolicy {
  selection: Selection;
  deny: boolean;
  redirect: boolean;
  listener: string;
  priority: number;
  /** Undefined: not stated, so that of a broader rule applies. */
  auth: number | undefined;
  parts: readonly Part[];
}

/** A subject's rules for one port (range) and protocol in one direction. */
export interface Filter {
  protocol: number;
  port: number;
  endPort: number;
  name: string;
  peers: Map<string, PeerPolicy>;
}

/** A subject's rules for one direction, merged per port and protocol. */
export interface DirectionPolicy {
  /** A rule applies to this direction. Unless `open`, traffic that no rule allows is dropped. */
  enforced: boolean;
  /** No rule enables default deny, so all other traffic is allowed. */
  open: boolean;
  filters: readonly Filter[];
  parts: readonly Part[];
  /** The rules that enable default deny. */
  closedBy: readonly CompiledRule[];
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
  const parts = relevant.flatMap((rule) => partsOf(rule).filter((part) => part.direction === direction));
  const enforced = always || relevant.length > 0;
  const closedBy = relevant.filter((rule) => rule.defaultDeny[direction]);
  const open = !always && enforced && closedBy.length === 0;
  const filters = new Map<string, Filter>();
  for (const part of parts) for (const port of part.ports) addPart(filters, part, port, cache);
  if (open) addAllowAll(filters, cache);
  return { enforced, open, filters: [...filters.values()], parts, closedBy };
}

/** The selectors of a part's peers; the wildcard makes all others redundant. */
export function effectivePeers({ peers }: Pick<Part, 'peers'>): readonly Selector[] {
  if (peers === undefined) return [];
  if (peers.length === 0) return [WILDCARD];
  const all = peers.some((peer) => peer.kind === 'labels' && peer.terms.length === 0);
  return all ? [WILDCARD] : peers;
}

function filterAt(filters: Map<string, Filter>, port: PortSpec): Filter {
  const key = `${port.protocol} ${port.port} ${port.endPort} ${port.name}`;
  const known = filters.get(key);
  if (known) return known;
  const { protocol, endPort, name } = port;
  const filter: Filter = { protocol, port: port.port, endPort, name, peers: new Map() };
  filters.set(key, filter);
  return filter;
}

function addPart(filters: Map<string, Filter>, part: Part, port: PortSpec, cache: SelectorCache): void {
  const filter = filterAt(filters, port);
  for (const selector of effectivePeers(part)) {
    const { redirect, listener, priority } = port;
    mergeInto(filter, {
      selection: cache.resolve(selector),
      deny: part.deny,
      redirect,
      listener,
      priority,
      auth: part.auth,
      parts: [part],
    });
  }
}

function addAllowAll(filters: Map<string, Filter>, cache: SelectorCache): void {
  const all = { protocol: 0, port: 0, endPort: 0, name: '', redirect: false, listener: '', priority: 0 };
  const filter = filterAt(filters, { ...all, l7: undefined, serverNames: [] });
  mergeInto(filter, {
    selection: cache.resolve(WILDCARD),
    deny: false,
    redirect: false,
    listener: '',
    priority: 0,
    auth: undefined,
    parts: [],
  });
}

/** A deny replaces an allow; two of a kind are merged. */
function mergeInto(filter: Filter, added: PeerPolicy): void {
  const { key } = added.selection.selector;
  const known = filter.peers.get(key);
  if (!known || (added.deny && !known.deny)) filter.peers.set(key, added);
  else if (known.deny === added.deny) filter.peers.set(key, join(known, added));
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
