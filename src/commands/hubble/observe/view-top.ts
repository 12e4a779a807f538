import { LiveScreen } from '../../../cli/live.ts';
import type { Context } from '../../../context.ts';
import { TopCounter, topKeys } from '../../../hubble/views/top.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { renderTop, renderTopJson, topNote, topTable } from '../../../render/hubble/top.ts';
import { renderTable } from '../../../render/text/blocks.ts';
import { fitTable } from '../../../render/text/fit.ts';
import { paletteFor } from '../../../render/text/palette.ts';

const REDRAW_MS = 1000;

/** How a ranking is shown. */
export interface TopOptions {
  /** Names of fields, as `--where` has them. */
  keys: readonly string[];
  rows: number;
  json: boolean;
  follow: boolean;
}

/** Where flows come from; what is to be said of that goes to `told`. */
type Flows = (told: Context) => AsyncIterable<readonly GetFlowsResponse[]>;

/** Ranks flows by keys: a live screen where they are followed in a terminal, else the final table. */
export async function viewTop(flows: Flows, options: TopOptions, ctx: Context): Promise<void> {
  const { keys, rows, json, follow } = options;
  const top = new TopCounter(topKeys(keys), undefined, true);
  if (follow && !json && LiveScreen.fits(ctx)) return await liveTop(flows, top, rows, ctx);
  for await (const batch of flows(ctx)) count(top, batch, ctx.clock.nowMs());
  const ranking = top.ranking(rows);
  await ctx.out.write(json ? renderTopJson(ranking) : renderTop(ranking, ctx.out.columns));
}

async function liveTop(flows: Flows, top: TopCounter, rows: number, ctx: Context): Promise<void> {
  const live = new LiveScreen(ctx);
  const { dim, warn } = paletteFor(ctx.globals.color, ctx.env, true);
  const startMs = ctx.clock.nowMs();
  let drawnMs = 0;
  let said = '';
  const draw = async () => {
    drawnMs = ctx.clock.nowMs();
    const seconds = (drawnMs - startMs) / 1000;
    const ranking = top.ranking(rows);
    const notes = said.trimEnd().split('\n').slice(-2);
    await live.show((width) => {
      const [header = '', ...lines] = renderTable(fitTable(topTable(ranking, seconds), width)).split('\n');
      return {
        title: [dim(`${topNote(ranking)} · ${Math.round(seconds)}s`), ...notes.filter(Boolean).map(warn)],
        header: [header],
        lines: lines.slice(0, -1),
      };
    });
  };
  const write = async (text: string) => {
    said += text;
    await draw();
  };
  const told: Context = { ...ctx, err: { ...ctx.err, isTTY: false, write } };
  try {
    for await (const batch of flows(told)) {
      const nowMs = ctx.clock.nowMs();
      count(top, batch, nowMs);
      if (nowMs - drawnMs >= REDRAW_MS) await draw();
    }
    await draw();
  } finally {
    await live.end();
    if (said !== '') await ctx.err.write(said);
  }
  await ctx.out.write(`\n${topNote(top.ranking(rows))}\n`);
}

function count(top: TopCounter, batch: readonly GetFlowsResponse[], nowMs: number): void {
  for (const { flow, time } of batch) if (flow) top.add(flow, Date.parse(flow.time ?? time ?? '') || nowMs);
}
