/** Cell geometry of a writer, as in Go's text/tabwriter (pad character: blank). */
export interface TabStop {
  /** Least width of a cell, padding included. */
  minWidth: number;
  padding: number;
}

/** The writer of most list commands: tab(5,0,3). */
export const LIST_TABLE: TabStop = { minWidth: 5, padding: 3 };

/**
 * Aligns the cells of `text` as Go's text/tabwriter does. A cell is text that a tab terminates; what follows the
 * last tab of a line is never padded. A column is a run of consecutive lines that have that cell, and a line
 * without any tab ends all columns above it.
 */
export function tabulate(text: string, { minWidth, padding }: TabStop): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const cellWidth = SURROGATE.test(text) ? codePoints : units;
  const widths: number[] = [];
  const out: string[] = [];
  const format = (from: number, to: number): void => {
    const column = widths.length;
    for (let at = from; at < to; at++) {
      const line = lines[at] ?? [];
      if (column >= line.length - 1) continue;
      // The lines from `from` to `at` lack this column: their columns are settled.
      emit(from, at);
      let end = at;
      let width = minWidth;
      for (; end < to; end++) {
        const cells = lines[end] ?? [];
        if (column >= cells.length - 1) break;
        const needed = cellWidth(cells[column] ?? '') + padding;
        if (needed > width) width = needed;
      }
      widths.push(width);
      format(at, end);
      widths.pop();
      from = end;
      at = end - 1;
    }
    emit(from, to);
  };
  const emit = (from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      const cells = lines[at] ?? [];
      const last = cells.length - 1;
      let line = '';
      for (let j = 0; j < last; j++) {
        const cell = cells[j] ?? '';
        line += cell + blanks((widths[j] ?? 0) - cellWidth(cell));
      }
      out.push(line + (cells[last] ?? ''));
    }
  };
  // A line of one cell flushes the writer, so each stretch between such lines is aligned by itself.
  let start = 0;
  for (let at = 0; at < lines.length; at++) {
    if ((lines[at]?.length ?? 0) > 1) continue;
    format(start, at + 1);
    start = at + 1;
  }
  format(start, lines.length);
  return out.join('\n');
}

const SURROGATE = /[\ud800-\udfff]/;

/** Width in code points, which is what tabwriter counts. */
function codePoints(cell: string): number {
  let n = 0;
  for (const _ of cell) n++;
  return n;
}

/** The same where no character lies beyond the BMP. */
function units(cell: string): number {
  return cell.length;
}

const BLANKS = ' '.repeat(64);

function blanks(n: number): string {
  if (n <= 0) return '';
  return n <= BLANKS.length ? BLANKS.slice(0, n) : ' '.repeat(n);
}
