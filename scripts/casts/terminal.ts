/** How a cell is drawn: numbers of SGR as a terminal has them. */
export interface Style {
  color?: number;
  bold?: boolean;
  dim?: boolean;
}

/** Characters in a row that are drawn alike. */
export interface Run {
  column: number;
  text: string;
  style: Style;
}

interface Cell {
  text: string;
  style: Style;
}

/** ESC [ parameters letter. */
const SEQUENCE = /\u001b\[([0-9;]*)([A-Za-z])/y;

/**
 * What a terminal of so many columns shows when it has been sent a text, row by row. Knows what this program sends: colours,
 * carriage return, erasing and going up. Anything else is an error, so that no picture shows what a terminal would not.
 */
export function shownRows(text: string, columns: number): Run[][] {
  const rows: Cell[][] = [[]];
  let [row, column, style]: [number, number, Style] = [0, 0, {}];
  const rowAt = (at: number): Cell[] => (rows[at] ??= []);
  for (let at = 0; at < text.length; ) {
    const [symbol = ''] = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (symbol === '\u001b') {
      SEQUENCE.lastIndex = at;
      const [whole, parameters = '', letter] = SEQUENCE.exec(text) ?? [];
      if (whole === undefined)
        throw new Error(`not a sequence that is known: ${JSON.stringify(text.slice(at, at + 12))}`);
      at += whole.length;
      if (letter === 'm') style = styled(style, parameters);
      else if (letter === 'K') rowAt(row).length = column;
      else if (letter === 'J') {
        rowAt(row).length = column;
        rows.length = row + 1;
      } else if (letter === 'A') row = Math.max(0, row - Number(parameters || 1));
      else throw new Error(`not a sequence that is known: ${JSON.stringify(whole)}`);
      continue;
    }
    at += symbol.length;
    if (symbol === '\r') column = 0;
    else if (symbol === '\n') {
      row++;
      column = 0;
      rowAt(row);
    } else {
      if (column === columns) {
        row++;
        column = 0;
      }
      const cells = rowAt(row);
      while (cells.length < column) cells.push({ text: ' ', style: {} });
      cells[column] = { text: symbol, style };
      column++;
    }
  }
  while (rows.length > 1 && rows.at(-1)?.length === 0) rows.pop();
  return rows.map(runsOf);
}

function styled(before: Style, parameters: string): Style {
  let style = { ...before };
  for (const code of (parameters || '0').split(';').map(Number)) {
    if (code === 0) style = {};
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 22) style = { ...(style.color !== undefined && { color: style.color }) };
    else if (code === 39) delete style.color;
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) style.color = code;
    else throw new Error(`not a colour that is known: ${code}`);
  }
  return style;
}

function runsOf(cells: readonly Cell[]): Run[] {
  const runs: Run[] = [];
  cells.forEach(({ text, style }, column) => {
    const last = runs.at(-1);
    if (last && JSON.stringify(last.style) === JSON.stringify(style)) last.text += text;
    else runs.push({ column, text, style });
  });
  return runs.filter(({ text }) => text.trim() !== '');
}
