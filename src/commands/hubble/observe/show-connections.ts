import type { Context } from '../../../context.ts';
import { Collapser, type Connection } from '../../../hubble/views/collapse.ts';
import { FlowRow, readFlow } from '../../../model/flow-row.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { hostText } from '../../../render/hubble/flow.ts';
import { timeFormat } from '../../../render/hubble/flow-time.ts';
import { goJson } from '../../../render/text/json.ts';
import { sanitizeCell } from '../../../render/text/sanitize.ts';
import { styleFlags, styleOf } from './output.ts';
import type { OwnJob } from './own.ts';

/** A connection is printed when it was quiet for so long while the stream goes on. */
const QUIET_MS = 2_000;

/** Prints one line per connection: both directions, every point that saw it, the verdict and who decided. */
export async function showConnections(
  messages: AsyncIterable<GetFlowsResponse[]>,
  { flags }: OwnJob,
  ctx: Context,
): Promise<void> {
  const collapser = new Collapser();
  const style = { ...styleOf(styleFlags(flags, ctx)), color: false };
  const json = flags.output === 'json' || flags.output === 'jsonpb';
  const row = new FlowRow();
  const line = (connection: Connection) => {
    if (json) return `${goJson(recordOf(connection))}\n`;
    readFlow(row, connection.opening);
    const { firstMs, lastMs, forward, reply, points, verdict, reason, names, policies } = connection;
    const swapped = connection.opening.is_reply === true;
    const [from, to] = swapped ? [row.destination, row.source] : [row.source, row.destination];
    const details = [
      `${forward}→ ${reply}←`,
      `${((lastMs - firstMs) / 1000).toFixed(3)}s`,
      points.join(','),
      names.length > 0 && `dns ${names.map(sanitizeCell).join(',')}`,
      policies.length > 0 && `by ${policies.map(sanitizeCell).join(',')}`,
    ];
    return `${timeFormat(flags.timeFormat)(connection.opening.time ?? '')}: ${hostText(row, from, style)} -> ${hostText(row, to, style)} ${protocolOf(connection)} ${verdict}${reason ? ` ${reason}` : ''} (${details.filter(Boolean).join('; ')})\n`;
  };
  for await (const batch of messages) {
    let out = '';
    for (const { flow, time } of batch) {
      if (!flow) continue;
      const timeMs = Date.parse(flow.time ?? time ?? '') || ctx.clock.nowMs();
      const gone = collapser.add(flow, timeMs);
      if (gone) out += line(gone);
    }
    if (flags.follow === true)
      for (const connection of collapser.quiet(ctx.clock.nowMs() - QUIET_MS)) out += line(connection);
    if (out !== '') await ctx.out.write(out);
  }
  let out = '';
  for (const connection of collapser.rest()) out += line(connection);
  if (out !== '') await ctx.out.write(out);
}

function protocolOf({ opening }: Connection): string {
  const l7 = (['dns', 'http', 'kafka'] as const).find((name) => opening.l7?.[name]);
  return [Object.keys(opening.l4 ?? {})[0] ?? 'L3', l7?.toUpperCase()].filter(Boolean).join('/');
}

function recordOf({ opening, firstMs, lastMs, key: _, ...rest }: Connection): object {
  const { source, destination, IP, l4 } = opening;
  return {
    first_seen: new Date(firstMs).toISOString(),
    last_seen: new Date(lastMs).toISOString(),
    source,
    destination,
    IP,
    l4,
    ...rest,
  };
}
