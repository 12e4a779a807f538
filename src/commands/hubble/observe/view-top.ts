import type { Context } from '../../../context.ts';
import { TopCounter, topKeys } from '../../../hubble/views/top.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { renderTop, renderTopJson } from '../../../render/hubble/top.ts';
import { clearLinesAbove } from '../../../render/text/screen.ts';

const REDRAW_MS = 1000;

/** How a ranking is shown. */
export interface TopOptions {
  /** Names of fields, as `--where` has them. */
  keys: readonly string[];
  rows: number;
  json: boolean;
  follow: boolean;
}

/** Ranks flows by keys: a table that is drawn again every second in a terminal, the final one elsewhere. */
export async function viewTop(
  batches: AsyncIterable<readonly GetFlowsResponse[]>,
  { keys, rows, json, follow }: TopOptions,
  ctx: Context,
): Promise<void> {
  const top = new TopCounter(topKeys(keys));
  const live = ctx.out.isTTY && follow && !json;
  const startMs = ctx.clock.nowMs();
  let drawnMs = 0;
  let drawn = 0;
  const draw = async () => {
    const text = cut(renderTop(top.ranking(rows), (ctx.clock.nowMs() - startMs) / 1000), ctx.out.columns);
    await ctx.out.write(clearLinesAbove(drawn) + text);
    drawn = text.split('\n').length - 1;
    drawnMs = ctx.clock.nowMs();
  };
  for await (const batch of batches) {
    const nowMs = ctx.clock.nowMs();
    for (const { flow, time } of batch) if (flow) top.add(flow, Date.parse(flow.time ?? time ?? '') || nowMs);
    if (live && nowMs - drawnMs >= REDRAW_MS) await draw();
  }
  if (live) await draw();
  else await ctx.out.write((json ? renderTopJson : renderTop)(top.ranking(rows)));
}

/** Lines no longer than the screen is wide: one that wraps would take two, and the next drawing would miss it. */
function cut(text: string, columns: number | undefined): string {
  return columns === undefined ? text : text.replaceAll(new RegExp(`^(.{${columns}}).*$`, 'gmu'), '$1');
}
