import type { Context } from '../../../context.ts';
import { TRAFFIC_FIELDS } from '../../../hubble/views/traffic/alike.ts';
import { TrafficCounter } from '../../../hubble/views/traffic/counter.ts';
import { trafficVisitor } from '../../../hubble/views/traffic/visitor.ts';
import { keepHeapSmall } from '../../../lib/small-heap.ts';
import { readFileGroups } from '../observe/source-file.ts';
import type { TrafficSource } from './source.ts';

/** The counter stays small; where nothing is like another, each flow leaves garbage that outlives two collections. */
export const HEAP_GROWTH_PERCENT = 100;

/** Counts all flows of a source. */
export async function countTraffic(source: TrafficSource, ctx: Context): Promise<TrafficCounter> {
  keepHeapSmall(HEAP_GROWTH_PERCENT);
  const counter = new TrafficCounter();
  if (source.captures) {
    await countCaptures(source.captures, counter);
    return counter;
  }
  for await (const batch of source.read(ctx.signal)) for (const message of batch) counter.addMessage(message);
  return counter;
}

/** Counts the flows of captures in groups: most are counted by the number of their group, their ports and their time. */
async function countCaptures(
  { files, query, ctx }: NonNullable<TrafficSource['captures']>,
  counter: TrafficCounter,
): Promise<void> {
  for await (const _ of readFileGroups(files, query, TRAFFIC_FIELDS, trafficVisitor(counter), ctx));
}
