import type { Table } from './blocks.ts';
import { visible } from './sanitize.ts';
import { LIST_TABLE, type TabStop, tabulate } from './table.ts';

const ELLIPSIS = '…';
/** Cells are not cropped to less than the first, and to less than the second never. */
const LEAST = [8, 4];

/** A line in so many cells of a terminal; `…` stands for the rest, and one that is cropped loses its colours. */
export function crop(line: string, width: number): string {
  if (line.length <= width) return line;
  const text = visible(line);
  const points = [...text];
  return points.length <= width ? line : `${points.slice(0, Math.max(0, width - 1)).join('')}${ELLIPSIS}`;
}

/**
 * The table as a terminal of this width shows it: columns that are wide only are left out unless all fit, then the widest
 * cells are cropped, as much as is needed and no more.
 */
export function fitTable(table: Table, width: number): Table {
  // Columns are counted from the front: what is left out first must not move the others.
  const { extra = [], ...whole } = table;
  const narrow = unlessAllFit(withoutWide(whole, width), extra, width);
  const widths = widthsOf(narrow);
  const { padding, minWidth } = narrow.stop ?? LIST_TABLE;
  const taken = () =>
    widths.reduce(
      (sum, cell, i) => sum + (i < widths.length - 1 ? Math.max(minWidth, cell + padding) : cell),
      0,
    );
  for (const least of LEAST)
    for (let over = taken() - width; over > 0; over = taken() - width) {
      const widest = Math.max(...widths);
      if (widest <= least) break;
      const next = Math.max(least, ...widths.filter((cell) => cell < widest));
      // Those that are equally wide are cropped alike.
      let others = widths.filter((cell) => cell === widest).length;
      let left = over;
      for (const [i, cell] of widths.entries()) {
        if (cell !== widest) continue;
        widths[i] = Math.max(next, cell - Math.ceil(left / others--));
        left -= cell - (widths[i] ?? 0);
      }
    }
  const line = (text: string) =>
    text
      .split('\t')
      .slice(0, widths.length)
      .map((cell, i) => crop(cell, widths[i] ?? 0))
      .join('\t');
  return {
    ...narrow,
    headers: narrow.headers.map(line),
    blocks: narrow.blocks.map((block) => ({ ...block, lines: block.lines.map(line) })),
  };
}

/** The table without the columns that are for `-o wide`, unless all of them fit into the width. */
export function withoutWide({ wide = [], ...table }: Table, width = 0): Table {
  return unlessAllFit(table, wide, width);
}

function unlessAllFit(table: Table, places: readonly number[], width: number): Table {
  const { padding } = table.stop ?? LIST_TABLE;
  const needed = widthsOf(table).reduce((sum, cell) => sum + cell + padding, -padding);
  if (places.length === 0 || needed <= width) return table;
  const hidden = new Set(places);
  const isKept = (_: unknown, i: number) => !hidden.has(i);
  const line = (text: string) => text.split('\t').filter(isKept).join('\t');
  const { names } = table;
  return {
    ...table,
    ...(names && { names: names.filter(isKept) }),
    headers: table.headers.map(line),
    blocks: table.blocks.map((block) => ({ ...block, lines: block.lines.map(line) })),
  };
}

function widthsOf({ headers, blocks }: Table): number[] {
  const widths: number[] = [];
  const take = (text: string) => {
    for (const [i, cell] of text.split('\t').entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  };
  for (const header of headers) take(header);
  for (const block of blocks) for (const text of block.lines) take(text);
  // A tab at the end of each line makes a last column of nothing.
  while (widths.length > 1 && widths.at(-1) === 0) widths.pop();
  return widths;
}

/** As `tabulate`, cropped where there is a width: for the tables of a report, with their headers among the lines. */
export function tabulateWithin(text: string, stop: TabStop, width: number | undefined): string {
  if (width === undefined) return tabulate(text, stop);
  const end = text.endsWith('\n') ? '\n' : '';
  const lines = (end ? text.slice(0, -1) : text).split('\n');
  const { blocks } = fitTable({ headers: [], blocks: [{ key: '', lines }], stop }, width);
  return tabulate(`${blocks.flatMap((block) => block.lines).join('\n')}${end}`, stop);
}
