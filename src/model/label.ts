import { type AddressRange, contains, formatRange, parseRange } from '../lib/address.ts';
import { compareBytes } from '../lib/order.ts';

/** A label of an endpoint, an identity or a rule: `source:key=value`. */
export interface Label {
  source: string;
  key: string;
  value: string;
}

/** Keys of the labels that say of a pod in which namespace and cluster it is, and as which service account it runs. */
export const POD_NAMESPACE = 'io.kubernetes.pod.namespace';
export const POD_CLUSTER = 'io.cilium.k8s.policy.cluster';
export const POD_ACCOUNT = 'io.cilium.k8s.policy.serviceaccount';
/** A pod has the labels of its namespace too: this, a dot, and the key. */
export const NAMESPACE_LABELS = 'io.cilium.k8s.namespace.labels';
/** A rule says of which object it was made: this, a dot, and `name`, `namespace`, `uid` or `derived-from`. */
export const POLICY_LABEL = 'io.cilium.k8s.policy';

/** Splits `source:key`; the source is empty where none is written. `$name` and `reserved.name` mean `reserved:name`. */
export function splitSource(text: string): { source: string; rest: string } {
  if (text.startsWith('$')) return { source: 'reserved', rest: text.slice(1) };
  const colon = text.indexOf(':');
  if (colon >= 0) return { source: text.slice(0, colon), rest: text.slice(colon + 1) };
  if (text.startsWith('reserved.')) return { source: 'reserved', rest: text.slice('reserved.'.length) };
  return { source: '', rest: text };
}

/** Parses `[source:]key[=value]`. A label without a source has the source `fallback`. */
export function parseLabel(text: string, fallback = 'unspec'): Label {
  const { source, rest } = splitSource(text);
  const equals = rest.indexOf('=');
  if (equals < 0) return { source: source || fallback, key: rest, value: '' };
  if (equals === 0 && source === 'reserved') return { source, key: rest.slice(1), value: '' };
  return { source: source || fallback, key: rest.slice(0, equals), value: rest.slice(equals + 1) };
}

/** `source:key=value`, without `=` when there is no value. */
export function formatLabel({ source, key, value }: Label): string {
  return value === '' ? `${source}:${key}` : `${source}:${key}=${value}`;
}

/** Parses each label as `parseLabel` does. */
export function parseLabels(texts: readonly string[], fallback = 'unspec'): Label[] {
  return texts.map((text) => parseLabel(text, fallback));
}

/** Whether the labels hold all that are wanted. The source `any` stands for every source. */
export function holdsLabels(labels: readonly Label[], wanted: readonly Label[]): boolean {
  return wanted.every(({ source, key, value }) =>
    labels.some(
      (label) =>
        label.key === key && (label.value ?? '') === value && (source === 'any' || label.source === source),
    ),
  );
}

/** Labels by key. Of two with one key the later counts; a label without a key is left out. */
export function labelsByKey(texts: readonly string[]): Map<string, Label> {
  const labels = new Map<string, Label>();
  for (const text of texts) {
    const label = parseLabel(text);
    if (label.key !== '') labels.set(label.key, label);
  }
  return labels;
}

/**
 * Labels as people read them, sorted; the dashes of an IPv6 prefix are colons again. A range of addresses around another
 * one is left out: older agents label an identity with every range around its own.
 */
export function printableLabels(texts: readonly string[]): string[] {
  const labels = [...labelsByKey(texts).values()];
  const ranges = labels.map((label) => (label.source === 'cidr' ? rangeOfLabel(label.key) : undefined));
  const isAround = (outer: AddressRange) =>
    ranges.some((inner) => inner && inner.length > outer.length && contains(outer, inner));
  return labels
    .filter((_, i) => ranges[i] === undefined || !isAround(ranges[i]))
    .map(printable)
    .toSorted(compareBytes);
}

/** Every label, sorted, ranges of addresses included. */
export function sortedLabels(texts: readonly string[]): string[] {
  return [...labelsByKey(texts).values()].map(printable).toSorted(compareBytes);
}

function printable(label: Label): string {
  const range = label.source === 'cidr' && label.key.includes('/') ? rangeOfLabel(label.key) : undefined;
  return range ? `cidr:${formatRange(range)}` : formatLabel(label);
}

/** The range of addresses that the key of a `cidr:` label names, where `-` stands for the colons of IPv6. */
export function rangeOfLabel(key: string): AddressRange | undefined {
  return parseRange(key.replaceAll('-', ':'));
}

/** The label of a range of addresses, `cidr:10.0.0.0/8` or `cidr:fd00--/8`. */
export function cidrLabel(range: AddressRange): string {
  return `cidr:${formatRange(range).replaceAll(':', '-')}`;
}
