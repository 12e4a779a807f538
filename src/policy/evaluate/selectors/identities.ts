import { type AddressRange, contains, rangeAt } from '../../../lib/address.ts';
import type { Label } from '../../../model/label.ts';
import { parseLabels, rangeOfLabel } from '../../../model/label.ts';
import { accepts, type Term } from '../../../model/selector.ts';

/** A security identity with its labels indexed by key. There is one label per key. */
export interface Identity {
  id: number;
  labels: readonly Label[];
  byKey: ReadonlyMap<string, Label>;
  /** The prefix of a CIDR identity, or those of the world; else empty. */
  prefixes: readonly AddressRange[];
  /** Known DNS names of this peer. FQDN selectors match them as well as `fqdn:` labels. */
  names: readonly string[];
}

const ALL_V4 = rangeAt(4, 0n, 0);
const ALL_V6 = rangeAt(6, 0n, 0);

/** The prefixes of the reserved identities for the world outside the cluster. */
const WORLD: ReadonlyMap<number, readonly AddressRange[]> = new Map([
  [2, [ALL_V4, ALL_V6]],
  [9, [ALL_V4]],
  [10, [ALL_V6]],
]);

const HOST_IDENTITY = 1;

/** Builds an identity from labels in the agent's text form (`k8s:app=api`, `cidr:10.0.0.0/8`). */
export function identityOf(id: number, labels: readonly string[], names: readonly string[] = []): Identity {
  const parsed = parseLabels(labels);
  let narrowest: AddressRange | undefined;
  for (const { source, key } of parsed) {
    if (source !== 'cidr') continue;
    const prefix = rangeOfLabel(key);
    if (prefix && (!narrowest || prefix.length > narrowest.length)) narrowest = prefix;
  }
  return {
    id,
    labels: parsed,
    byKey: new Map(parsed.map((label) => [label.key, label])),
    prefixes: narrowest ? [narrowest] : (WORLD.get(id) ?? []),
    names,
  };
}

/** Whether the identity carries `reserved:<name>`. */
export function isReserved(identity: Identity, name: string): boolean {
  return identity.byKey.get(name)?.source === 'reserved';
}

/** Whether the identity is the node itself. */
export function isHost(identity: Identity): boolean {
  return identity.id === HOST_IDENTITY || isReserved(identity, 'host');
}

/** Every address of one of `inner`'s prefixes lies in one of `outer`'s. */
export function encloses(outer: Identity, inner: Identity): boolean {
  return outer.prefixes.some((a) => inner.prefixes.some((b) => contains(a, b)));
}

/** Whether an identity meets one requirement. */
export function meets(identity: Identity, term: Term): boolean {
  return accepts(term, labelValue(identity, term.source, term.name));
}

function labelValue(identity: Identity, source: string, name: string): string | undefined {
  if (source === 'cidr') {
    const prefix = rangeOfLabel(name);
    return prefix && !WORLD.has(identity.id) && identity.prefixes.some((own) => contains(prefix, own))
      ? ''
      : undefined;
  }
  const label = identity.byKey.get(name);
  return label && (source === 'any' || label.source === source) ? label.value : undefined;
}

/** All identities, indexed by label so that a selector does not have to look at each. */
export class Identities {
  readonly all: ReadonlyMap<number, Identity>;
  /** `source:key=value`, `source:key`, and both with source `any`. */
  readonly #postings = new Map<string, Identity[]>();
  /** CIDR identities in order of their first address. */
  readonly #prefixed: Identity[] = [];

  constructor(identities: Iterable<Identity>) {
    const all = new Map<number, Identity>();
    for (const identity of identities) all.set(identity.id, identity);
    this.all = all;
    for (const identity of all.values()) this.#index(identity);
    this.#prefixed.sort((a, b) => compareFirst(a.prefixes[0], b.prefixes[0]));
  }

  get(id: number): Identity | undefined {
    return this.all.get(id);
  }

  /** The cluster's name, from the label that most identities have. */
  clusterName(): string | undefined {
    const counts = new Map<string, number>();
    for (const identity of this.all.values()) {
      const name = identity.byKey.get('io.cilium.k8s.policy.cluster')?.value;
      if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  }

  /** Of the labels (`key=value`) that the terms require, the one that the fewest identities have. */
  rarest(terms: readonly Term[]): string | undefined {
    let best: { label: string; count: number } | undefined;
    for (const { source, name, operator, values } of terms) {
      if (operator !== 'In' || values.length !== 1 || source === 'cidr') continue;
      const label = `${name}=${values[0]}`;
      const count = this.#postings.get(`any:${label}`)?.length ?? 0;
      if (!best || count < best.count) best = { label, count };
    }
    return best?.label;
  }

  /** Whether the world identity is split by address family; undefined when there are no identities. */
  dualStack(): boolean | undefined {
    if (this.all.size === 0) return undefined;
    return this.#prefixed.some((identity) => !isReserved(identity, 'world'));
  }

  /** Identities that meet all terms, in no particular order. */
  select(terms: readonly Term[]): Identity[] {
    let candidates: readonly Identity[] | undefined;
    for (const term of terms) {
      const found = this.#candidates(term);
      if (found && (!candidates || found.length < candidates.length)) candidates = found;
    }
    return [...(candidates ?? this.all.values())].filter((identity) =>
      terms.every((term) => meets(identity, term)),
    );
  }

  /** CIDR identities inside `prefix`. */
  inside(prefix: AddressRange): Identity[] {
    let low = 0;
    let high = this.#prefixed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const first = this.#prefixed[middle]?.prefixes[0]?.first ?? 0n;
      if (first < prefix.first) low = middle + 1;
      else high = middle;
    }
    const found: Identity[] = [];
    for (let i = low; i < this.#prefixed.length; i++) {
      const identity = this.#prefixed[i];
      const own = identity?.prefixes[0];
      if (!identity || !own || own.first > prefix.last) break;
      if (contains(prefix, own)) found.push(identity);
    }
    return found;
  }

  /** The most specific CIDR identity that holds the address, if any. */
  holding(address: AddressRange): Identity | undefined {
    let best: Identity | undefined;
    for (const identity of this.#prefixed) {
      const own = identity.prefixes[0];
      if (own && contains(own, address) && own.length >= (best?.prefixes[0]?.length ?? 0)) best = identity;
    }
    return best;
  }

  #candidates({ source, name, operator, values }: Term): readonly Identity[] | undefined {
    if (source === 'cidr') return undefined;
    if (operator === 'Exists') return this.#postings.get(`${source}:${name}`) ?? [];
    if (operator !== 'In') return undefined;
    return values.flatMap((value) => this.#postings.get(`${source}:${name}=${value}`) ?? []);
  }

  #index(identity: Identity): void {
    for (const { source, key, value } of identity.labels) {
      for (const origin of [source, 'any']) {
        this.#post(`${origin}:${key}=${value}`, identity);
        this.#post(`${origin}:${key}`, identity);
      }
    }
    if (identity.prefixes.length > 0 && !WORLD.has(identity.id)) this.#prefixed.push(identity);
  }

  #post(key: string, identity: Identity): void {
    const posting = this.#postings.get(key);
    if (posting) posting.push(identity);
    else this.#postings.set(key, [identity]);
  }
}

function compareFirst(a: AddressRange | undefined, b: AddressRange | undefined): number {
  const x = a?.first ?? 0n;
  const y = b?.first ?? 0n;
  return x < y ? -1 : x > y ? 1 : 0;
}
