import type { Context } from '../context.ts';
import { errorMessage, UserError } from '../errors.ts';
import { type MarkedBlock, markChanges, renderMarked, type Table } from '../render/text/blocks.ts';
import { fitTable, withoutWide } from '../render/text/fit.ts';
import { type Palette, paletteFor } from '../render/text/palette.ts';
import { type Frame, LiveScreen } from './live.ts';

/** How an answer that is asked for again and again is shown. */
interface View<T> {
  /** In a pipe: what is printed of an answer, and of how it differs from the one before. */
  print(now: T, before: T | undefined): string;
  /** In a terminal: what its screen shows below the title. */
  draw(now: T, before: T | undefined, width: number): Omit<Frame, 'title'>;
  /** What the answer is, in a few words for the title. */
  size?(now: T): string;
}

/** Lists that were looked at together, and what was said beside them. */
export interface Look {
  tables: readonly Table[];
  notes: string;
}

/**
 * Shows lists until Ctrl-C. In a terminal each look replaces the one before; elsewhere the lists are printed once and then
 * only what changed. `+` is new, `~` has changed, `-` is gone.
 */
export function watchTables(
  ctx: Context,
  interval: number,
  look: () => Promise<Look>,
  asked: string,
): Promise<void> {
  const palette = paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY);
  return watch(ctx, interval, look, asked, {
    print: ({ tables }, before) =>
      tables
        .flatMap((table, i) => marked(table, before?.tables[i], palette))
        .filter(({ mark, isHeader }) => before === undefined || (mark !== ' ' && !isHeader))
        .map(({ line }) => `${line}\n`)
        .join(''),
    draw: ({ tables, notes }, before, width) => {
      const said = notes.split('\n').filter((line) => line !== '');
      const lines = tables.flatMap((table, i) => marked(table, before?.tables[i], palette, width - 2));
      const isOne = tables.length === 1;
      return {
        header: [...said, ...lines.flatMap(({ line, isHeader }) => (isOne && isHeader ? [line] : []))],
        lines: lines.flatMap(({ line, isHeader }) => (isOne && isHeader ? [] : [line])),
      };
    },
    size: ({ tables }) => {
      const entries = tables.reduce((sum, { blocks }) => sum + blocks.length, 0);
      return `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
    },
  });
}

/** Shows a text until Ctrl-C. Elsewhere than in a terminal it is printed again when it has changed. */
export function watchText(
  ctx: Context,
  interval: number,
  look: () => Promise<string>,
  asked: string,
): Promise<void> {
  return watch(ctx, interval, look, asked, {
    print: (text, before) => (before === undefined ? text : text === before ? '' : `\n${text}`),
    draw: (text) => ({ header: [], lines: text.replace(/\n$/, '').split('\n') }),
  });
}

/** Asks until Ctrl-C. Where no answer comes, the last one stays and it is said; the first one has to come. */
async function watch<T>(
  ctx: Context,
  interval: number,
  look: () => Promise<T>,
  asked: string,
  view: View<T>,
): Promise<void> {
  let now = await look();
  let before: T | undefined;
  let answeredMs = ctx.clock.nowMs();
  let failures = 0;
  const live = LiveScreen.fits(ctx) ? new LiveScreen(ctx) : undefined;
  const { bad, dim } = paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY);
  const every = `${interval / 1000}s`;
  const show = async (fault?: string) => {
    if (!live) {
      const text = view.print(now, before);
      return text === '' ? undefined : await ctx.out.write(text);
    }
    const title =
      fault === undefined
        ? [dim([`Every ${every}`, view.size?.(now), timeOf(answeredMs)].filter(Boolean).join(' · '))]
        : [
            bad(`No answer: attempt ${failures}, again in ${every}; shown is that of ${timeOf(answeredMs)}`),
            bad(fault),
          ];
    await live.show((width) => ({ title, ...view.draw(now, before, width) }));
  };
  try {
    await show();
    while (await pause(ctx, interval)) {
      try {
        const next = await look();
        [before, now, answeredMs] = [now, next, ctx.clock.nowMs()];
        if (failures > 0 && !live) await ctx.err.write(`${asked} answers again.\n`);
        failures = 0;
        await show();
      } catch (error) {
        if (ctx.signal.aborted) return;
        if (!(error instanceof UserError)) throw error;
        failures++;
        if (live) await show(errorMessage(error).split('\n')[0]);
        else if (failures === 1) await ctx.err.write(`${errorMessage(error)}\nStill watching.\n`);
      }
    }
  } finally {
    await live?.end();
  }
}

/** The time of day, as the clock on the wall has it. */
function timeOf(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}

async function pause(ctx: Context, ms: number): Promise<boolean> {
  await ctx.clock.sleep(ms, ctx.signal).catch((error: unknown) => {
    if (!ctx.signal.aborted) throw error;
  });
  return !ctx.signal.aborted;
}

interface MarkedLine {
  mark: string;
  line: string;
  isHeader: boolean;
}

/** A list with what became of each entry in front of its lines; cropped where it has a width. */
function marked(table: Table, before: Table | undefined, palette: Palette, width?: number): MarkedLine[] {
  const blocks = markChanges(before?.blocks ?? table.blocks, table.blocks);
  const all = { ...table, blocks };
  const shown = width === undefined ? withoutWide(all) : fitTable(all, width);
  const lines = shown.blocks.map(({ lines }, i) => ({ ...(blocks[i] ?? NONE), lines }));
  return renderMarked(shown, lines).map(({ mark, line, key }, i) => ({
    mark,
    line: paint(
      mark,
      `${mark} ${mark === ' ' ? (table.paint?.(line, key, palette) ?? line) : line}`,
      palette,
    ),
    isHeader: i < shown.headers.length,
  }));
}

const NONE: MarkedBlock = { key: '', lines: [], mark: ' ' };

function paint(mark: string, text: string, palette: Palette): string {
  if (mark === '+') return palette.good(text);
  if (mark === '~') return palette.warn(text);
  return mark === '-' ? palette.bad(text) : text;
}
