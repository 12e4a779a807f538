import type { Palette } from './palette.ts';
import { sanitizeCell } from './sanitize.ts';
import { LIST_TABLE, type TabStop, tabulate } from './table.ts';

/** One entry of a list: its first line and the lines that continue it. Cells are separated by tabs. */
export interface Block {
  /** What the entry is known by from one look at the list to the next. */
  key: string;
  lines: string[];
}

/** A list before it is laid out. */
export interface Table {
  headers: string[];
  blocks: Block[];
  stop?: TabStop;
  /** Names of the columns for `--columns` and `--sort`, by their place; without them the headers give the names. */
  names?: readonly string[];
  /** Places of the columns that `-o wide` adds, and a terminal that is wide enough. */
  wide?: readonly number[];
  /** Places of the columns that a terminal is spared which is too narrow for all of them. */
  extra?: readonly number[];
  /** No bytes are promised, so in a terminal the table is cropped to its width. */
  isOurs?: boolean;
  /** Colours a line that is laid out, of the entry with this key. */
  paint?: (line: string, key: string, palette: Palette) => string;
}

/** A table whose last column is not padded; its entries are known by their first `keys` cells, or all but the last. */
export function rowTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { keys = Math.max(1, header.length - 1), ...form }: Partial<Table> & { keys?: number } = {},
): Table {
  const seen = new Map<string, number>();
  const blocks = rows.map((cells) => {
    const name = cells.slice(0, keys).join('\t');
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return { key: `${name}\t${times}`, lines: [cells.map(sanitizeCell).join('\t')] };
  });
  return { headers: [header.join('\t')], blocks, ...form };
}

/** Lays a list out as the reference does. */
export function renderTable({ headers, blocks, stop = LIST_TABLE }: Table): string {
  const lines = [...headers];
  for (const block of blocks) for (const line of block.lines) lines.push(line);
  return lines.length === 0 ? '' : tabulate(`${lines.join('\n')}\n`, stop);
}

/** What became of an entry since the last look. */
export type Mark = ' ' | '+' | '~' | '-';
export interface MarkedBlock extends Block {
  mark: Mark;
}

/** The entries of `after` in their order, marked, with those that went away at their old place. */
export function markChanges(before: readonly Block[], after: readonly Block[]): MarkedBlock[] {
  const old = new Map(before.map((block) => [block.key, block]));
  const kept = new Set(after.map((block) => block.key));
  const marked: MarkedBlock[] = after.map((block) => {
    const was = old.get(block.key);
    const same = was?.lines.join('\n') === block.lines.join('\n');
    return { ...block, mark: was === undefined ? '+' : same ? ' ' : '~' };
  });
  before.forEach((block, at) => {
    if (!kept.has(block.key)) marked.splice(Math.min(at, marked.length), 0, { ...block, mark: '-' });
  });
  return marked;
}

/** A list whose lines begin with their mark, and of which entry each is. */
export function renderMarked(
  table: Table,
  marked: readonly MarkedBlock[],
): { mark: Mark; line: string; key: string }[] {
  const of = [
    ...table.headers.map(() => ({ mark: ' ' as const, key: '' })),
    ...marked.flatMap(({ lines, mark, key }) => lines.map(() => ({ mark, key }))),
  ];
  const text = renderTable({ ...table, blocks: [...marked] });
  const lines = text.split('\n');
  return of.map((one, i) => ({ ...one, line: lines[i] ?? '' }));
}
