import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { type TopCounter as Counter, TopCounter, type TopRow, topKeys } from '../../../hubble/views/top.ts';
import { fieldNames } from '../../../hubble/where/fields.ts';
import { nearest } from '../../../lib/nearest.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { goJson } from '../../../render/text/json.ts';
import { sanitizeCell } from '../../../render/text/sanitize.ts';
import { tabulate } from '../../../render/text/table.ts';
import { LossCounter } from './loss.ts';
import type { OwnJob } from './own.ts';

const REDRAW_MS = 1000;

/** Ranks flows by keys: a table that is drawn again every second in a terminal, the final one elsewhere. */
export async function showTop(
  messages: AsyncIterable<GetFlowsResponse[]>,
  { flags }: OwnJob,
  ctx: Context,
): Promise<void> {
  const keys = topKeys(flags.top);
  if (typeof keys === 'string') {
    const near = nearest(keys, fieldNames());
    throw new UserError(`--top: there is no key "${keys}"`, {
      hint: near ? `Did you mean "${near}"?` : 'The keys are the fields of --where: see --where help.',
    });
  }
  const top = new TopCounter(keys);
  const counter = new LossCounter();
  const rows = flags.topRows ?? 20;
  const live = ctx.out.isTTY && flags.output !== 'json' && flags.follow === true;
  const startMs = ctx.clock.nowMs();
  let drawnMs = 0;
  let drawn = 0;
  const draw = async () => {
    const seconds = (ctx.clock.nowMs() - startMs) / 1000;
    const text = cut(renderTop(top, rows, seconds, flags.follow === true), ctx.out.columns);
    await ctx.out.write(`${drawn > 0 ? `\u001b[${drawn}A\u001b[J` : ''}${text}`);
    drawn = text.split('\n').length - 1;
    drawnMs = ctx.clock.nowMs();
  };
  for await (const batch of messages) {
    const nowMs = ctx.clock.nowMs();
    for (const { flow, lost_events: lost, time } of batch) {
      if (lost) counter.lost(lost);
      if (!flow) continue;
      counter.flow();
      top.add(flow, Date.parse(flow.time ?? time ?? '') || nowMs);
    }
    if (live && nowMs - drawnMs >= REDRAW_MS) await draw();
  }
  if (flags.output === 'json' || flags.output === 'jsonpb') await ctx.out.write(jsonOf(top, rows));
  else if (live) await draw();
  else await ctx.out.write(renderTop(top, rows, 0, false));
  await counter.show(ctx, true);
  counter.check(flags.maxLoss);
}

function renderTop(top: Counter, rows: number, seconds: number, follow: boolean): string {
  const heads = [
    'FLOWS',
    'SHARE',
    ...(follow ? ['RATE'] : []),
    'FIRST SEEN',
    'LAST SEEN',
    ...top.keys.map(({ name }) => name.toUpperCase()),
  ];
  const lines = top
    .rows(rows)
    .map((row) =>
      [
        `${row.count}${row.error > 0 ? ` (-${row.error})` : ''}`,
        `${((100 * row.count) / Math.max(1, top.total)).toFixed(1)}%`,
        ...(follow ? [`${(row.count / Math.max(1, seconds)).toFixed(1)}/s`] : []),
        clockText(row.firstMs),
        clockText(row.lastMs),
        ...row.values.map(sanitizeCell),
      ].join('\t'),
    );
  const note = top.estimated
    ? `\n${top.total} flows; more than ${top.capacity} keys: counts are upper bounds, (-n) is how much lower they may be\n`
    : `\n${top.total} flows\n`;
  return tabulate(`${[heads.join('\t'), ...lines].join('\n')}\n`, { minWidth: 2, padding: 3 }) + note;
}

/** Lines no longer than the screen is wide: one that wraps would take two, and the next drawing would miss it. */
function cut(text: string, columns: number | undefined): string {
  return columns === undefined ? text : text.replaceAll(new RegExp(`^(.{${columns}}).*$`, 'gmu'), '$1');
}

function clockText(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

function jsonOf(top: Counter, most: number): string {
  const row = ({ values, count, error, firstMs, lastMs }: TopRow) => ({
    ...Object.fromEntries(top.keys.map(({ name }, i) => [name, values[i]])),
    count,
    ...(error > 0 && { count_error: error }),
    first_seen: new Date(firstMs).toISOString(),
    last_seen: new Date(lastMs).toISOString(),
  });
  return `${goJson({ total: top.total, estimated: top.estimated, rows: top.rows(most).map(row) }, 2)}\n`;
}
