const BARS = '▁▂▃▄▅▆▇█';

/** A row of bars, the highest as high as the highest value. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values.map((value) => BARS[Math.round((value / most) * (BARS.length - 1))] ?? BARS[0]).join('');
}

/** `1234567` as `1.2M`. */
export function short(n: number): string {
  if (n < 10_000) return String(Math.round(n));
  return n < 1e6 ? `${(n / 1e3).toFixed(1)}k` : `${(n / 1e6).toFixed(1)}M`;
}

/** A flow's fields one per line, nested by dots: what the details pane shows. */
export function detailLines(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) {
    const plain = value.every((item) => typeof item !== 'object');
    return plain
      ? [`${path}: ${value.join(', ')}`]
      : value.flatMap((item, i) => detailLines(item, `${path}[${i}]`));
  }
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, child]) =>
      detailLines(child, path === '' ? key : `${path}.${key}`),
    );
  return [`${path}: ${String(value)}`];
}

/** A column of the list of flows: which cell of a flow (time, node, source, destination, type, verdict, summary), how wide. */
export interface LiveColumn {
  heading: string;
  cell: number;
  width: number;
}

const HEADINGS = ['TIME', 'NODE', 'SOURCE', 'DESTINATION', 'TYPE', 'VERDICT', 'SUMMARY'];
const VERDICT = HEADINGS.indexOf('VERDICT');
const VERDICT_WIDTH = 10;

/** The columns that a terminal has room for. Time, type and verdict have their widths; the ends and the summary share the rest. */
export function liveColumns(columns: number): LiveColumn[] {
  const time = columns >= 120 ? 19 : columns >= 70 ? 12 : 8;
  const node = columns >= 180 ? 16 : 0;
  const type = columns >= 160 ? 30 : columns >= 120 ? 24 : columns >= 70 ? 14 : 0;
  const fixed = [time, node, type, VERDICT_WIDTH].filter((width) => width > 0);
  const gaps = fixed.length + (columns >= 100 ? 2 : 1);
  const left = Math.max(20, columns - fixed.reduce((sum, width) => sum + width, 0) - gaps);
  const summary = columns >= 100 ? Math.floor(left * (columns >= 160 ? 0.32 : 0.24)) : 0;
  const end = Math.floor((left - summary) / 2);
  return [time, node, end, end, type, VERDICT_WIDTH, summary]
    .map((width, cell) => ({ heading: HEADINGS[cell] ?? '', cell, width }))
    .filter(({ width }) => width > 0);
}

function clip(text: string, width: number): string {
  const points = [...text];
  return points.length > width ? `${points.slice(0, Math.max(0, width - 1)).join('')}…` : text.padEnd(width);
}

/** Cuts a name and leaves the port behind it. */
function clipHost(text: string, width: number): string {
  const [, host = '', port = ''] = /^(.*)(:\d+)$/.exec(text) ?? [];
  return port === '' || text.length <= width || port.length + 4 > width
    ? clip(text, width)
    : `${clip(host, width - port.length)}${port}`;
}

/** The headings, as wide as the columns. */
export function liveHeadings(columns: readonly LiveColumn[]): string {
  return columns.map(({ heading, width }) => clip(heading, width)).join(' ');
}

/** A part of a line that is shown in one way. */
export interface Span {
  text: string;
  /** It is the verdict, which has a colour. */
  verdict: boolean;
  /** It is what is searched for. */
  found: boolean;
}

/** A flow as lines of spans: one that is cut where the columns end, or, `wrapped`, all of it in as many as it takes. */
export function liveLines(
  cells: readonly string[],
  columns: readonly LiveColumn[],
  { search, wrapped }: { search: string; wrapped: boolean },
  width: number,
): Span[][] {
  let line = '';
  let verdict: [number, number] = [0, 0];
  const shown = wrapped ? cells.keys().map((cell) => ({ cell, width: 0 })) : columns;
  for (const { cell, width: room } of shown) {
    const text = cells[cell] ?? '';
    if (wrapped && text === '') continue;
    if (line !== '') line += ' ';
    const at = line.length;
    line += wrapped ? text : cellIn(cell, text, room);
    if (cell === VERDICT) verdict = [at, at + text.length];
  }
  if (!wrapped) return [spansOf(line, 0, verdict, search)];
  const lines: Span[][] = [];
  for (let at = 0; at < line.length; ) {
    // What is wrapped is set in by two.
    const indent = at === 0 ? '' : '  ';
    const end = at + Math.max(1, width - indent.length);
    const spans = spansOf(line.slice(at, end), at, verdict, search);
    lines.push(indent === '' ? spans : [{ text: indent, verdict: false, found: false }, ...spans]);
    at = end;
  }
  return lines;
}

