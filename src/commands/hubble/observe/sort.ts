import { UserError } from '../../../errors.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { inBlocks, MOST_HELD } from './limit.ts';

/** All messages in the order of their times. They have to fit into memory. */
export async function* sortByTime(
  batches: AsyncIterable<readonly GetFlowsResponse[]>,
): AsyncGenerator<readonly GetFlowsResponse[]> {
  const all: { message: GetFlowsResponse; key: string }[] = [];
  for await (const batch of batches) {
    for (const message of batch) all.push({ message, key: keyOf(message) });
    if (all.length > MOST_HELD)
      throw new UserError(`--sort takes up to ${MOST_HELD} records`, {
        hint: 'Narrow them with filters, --since or --until.',
      });
  }
  all.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  yield* inBlocks(all.map(({ message }) => message));
}

/** RFC 3339 times in UTC sort as text once their fractions are equally long. */
function keyOf({ flow, time = '' }: GetFlowsResponse): string {
  return (flow?.time ?? time).replace(/(?:\.(\d*))?Z$/, (_, digits = '') => `.${digits.padEnd(9, '0')}`);
}
