import { isRecord } from '../../lib/record.ts';
import { holdsLabels, parseLabels } from '../../model/label.ts';
import type { PolicyEntry } from '../rule.ts';

/** True for the list that agents from 1.19 on answer to `GET /policy`. An empty list is of either kind. */
export function isEntryList(value: unknown): value is PolicyEntry[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((entry) => isRecord(entry) && 'Subject' in entry)
  );
}

/** The entries that carry all of the labels. A label without a source matches any. */
export function entriesWithLabels(entries: readonly PolicyEntry[], labels: readonly string[]): PolicyEntry[] {
  const wanted = parseLabels(labels, 'any');
  return entries.filter(({ Labels }) => holdsLabels(Labels ?? [], wanted));
}
