import { compareRanges, parseAddress } from '../../lib/address.ts';
import { compareBytes } from '../../lib/order.ts';
import type { EndpointRow } from '../../model/endpoint.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { addressCells, policyMode } from './endpoint.ts';

interface Column {
  header: string;
  /** One line each; most columns have one. */
  cell(row: EndpointRow): string[];
  compare(a: EndpointRow, b: EndpointRow): number;
}

function textColumn(header: string, text: (row: EndpointRow) => string): Column {
  return {
    header,
    cell: (row) => [sanitizeCell(text(row))],
    compare: (a, b) => compareBytes(text(a), text(b)),
  };
}

function addressColumn(header: string, side: 0 | 1, family: 'ipv4' | 'ipv6'): Column {
  const address = (row: EndpointRow) => parseAddress(row.addresses?.[family] ?? '');
  return {
    header,
    cell: (row) => [addressCells(row)[side]],
    compare: (a, b) => {
      const [x, y] = [address(a), address(b)];
      return x && y ? compareRanges(x, y) : Number(y !== undefined) - Number(x !== undefined);
    },
  };
}

/** Columns of `endpoint list --columns`, by name. */
const COLUMNS = {
  id: {
    header: 'ENDPOINT',
    cell: (row) => [String(row.id)],
    compare: (a, b) => a.id - b.id,
  },
  namespace: textColumn('NAMESPACE', (row) => row.namespace),
  pod: textColumn('POD', (row) => row.pod),
  ingress: textColumn('INGRESS', (row) => policyMode(row.policy)[0]),
  egress: textColumn('EGRESS', (row) => policyMode(row.policy)[1]),
  identity: {
    header: 'IDENTITY',
    cell: (row) => [String(row.identity ?? '<no label id>')],
    compare: (a, b) => (a.identity ?? -1) - (b.identity ?? -1),
  },
  ipv6: addressColumn('IPV6', 0, 'ipv6'),
  ipv4: addressColumn('IPV4', 1, 'ipv4'),
  status: textColumn('STATUS', (row) => row.state ?? 'Unknown'),
  labels: {
    header: 'LABELS',
    cell: (row) => row.labels.map(sanitizeCell),
    compare: (a, b) => compareBytes(a.labels.join(','), b.labels.join(',')),
  },
} as const satisfies Record<string, Column>;

export type EndpointColumn = keyof typeof COLUMNS;
export const ENDPOINT_COLUMNS = Object.keys(COLUMNS) as EndpointColumn[];

/** Narrows a word of the command line to a column. */
export function isEndpointColumn(word: string): word is EndpointColumn {
  return Object.hasOwn(COLUMNS, word);
}

/** How `--sort` orders: by one column after the other. */
export function endpointOrder(
  keys: readonly { column: EndpointColumn; descending: boolean }[],
): (a: EndpointRow, b: EndpointRow) => number {
  return (a, b) => {
    for (const { column, descending } of keys) {
      const order = COLUMNS[column].compare(a, b);
      if (order !== 0) return descending ? -order : order;
    }
    return a.id - b.id;
  };
}

/** `--columns`: these columns in this order, labels one below the other. */
export function endpointColumnsTable(
  rows: readonly EndpointRow[],
  columns: readonly EndpointColumn[],
  options: { headers: boolean },
): Table {
  const shown = columns.map((name): Column => COLUMNS[name]);
  const blocks = rows.map((row) => {
    const cells = shown.map((column) => column.cell(row));
    const height = Math.max(1, ...cells.map((lines) => lines.length));
    const lines = Array.from({ length: height }, (_, i) => cells.map((cell) => cell[i] ?? '').join('\t'));
    return { key: String(row.id), lines };
  });
  return { headers: options.headers ? [shown.map((column) => column.header).join('\t')] : [], blocks };
}

const PADDING = 3;
/** Labels are not squeezed into less. */
const LEAST_LABEL_WIDTH = 24;

/** `-o wide`: every column, the labels last and wrapped to the terminal; unwrapped where there is none. */
export function endpointWideTable(
  rows: readonly EndpointRow[],
  options: { headers: boolean; width: number | undefined },
): Table {
  const names = ENDPOINT_COLUMNS.filter((name) => name !== 'labels');
  const lead = endpointColumnsTable(rows, names, { headers: options.headers });
  const taken = names.reduce((sum, name, at) => {
    const cells = [
      ...(options.headers ? [COLUMNS[name].header] : []),
      ...lead.blocks.map((block) => block.lines[0]?.split('\t')[at] ?? ''),
    ];
    return sum + cells.reduce((width, cell) => Math.max(width, cell.length), 2) + PADDING;
  }, 0);
  const room =
    options.width === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(LEAST_LABEL_WIDTH, options.width - taken);
  const blank = '\t'.repeat(names.length);
  const blocks = lead.blocks.map((block, i) => {
    const [first = '', ...more] = wrap(rows[i]?.labels.map(sanitizeCell) ?? [], room);
    return { key: block.key, lines: [`${block.lines[0]}\t${first}`, ...more.map((line) => blank + line)] };
  });
  return {
    headers: options.headers ? [`${lead.headers[0]}\t${COLUMNS.labels.header}`] : [],
    blocks,
  };
}

/** Words joined by commas, in lines of at most `width` where a word fits at all. */
function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  words.forEach((word, i) => {
    const text = i < words.length - 1 ? `${word},` : word;
    if (line !== '' && line.length + text.length > width) {
      lines.push(line);
      line = text;
    } else line += text;
  });
  return line === '' ? lines : [...lines, line];
}
