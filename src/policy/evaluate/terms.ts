import type { LabelSelector, Requirement } from '../rule.ts';

/** The source and the name in a selector's key (`any:app`). A key without a source means any. */
function splitKey(key: string): { source: string; name: string } {
  const colon = key.indexOf(':');
  if (colon < 0) return { source: 'any', name: key };
  return { source: key.slice(0, colon) || 'any', name: key.slice(colon + 1) };
}

/** A requirement with its key taken apart. `matchLabels` become `In` with one value. */
export interface Term {
  source: string;
  name: string;
  operator: Requirement['operator'];
  values: readonly string[];
}

/** All terms of a selector, in a fixed order; an empty list selects everything. */
export function termsOf(selector: LabelSelector): Term[] {
  const terms: Term[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    terms.push({ ...splitKey(key), operator: 'In', values: [value] });
  for (const { key, operator, values } of selector.matchExpressions ?? [])
    terms.push({ ...splitKey(key), operator, values: values ?? [] });
  return terms;
}

/** Equal for selectors that select the same, as far as the order of terms and values goes. */
export function canonical(terms: readonly Term[]): string {
  return terms
    .map(
      ({ source, name, operator, values }) =>
        `${source}:${name} ${operator} ${[...new Set(values)].sort().join(',')}`,
    )
    .sort()
    .join(' & ');
}
