import { UserError } from '../../../errors.ts';
import { canonical } from '../../../hubble/protobuf/protojson.ts';
import type { FlowFilter } from '../../../model/hubble.gen.ts';
import { type Draft, FilterTracker, type FilterWord, type Tracker } from './filter-tracker.ts';

/** What a request asks for. */
export interface FilterLists {
  allow: FlowFilter[];
  deny: FlowFilter[];
}

/** Builds the filters that the flags describe, in the order in which they were given. */
export function buildFilters(words: readonly FilterWord[]): FilterLists {
  const tracker = new FilterTracker();
  for (const word of words) tracker.add(word);
  const { allow, deny, negated } = tracker;
  if (negated)
    throw new UserError('trailing --not found in the arguments', {
      hint: '--not negates the filter flag that follows it.',
    });
  return { allow: filtersOf(allow), deny: filtersOf(deny) };
}

function filtersOf(tracker: Tracker): FlowFilter[] {
  const { any, source, destination } = tracker.namespaces;
  const [left, right] = [structuredClone(tracker.left), structuredClone(tracker.right)];
  for (const draft of [left, right]) qualify(draft, 'destination', destination);
  for (const draft of [left, right]) qualify(draft, 'source', source);
  qualify(left, 'source', any);
  qualify(right, 'destination', any);
  const filters = [left, right].map((draft) => canonical('flow.FlowFilter', finished(draft)));
  const [a, b] = filters.map((filter) => JSON.stringify(filter));
  if (a === '{}' && b === '{}') return [];
  return a === b ? filters.slice(0, 1) : filters;
}

/** CEL expressions lie one message deeper than the other fields. */
function finished(draft: Draft): Record<string, unknown> {
  const { experimental: expressions, ...fields } = draft;
  return expressions ? { ...fields, experimental: { cel_expression: expressions } } : fields;
}

/** Gives the namespaces to the bare names of one side; without names they mean every pod in them. */
function qualify(draft: Draft, side: 'source' | 'destination', namespaces: readonly string[]): void {
  if (namespaces.length === 0) return;
  const [pods, services] = [`${side}_pod`, `${side}_service`];
  if (!draft[pods] && !draft[services]) draft[pods] = [''];
  for (const field of [pods, services]) {
    const names = draft[field];
    if (names)
      draft[field] = names.flatMap((name) =>
        String(name).includes('/') ? [name] : namespaces.map((namespace) => `${namespace}/${name}`),
      );
  }
}
