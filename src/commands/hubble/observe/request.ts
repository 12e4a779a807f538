import { fieldMaskText } from '../../../hubble/protobuf/field-mask.ts';
import { formatTimestamp } from '../../../lib/timestamp.ts';
import type { GetFlowsRequest } from '../../../model/hubble.gen.ts';
import type { FilterLists } from './filter-builder.ts';
import type { Selection } from './selectors.ts';

/** The request that asks for what is meant. */
export function flowsRequest({
  filters,
  selection,
  mask,
}: {
  filters: FilterLists;
  selection: Selection;
  mask: readonly string[];
}): GetFlowsRequest {
  return {
    number: String(selection.number),
    first: selection.first,
    follow: selection.follow,
    whitelist: filters.allow,
    blacklist: filters.deny,
    ...(selection.since && { since: formatTimestamp(selection.since) }),
    ...(selection.until && { until: formatTimestamp(selection.until) }),
    ...(mask.length > 0 && { field_mask: fieldMaskText(mask) }),
  };
}
