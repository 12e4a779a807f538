import type { Context } from '../../../context.ts';
import { Collapser } from '../../../hubble/views/collapse.ts';
import type { Connection } from '../../../model/connection.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { renderConnection, renderConnectionJson } from '../../../render/hubble/connection.ts';
import type { FlowStyle } from '../../../render/hubble/flow.ts';

/** A connection is printed when it was quiet for so long while the stream goes on. */
const QUIET_MS = 2_000;

/** Prints one line per connection: at the end, or once it is quiet when flows are followed. */
export async function viewConnections(
  batches: AsyncIterable<readonly GetFlowsResponse[]>,
  { json, style, follow }: { json: boolean; style: FlowStyle; follow: boolean },
  ctx: Context,
): Promise<void> {
  const render = (connection: Connection) =>
    json ? renderConnectionJson(connection) : renderConnection(connection, style);
  const collapser = new Collapser();
  for await (const batch of batches) {
    const nowMs = ctx.clock.nowMs();
    let text = '';
    for (const { flow, time } of batch) {
      const evicted = flow && collapser.add(flow, Date.parse(flow.time ?? time ?? '') || nowMs);
      if (evicted) text += render(evicted);
    }
    if (follow) for (const connection of collapser.quiet(nowMs - QUIET_MS)) text += render(connection);
    if (text !== '') await ctx.out.write(text);
  }
  const text = [...collapser.rest()].map(render).join('');
  if (text !== '') await ctx.out.write(text);
}
