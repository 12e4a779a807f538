import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Span } from '../hubble/views/traffic/part.ts';
import { type Period, periodOf, spanOf } from '../hubble/views/traffic/selection.ts';
import type { Timeline } from '../model/traffic.ts';
import { milliseconds } from '../render/hubble/traffic.ts';

interface TimelineProps {
  timeline: Timeline;
  /** Whether it is of a part of the flows. */
  isFiltered: boolean;
  period: Period | undefined;
  /** Whether flows are still coming. */
  live: boolean;
  onPeriod: (period: Period | undefined) => void;
}

const HEIGHT = 120;

/** Flows and drops over time. A part of it that is marked is what the page shows. */
export function TimelineChart({ timeline, isFiltered, period, live, onPeriod }: TimelineProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const { first, widthMs, flows, dropped } = timeline;
  const last = first + flows.length - 1;
  const span = spanOf(period, timeline);
  const scheme = useScheme();
  const mark = useRef<(span: Span | undefined) => void>(() => {});
  // What is marked with the mouse is of the timeline as it is then.
  const marked = useRef<(span: Span | undefined) => void>(() => {});
  marked.current = (next) => onPeriod(next && periodOf(next, timeline));

  // biome-ignore lint/correctness/useExhaustiveDependencies: other colours ask for another chart
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const style = getComputedStyle(element);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const bars = uPlot.paths.bars?.({ size: [0.9, 100], align: 1 });
    const axis = { stroke: color('--muted'), grid: { stroke: color('--line'), width: 1 } };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        cursor: { drag: { x: true, y: false, setScale: false } },
        scales: {
          // The last piece has its length, too.
          x: { time: true, range: (_, from, to) => [from, to + widthMs / 1000] },
          y: { range: (_, __, max) => [0, Math.max(1, max)] },
        },
        axes: [
          { ...axis, space: 80, values: (_, splits) => splits.map(clock) },
          { ...axis, size: 48 },
        ],
        series: [
          {},
          {
            label: 'flows',
            points: { show: false },
            width: 0,
            stroke: color('--good'),
            fill: color('--good'),
            ...(bars && { paths: bars }),
          },
          {
            label: 'dropped',
            points: { show: false },
            width: 0,
            stroke: color('--bad'),
            fill: () => hatched(color('--bad'), color('--back')),
            ...(bars && { paths: bars }),
          },
        ],
        hooks: {
          setSelect: [
            (plot) => {
              const { left, width } = plot.select;
              if (width < 3) return marked.current(undefined);
              const piece = (x: number) => Math.floor((plot.posToVal(x, 'x') * 1000) / widthMs);
              marked.current({ from: piece(left), to: piece(left + width) });
            },
          ],
        },
      },
      [[], [], []],
      element,
    );
    chart.current = made;
    let now: Span | undefined;
    mark.current = (next) => {
      now = next;
      const at = (piece: number) => made.valToPos((piece * widthMs) / 1000, 'x');
      const left = next ? Math.max(0, at(next.from)) : 0;
      const width = next ? Math.max(2, at(next.to + 1) - left) : 0;
      made.setSelect({ left, width, top: 0, height: made.over.clientHeight }, false);
    };
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
      mark.current(now);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [widthMs, scheme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart of other colours is another chart
  useEffect(() => {
    const seconds = flows.map((_, i) => ((first + i) * widthMs) / 1000);
    chart.current?.setData([seconds, [...flows], [...dropped]]);
  }, [first, widthMs, flows, dropped, scheme]);
  // After the data, which say where on the chart a piece is.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a span with the same ends is the same, and new data move it
  useEffect(() => mark.current(span), [span?.from, span?.to, first, widthMs, flows, scheme]);

  const shown = span ?? { from: first, to: last };
  const move = (change: Partial<Span>) => onPeriod(periodOf({ ...shown, ...change }, timeline));
  const isLast = period !== undefined && 'lastMs' in period;
  return (
    <section class="timeline" aria-label="Timeline">
      <p class="muted">
        {isFiltered ? 'Flows over time of what the filter matches' : 'Flows over time'}, dropped ones hatched
      </p>
      <div ref={place} />
      <div class="sliders">
        <label>
          from{' '}
          <input
            type="range"
            min={first}
            max={last}
            value={shown.from}
            onInput={({ currentTarget }) => move({ from: Math.min(Number(currentTarget.value), shown.to) })}
          />
        </label>
        <label>
          to{' '}
          <input
            type="range"
            min={first}
            max={last}
            value={shown.to}
            onInput={({ currentTarget }) => move({ to: Math.max(Number(currentTarget.value), shown.from) })}
          />
        </label>
        <output>
          {spanText(shown, widthMs)}
          {live && `: ${movement(period)}`}
        </output>
        {live && (
          <button
            type="button"
            onClick={() =>
              onPeriod(
                isLast || !period
                  ? { fromMs: shown.from * widthMs, toMs: (shown.to + 1) * widthMs }
                  : { lastMs: (shown.to + 1 - shown.from) * widthMs },
              )
            }
          >
            {isLast || !period ? 'hold still' : 'go with the stream'}
          </button>
        )}
        {period && (
          <button type="button" onClick={() => onPeriod(undefined)}>
            all of it
          </button>
        )}
      </div>
    </section>
  );
}

/** Whether the page is dark, which a reader may change while it is open. */
function useScheme(): boolean {
  const query = useMemo(() => matchMedia('(prefers-color-scheme: dark)'), []);
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const change = () => setDark(query.matches);
    query.addEventListener('change', change);
    return () => query.removeEventListener('change', change);
  }, [query]);
  return dark;
}

/** What a stream does to the part that is shown. */
function movement(period: Period | undefined): string {
  if (!period) return 'all of it, as it comes';
  if ('lastMs' in period) return `the last ${milliseconds(period.lastMs)}, moving with the stream`;
  return 'held still while the stream goes on';
}

/** A fill of stripes: drops are told apart without colours, too. */
function hatched(color: string, back: string): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const pen = tile.getContext('2d');
  if (!pen) return color;
  pen.fillStyle = color;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = back;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, 'repeat') ?? color;
}

/** `15:04:05`, in UTC as Hubble's times are. */
function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

/** Letters of a time up to its tenths. */
const TENTHS = '2006-01-02T15:04:05.0'.length;

/** The ends of the part that is shown, exact: pieces begin at tenths of a second. They are as --since and --until take them. */
function spanText({ from, to }: Span, widthMs: number): string {
  const time = (piece: number) => {
    const date = new Date(piece * widthMs);
    return Number.isNaN(date.getTime()) ? '?' : `${date.toISOString().slice(0, TENTHS)}Z`;
  };
  return `${time(from)} – ${time(to + 1)}`;
}