function cellIn(cell: number, text: string, width: number): string {
  // The beginning of a time says least: the clock is at its end.
  if (cell === 0 && text.length > width) return width < 12 ? clockOf(text) : text.slice(-width);
  const isEnd = HEADINGS[cell] === 'SOURCE' || HEADINGS[cell] === 'DESTINATION';
  return isEnd ? clipHost(text, width) : clip(text, width);
}

/** The clock of a time, without what is smaller than a second. */
function clockOf(time: string): string {
  return /\d\d:\d\d:\d\d/.exec(time)?.[0] ?? time.slice(0, 8);
}

function spansOf(line: string, offset: number, verdict: readonly [number, number], search: string): Span[] {
  const hits = search === '' ? [] : hitsOf(line, search);
  const [from, to] = [verdict[0] - offset, verdict[1] - offset];
  const cuts = [0, from, to, line.length, ...hits.flat()].filter((at) => at >= 0 && at <= line.length);
  const ordered = [...new Set(cuts)].toSorted((a, b) => a - b);
  return ordered.slice(0, -1).map((start, i) => ({
    text: line.slice(start, ordered[i + 1]),
    verdict: start >= from && start < to,
    found: hits.some(([first, last]) => start >= first && start < last),
  }));
}

function hitsOf(line: string, search: string): [number, number][] {
  const hits: [number, number][] = [];
  const [text, wanted] = [line.toLowerCase(), search.toLowerCase()];
  // A letter whose small form is longer would move what is behind it.
  if (text.length !== line.length) return hits;
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length))
    hits.push([at, at + wanted.length]);
  return hits;
}

/** Whether the cells of a flow hold a text, however it is written. */
export function holdsText(cells: readonly string[], search: string): boolean {
  return cells.join(' ').toLowerCase().includes(search.toLowerCase());
}

/**
 * Which items of a list stand in `height` lines: the last ones, or those around `at`, each with as many lines as
 * `linesOf` says. The one at `at` is always there.
 */
export function visibleRange(
  count: number,
  height: number,
  at: number | 'end',
  linesOf: (index: number) => number,
): [from: number, to: number] {
  if (count === 0) return [0, 0];
  const selected = at === 'end' ? count - 1 : at;
  let used = linesOf(selected);
  let [from, to] = [selected, selected + 1];
  const up = (room: number) => {
    while (from > 0 && used + linesOf(from - 1) <= room) used += linesOf(--from);
  };
  if (at !== 'end') up(Math.min(height, Math.floor(height / 2) + linesOf(selected)));
  while (to < count && used + linesOf(to) <= height) used += linesOf(to++);
  up(height);
  return [from, to];
}

/** Shares room among parts that want so much each: equally, and what one does not want goes to the others. */
export function shareRoom(wanted: readonly number[], room: number): number[] {
  const got = wanted.map(() => 0);
  for (let left = room, given = 1; left > 0 && given > 0; ) {
    given = 0;
    for (const [i, most] of wanted.entries()) {
      const has = got[i] ?? 0;
      if (has >= most || given >= left) continue;
      got[i] = has + 1;
      given++;
    }
    left -= given;
  }
  return got;
}

/** Breaks lines so that each fits, between words where one is near; `prefix` stands before what is wrapped. */
export function wrapLines(lines: readonly string[], width: number, prefix = '  '): string[] {
  return lines.flatMap((line) => {
    const parts: string[] = [];
    for (let rest = [...line]; ; ) {
      const room = Math.max(1, width - (parts.length > 0 ? prefix.length : 0));
      const space = rest.length > room ? rest.lastIndexOf(' ', room) : -1;
      const end = space > room / 2 ? space : room;
      parts.push(`${parts.length > 0 ? prefix : ''}${rest.slice(0, end).join('')}`);
      rest = rest.slice(end === space ? end + 1 : end);
      if (rest.length === 0) return parts;
    }
  });
}
