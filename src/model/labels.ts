import { formatIp, parseCidr } from '../lib/cidr.ts';
import { compareBytes } from '../lib/order.ts';

/** A label of an endpoint or identity: `source:key=value`. */
export interface Label {
  source: string;
  key: string;
  value: string;
}

/** Parses `[source:]key[=value]`; `$name` stands for `reserved:name`, a missing source for `unspec`. */
export function parseLabel(text: string): Label {
  const [source, rest] = splitSource(text);
  const at = rest.indexOf('=');
  if (at === -1) return { source: source || 'unspec', key: rest, value: '' };
  if (at === 0 && source === 'reserved') return { source, key: rest.slice(1), value: '' };
  return { source: source || 'unspec', key: rest.slice(0, at), value: rest.slice(at + 1) };
}

function splitSource(text: string): [source: string, rest: string] {
  if (text.startsWith('$')) return ['reserved', text.slice(1)];
  const at = text.indexOf(':');
  if (at !== -1) return [text.slice(0, at), text.slice(at + 1)];
  return text.startsWith('reserved.') ? ['reserved', text.slice('reserved.'.length)] : ['', text];
}

/** `source:key=value`, without `=` when there is no value. */
export function formatLabel({ source, key, value }: Label): string {
  return value === '' ? `${source}:${key}` : `${source}:${key}=${value}`;
}

/** Labels by key: of two with one key the later counts, and one without a key is none. */
export function labelsByKey(texts: readonly string[]): Map<string, Label> {
  const labels = new Map<string, Label>();
  for (const text of texts) {
    const label = parseLabel(text);
    if (label.key !== '') labels.set(label.key, label);
  }
  return labels;
}

/** Labels as people read them, sorted; the dashes of an IPv6 block are colons again. */
export function printableLabels(texts: readonly string[]): string[] {
  return [...labelsByKey(texts).values()].map(printable).toSorted(compareBytes);
}

function printable(label: Label): string {
  if (label.source !== 'cidr') return formatLabel(label);
  const cidr = parseCidr(label.key.replaceAll('-', ':'));
  return cidr ? `cidr:${formatIp(cidr.network)}/${cidr.length}` : formatLabel(label);
}

/** One condition on labels. */
interface Requirement {
  key: string;
  /** Undefined: the key alone decides. */
  values?: readonly string[];
  negated: boolean;
}

/** Says whether labels fulfil a selector. */
export type Selector = (labels: readonly string[]) => boolean;

/**
 * Parses a Kubernetes label selector: `app=web,tier!=db,env in (a,b),!legacy`. A key may carry a source (`k8s:app`);
 * without one a label of any source counts. Undefined when the text is no selector.
 */
export function parseSelector(text: string): Selector | undefined {
  const requirements: Requirement[] = [];
  for (const part of splitTopLevel(text)) {
    const requirement = parseRequirement(part.trim());
    if (!requirement) return undefined;
    requirements.push(requirement);
  }
  return (texts) => {
    const labels = texts.map(parseLabel);
    return requirements.every((requirement) => fulfils(labels, requirement));
  };
}

function splitTopLevel(text: string): string[] {
  return text.split(/,(?![^()]*\))/);
}

function parseRequirement(text: string): Requirement | undefined {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set)
    return {
      key: set[1] ?? '',
      values: (set[3] ?? '').split(',').map((value) => value.trim()),
      negated: set[2] === 'notin',
    };
  const equal = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!()]*)$/.exec(text);
  if (equal) return { key: equal[1] ?? '', values: [equal[3] ?? ''], negated: equal[2] === '!=' };
  const exists = /^(!?)\s*([^\s=!()]+)$/.exec(text);
  return exists ? { key: exists[2] ?? '', negated: exists[1] === '!' } : undefined;
}

function fulfils(labels: readonly Label[], { key, values, negated }: Requirement): boolean {
  const hit = labels.some(
    (label) =>
      (key === label.key || key === `${label.source}:${label.key}` || key === `any:${label.key}`) &&
      (values === undefined || values.includes(label.value)),
  );
  return hit !== negated;
}
