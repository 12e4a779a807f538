import type { Timeline } from '../../model/traffic.ts';

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/** What was dropped looks unlike what was not, without colour too. */
const SHADES = ['░', '▒', '▓'];
const WIDEST = 4;
/** A label of the axis with the gap behind it. */
const LABEL_ROOM = 17;
const DAY_MS = 86_400_000;
/** No date is later, and none that is as long before 1970 is earlier: a bar may begin or end beyond the last flow. */
const LAST_MS = 8.64e15;

/** One bar of the timeline: flows from one time until another, in milliseconds since the epoch. */
export interface Bar {
  fromMs: number;
  toMs: number;
  flows: number;
  dropped: number;
}

/** As many pieces of time together as it takes for their bars to fit. */
export function barsOf({ first, widthMs, flows, dropped }: Timeline, columns: number): Bar[] {
  const last = first + flows.length - 1;
  let together = Math.max(1, Math.ceil(flows.length / Math.max(1, columns)));
  while (flows.length > 0 && barAt(last, together) - barAt(first, together) >= columns) together++;
  const bars: Bar[] = [];
  for (const [i, count] of flows.entries()) {
    const number = barAt(first + i, together) - barAt(first, together);
    const fromMs = barAt(first + i, together) * together * widthMs;
    bars[number] ??= { fromMs, toMs: fromMs + together * widthMs, flows: 0, dropped: 0 };
    bars[number].flows += count;
    bars[number].dropped += dropped[i] ?? 0;
  }
  return bars;
}

/** Bars begin at multiples of their length, so that they stay when the timeline grows. */
const barAt = (piece: number, together: number) => Math.floor(piece / together);

/** A part of a line of the timeline. */
export interface ChartSpan {
  text: string;
  of: 'flows' | 'drops' | 'axis' | 'window';
}

/** Room and marks of a timeline. */
export interface ChartShape {
  columns: number;
  height: number;
  /** Numbers of the first and the last bar that are marked. */
  marked: readonly [number, number] | undefined;
}

/** Flows stand on the axis, drops hang below it, each with a scale of its own; the marked bars are a thick part of the axis. */
export function renderTimeline(bars: readonly Bar[], { columns, height, marked }: ChartShape): ChartSpan[][] {
  if (bars.length === 0) return [];
  const width = Math.max(1, Math.min(WIDEST, Math.floor(columns / bars.length)));
  const mostFlows = Math.max(1, ...bars.map(({ flows }) => flows));
  const mostDropped = Math.max(...bars.map(({ dropped }) => dropped));
  const labels = height >= 5 ? 1 : 0;
  const room = height - 1 - labels;
  const below = mostDropped > 0 ? Math.max(1, Math.floor(room / 3)) : 0;
  const above = Math.max(1, room - below);
  const line = (of: ChartSpan['of'], cell: (bar: Bar) => string): ChartSpan[] => [
    { of, text: bars.map((bar) => cell(bar).repeat(width)).join('') },
  ];
  return [
    ...Array.from({ length: above }, (_, i) =>
      line('flows', ({ flows }) => stacked((flows / mostFlows) * above, above - 1 - i, BARS)),
    ),
    axis(bars.length, width, marked),
    ...Array.from({ length: below }, (_, i) =>
      line('drops', ({ dropped }) => stacked((dropped / mostDropped) * below, i, SHADES)),
    ),
    ...(labels > 0 ? [[{ of: 'axis' as const, text: labelsOf(bars, width) }]] : []),
  ];
}

/** One cell of a bar so many cells long, `at` cells from the axis: what is more than nothing shows. */
function stacked(length: number, at: number, glyphs: readonly string[]): string {
  const part = Math.min(1, length - at);
  if (part <= 0) return ' ';
  if (at > 0 && part * glyphs.length < 0.5) return ' ';
  return glyphs[Math.max(0, Math.round(part * glyphs.length) - 1)] ?? ' ';
}

function axis(bars: number, width: number, marked: ChartShape['marked']): ChartSpan[] {
  const [from, to] = marked ?? [bars, bars - 1];
  return [
    { of: 'axis' as const, text: '─'.repeat(from * width) },
    { of: 'window' as const, text: '━'.repeat(Math.max(0, to - from + 1) * width) },
    { of: 'axis' as const, text: '─'.repeat(Math.max(0, bars - 1 - to) * width) },
  ].filter(({ text }) => text !== '');
}

/** Times at which bars begin, as far as they have room; the first has it always. */
function labelsOf(bars: readonly Bar[], width: number): string {
  const every = Math.ceil(LABEL_ROOM / width);
  return bars
    .flatMap(({ fromMs }, i) => (i % every === 0 ? clockText(fromMs, bars) : []))
    .filter((label, i) => i === 0 || i * every * width + label.length <= bars.length * width)
    .map((label) => label.padEnd(every * width))
    .join('')
    .trimEnd();
}

/** A time of a timeline, in UTC: as exact as its bars are long, with the day where there is more than one. */
export function clockText(timeMs: number, bars: readonly Bar[]): string {
  const [first] = bars;
  const lengthMs = first ? (bars.at(-1)?.toMs ?? first.toMs) - first.fromMs : 0;
  const barMs = first ? first.toMs - first.fromMs : 1000;
  const iso = new Date(Math.max(-LAST_MS, Math.min(timeMs, LAST_MS))).toISOString();
  const day = lengthMs > DAY_MS ? `${iso.slice(5, 10)} ` : '';
  return day + iso.slice(11, barMs % 1000 === 0 ? 19 : 21);
}

/** How long a bar is, as `0.8 s`. */
export function barLength(bars: readonly Bar[]): string {
  const [first] = bars;
  const seconds = first ? (first.toMs - first.fromMs) / 1000 : 0;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Number((seconds / 60).toFixed(1))} min`;
  return `${Number((seconds / 3600).toFixed(1))} h`;
}
