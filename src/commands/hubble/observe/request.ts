import { fieldMaskText } from '../../../hubble/protobuf/field-mask.ts';
import { formatTimestamp } from '../../../lib/timestamp.ts';
import type { GetFlowsRequest } from '../../../model/hubble.gen.ts';
import type { FilterLists } from './filter-builder.ts';
import type { Selection } from './selectors.ts';

/** Which flows are asked for, and which fields of them. */
export interface FlowQuery {
  filters: FilterLists;
  selection: Selection;
  /** Paths of fields; empty means all. */
  mask: readonly string[];
}

/** The request that asks a server for the flows of a query. */
export function flowsRequest({ filters, selection, mask }: FlowQuery): GetFlowsRequest {
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
