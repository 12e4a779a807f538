import { type Label, parseLabels } from './label.ts';

export const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
type Operator = (typeof OPERATORS)[number];

/** A label selector as Kubernetes and rules write it. All entries must hold; an empty selector selects everything. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: Requirement[];
}

export interface Requirement {
  /** In rules with its source, `any:app`. */
  key: string;
  operator: Operator;
  /** Of `In` and `NotIn` only, and there never empty. */
  values?: string[];
}

/** A requirement with its key taken apart. `matchLabels` become `In` with one value. */
export interface Term {
  /** `any` when the key names no source. */
  source: string;
  name: string;
  operator: Operator;
  values: readonly string[];
}

/** All terms of a selector, in a fixed order; an empty list selects everything. */
export function termsOf(selector: LabelSelector): Term[] {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => termOf(key, 'In', [value]));
  const others = selector.matchExpressions ?? [];
  return [...equal, ...others.map(({ key, operator, values }) => termOf(key, operator, values))];
}

function termOf(key: string, operator: Operator, values: readonly string[] = []): Term {
  const colon = key.indexOf(':');
  return { source: key.slice(0, Math.max(colon, 0)) || 'any', name: key.slice(colon + 1), operator, values };
}

/** Whether a term holds for the value of the label that it names; undefined when there is no such label. */
export function accepts({ operator, values }: Term, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/**
 * Compiles a selector in text form: `app=web,tier!=db,env in (a,b),!legacy`. A key may carry a source (`k8s:app`).
 * Undefined when the text is not a selector. Several labels may have one key: each of them counts.
 */
export function compileSelector(text: string): ((labels: readonly string[]) => boolean) | undefined {
  const terms: Term[] = [];
  for (const part of text.split(/,(?![^()]*\))/)) {
    const term = parseTerm(part.trim());
    if (!term) return undefined;
    terms.push(term);
  }
  return (texts) => {
    const labels = parseLabels(texts);
    return terms.every((term) => acceptsLabels(term, labels));
  };
}

function parseTerm(text: string): Term | undefined {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    return termOf(set[1] ?? '', set[2] === 'in' ? 'In' : 'NotIn', values);
  }
  const equal = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!()]*)$/.exec(text);
  if (equal) return termOf(equal[1] ?? '', equal[2] === '!=' ? 'NotIn' : 'In', [equal[3] ?? '']);
  const exists = /^(!?)\s*([^\s=!()]+)$/.exec(text);
  return exists ? termOf(exists[2] ?? '', exists[1] === '!' ? 'DoesNotExist' : 'Exists') : undefined;
}

function acceptsLabels(term: Term, labels: readonly Label[]): boolean {
  const own = labels.filter(
    ({ source, key }) => key === term.name && (term.source === 'any' || source === term.source),
  );
  return term.operator === 'In' || term.operator === 'Exists'
    ? own.some(({ value }) => accepts(term, value))
    : own.every(({ value }) => accepts(term, value));
}
