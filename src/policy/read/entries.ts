import { isRecord } from '../../lib/record.ts';
import { parseLabel } from '../language/label.ts';
import type { PolicyEntry, RuleLabel } from '../rule.ts';

/** True for the list that agents from 1.19 on answer to `GET /policy`. An empty list is of either kind. */
export function isEntryList(value: unknown): value is PolicyEntry[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((entry) => isRecord(entry) && 'Subject' in entry)
  );
}

/** The entries that carry all of the labels. A label without a source matches any. */
export function entriesWithLabels(entries: readonly PolicyEntry[], labels: readonly string[]): PolicyEntry[] {
  const wanted = labels.map((label) => parseLabel(label, 'any'));
  return entries.filter(({ Labels }) => hasLabels(Labels ?? [], wanted));
}

/** True when `labels` holds every wanted one; the source `any` matches all sources. */
export function hasLabels(labels: readonly RuleLabel[], wanted: readonly RuleLabel[]): boolean {
  return wanted.every((want) =>
    labels.some(
      (label) =>
        label.key === want.key &&
        (label.value ?? '') === want.value &&
        (want.source === 'any' || label.source === want.source),
    ),
  );
}
