import { type AddressRange, contains, rangeAt } from '../../../lib/address.ts';
import {
  type Label,
  NAMESPACE_LABELS,
  POD_CLUSTER,
  POD_NAMESPACE,
  parseLabels,
  rangeOfLabel,
} from '../../../model/label.ts';
import { accepts, type Term } from '../../../model/selector.ts';

/** A security identity with its labels indexed by key. There is one label per key. */
export interface Identity {
  id: number;
  labels: readonly Label[];
  byKey: ReadonlyMap<string, Label>;
  /** The prefix of a CIDR identity, or those of the world; else empty. */
  prefixes: readonly AddressRange[];
  /** The addresses of a node or a pod; undefined when they are not known. */
  addresses?: readonly AddressRange[];
  /** Known DNS names of this peer. FQDN selectors match them as well as `fqdn:` labels. */
  names: readonly string[];
  /** Present when it may have more labels than these. */
  gap?: Gap;
}

/** What is not known of an identity. */
export interface Gap {
  /** What is missing, for messages. */
  why: string;
  /**
   * Which labels may be missing: every label (`any`: it may be a pod, a node or a host outside), those that a pod can have
   * (`pod`), those that Cilium adds to a pod (`added`), the labels of a node (`node`).
   */
  of: 'any' | 'pod' | 'added' | 'node';
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

/** Numbers from here on, up to those of local scope, are of pods. */
const FIRST_POD_IDENTITY = 256;
/** Identities of prefixes and DNS names have numbers from here on, those of remote nodes twice that. */
export const FIRST_LOCAL_IDENTITY = 1 << 24;

/** Whether identities of this number are those of pods. */
export function isPodNumber(id: number): boolean {
  return id >= FIRST_POD_IDENTITY && id < FIRST_LOCAL_IDENTITY;
}

/**
 * Builds an identity from labels in the agent's text form (`k8s:app=api`, `cidr:10.0.0.0/8`). A node without labels of its
 * own, and a pod without any, have a gap: every node and every pod has some.
 */
export function identityOf(
  id: number,
  labels: readonly string[],
  names: readonly string[] = [],
  gap: Gap | undefined = gapOf(id, labels),
): Identity {
  const parsed = parseLabels(labels);
  const own = parsed.flatMap(({ source, key }) => (source === 'cidr' ? (rangeOfLabel(key) ?? []) : []));
  // Nodes and pods have them only where CIDR rules select nodes and pods: one for each of their addresses.
  const inside = ofPod(labels) || ofNode(labels);
  const addresses = own.filter((each) => !own.some((other) => other !== each && contains(each, other)));
  let narrowest: AddressRange | undefined;
  if (!inside)
    for (const prefix of own) if (!narrowest || prefix.length > narrowest.length) narrowest = prefix;
  return {
    id,
    labels: parsed,
    byKey: new Map(parsed.map((label) => [label.key, label])),
    prefixes: narrowest ? [narrowest] : (WORLD.get(id) ?? []),
    ...(inside && addresses.length > 0 && { addresses }),
    names,
    ...(gap && { gap }),
  };
}

function gapOf(id: number, labels: readonly string[]): Gap | undefined {
  if (labels.length === 0 && isPodNumber(id)) return { of: 'pod', why: `identity ${id} has no labels here` };
  // Cilium labels every pod with its namespace and its cluster.
  if (id >= 0 && ofPod(labels) && ![POD_NAMESPACE, POD_CLUSTER].every((key) => carries(labels, key)))
    return { of: 'added', why: `identity ${id} has no labels of its namespace and cluster here` };
  return ofNode(labels) && labels.every((label) => /^(reserved|cidr):/.test(label))
    ? { of: 'node', why: 'the labels of the node are not known' }
    : undefined;
}

function ofNode(labels: readonly string[]): boolean {
  return labels.some((label) => label === 'reserved:host' || label === 'reserved:remote-node');
}

function ofPod(labels: readonly string[]): boolean {
  return (
    labels.some((label) => label.startsWith('k8s:')) && !labels.some((label) => label.startsWith('reserved:'))
  );
}

function carries(labels: readonly string[], key: string): boolean {
  return labels.some((label) => label.startsWith(`k8s:${key}=`));
}

/** Whether the identity carries `reserved:<name>`. */
export function isReserved(identity: Identity, name: string): boolean {
  return identity.byKey.get(name)?.source === 'reserved';
}

/** Whether little more than the namespace of a pod is known, so that several pods look like this one. */
export function isVague({ gap }: Identity): boolean {
  return gap?.of === 'any' || gap?.of === 'pod';
}

/** Whether the identity is the node itself. */
export function isHost(identity: Identity): boolean {
  return identity.id === HOST_IDENTITY || isReserved(identity, 'host');
}

/** Whether the identity is this or another node. */
export function isNode(identity: Identity): boolean {
  return isHost(identity) || isReserved(identity, 'remote-node');
}

/** Whether the identity stands for hosts outside the cluster. */
export function isOutside(identity: Identity): boolean {
  return (
    identity.prefixes.length > 0 ||
    ['world', 'world-ipv4', 'world-ipv6'].some((name) => isReserved(identity, name))
  );
}

/** Every address of one of `inner`'s prefixes lies in one of `outer`'s. */
export function encloses(outer: Identity, inner: Identity): boolean {
  return outer.prefixes.some((a) => inner.prefixes.some((b) => contains(a, b)));
}

/** Whether an identity meets one requirement. */
export function meets(identity: Identity, term: Term): boolean {
  return accepts(term, labelValue(identity, term.source, term.name));
}

/** The part that an identity has where a selector is applied to it. */
export type Role = 'subject' | 'peer';

/** Whether an identity meets one requirement, or why that is not known. */
export function meetsOrWhy(identity: Identity, term: Term, role: Role): boolean | string {
  const own = labelValue(identity, term.source, term.name) ?? impliedValue(identity, term);
  if (own !== undefined) return accepts(term, own);
  if (isNamespaceLabel(term) && lacksNamespaceLabels(identity)) return NAMESPACE_LABELS_UNKNOWN;
  return mayHave(identity, term, role)
    ? (identity.gap?.why ?? 'its labels are not known')
    : accepts(term, undefined);
}

const LABEL_PREFIX = `${NAMESPACE_LABELS}.`;
const NAMESPACE_NAME = `${LABEL_PREFIX}kubernetes.io/metadata.name`;
const NAMESPACE_LABELS_UNKNOWN = 'the labels of its namespace are not known';

/** Whether one of the terms is about labels of namespaces: states may be without them. */
export function asksNamespace(terms: readonly Term[]): boolean {
  return terms.some(isNamespaceLabel);
}

function isNamespaceLabel({ name }: Term): boolean {
  return name.startsWith(LABEL_PREFIX);
}

/** Kubernetes gives every namespace at least one label. */
function lacksNamespaceLabels({ id, labels, byKey }: Identity): boolean {
  return id >= 0 && byKey.has(POD_NAMESPACE) && !labels.some(({ key }) => key.startsWith(LABEL_PREFIX));
}

/** Kubernetes labels each namespace with its name. */
function impliedValue(identity: Identity, { source, name }: Term): string | undefined {
  if (name !== NAMESPACE_NAME || (source !== 'any' && source !== 'k8s')) return undefined;
  return identity.byKey.get(POD_NAMESPACE)?.value;
}

/** Whether the label that the term names may be one of those that are not known. */
function mayHave({ gap, byKey }: Identity, { source, name }: Term, role: Role): boolean {
  const others = source !== 'reserved' && source !== 'cidr' && source !== 'fqdn';
  switch (gap?.of) {
    case undefined:
      return false;
    case 'any':
      return true;
    case 'pod':
      return others;
    case 'added':
      return others && (name === POD_NAMESPACE || name.startsWith('io.cilium.k8s.')) && !byKey.has(name);
    case 'node':
      // Rules name nodes as peers by labels of an own source.
      return role === 'subject' ? others && name !== POD_NAMESPACE : source === 'node';
  }
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

  /**
   * The cluster's name, from the labels of its endpoints, else of all identities. Undefined where these have several, or
   * none: identities may be those of other clusters too.
   */
  clusterName(endpoints: Iterable<{ identity: number }>): string | undefined {
    const local = [...endpoints].flatMap(({ identity }) =>
      isPodNumber(identity) ? (this.get(identity) ?? []) : [],
    );
    const names = new Set(
      [...(local.length > 0 ? local : this.all.values())].map(({ byKey }) => byKey.get(POD_CLUSTER)?.value),
    );
    names.delete(undefined);
    return names.size === 1 ? [...names][0] : undefined;
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

  /** Whether the world identity is split by address family; undefined when no prefix has an identity that shows it. */
  dualStack(): boolean | undefined {
    // Agents list all reserved identities, whether they use them or not.
    for (const identity of this.#prefixed) {
      if (isReserved(identity, 'world-ipv4') || isReserved(identity, 'world-ipv6')) return true;
      if (isReserved(identity, 'world')) return false;
    }
    return undefined;
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
