import type { EndpointRow } from '../../model/endpoint.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { addressCells, policyMode } from './endpoint.ts';

type Cell = (row: EndpointRow) => string;

/** All columns of `endpoint list` but the labels, by the names that `--columns` has for them. */
const COLUMNS: Readonly<Record<string, readonly [header: string, cell: Cell]>> = {
  id: ['ENDPOINT', (row) => String(row.id)],
  namespace: ['NAMESPACE', (row) => row.namespace],
  pod: ['POD', (row) => row.pod],
  ingress: ['INGRESS', (row) => policyMode(row.policy)[0]],
  egress: ['EGRESS', (row) => policyMode(row.policy)[1]],
  identity: ['IDENTITY', (row) => String(row.identity ?? '<no label id>')],
  ipv6: ['IPV6', (row) => addressCells(row)[0]],
  ipv4: ['IPV4', (row) => addressCells(row)[1]],
  status: ['STATUS', (row) => row.state ?? 'Unknown'],
};
export const ENDPOINT_COLUMNS = [...Object.keys(COLUMNS), 'labels'];
const HEADERS = [...Object.values(COLUMNS).map(([header]) => header), 'LABELS'];

/** Every column, labels one below the other: what `--columns` and `--sort` choose from. */
export function endpointColumnsTable(rows: readonly EndpointRow[]): Table {
  return tableOf(rows, ({ labels }) => labels.map(sanitizeCell));
}

const PADDING = 3;
/** Labels are not squeezed into less. */
const LEAST_LABEL_WIDTH = 24;

/** `-o wide`: every column, the labels last and wrapped to the terminal; unwrapped where there is none. */
export function endpointWideTable(rows: readonly EndpointRow[], width: number | undefined): Table {
  const taken = Object.values(COLUMNS).reduce((sum, [header, cell]) => {
    const widest = rows.reduce((most, row) => Math.max(most, cell(row).length), header.length);
    return sum + widest + PADDING;
  }, 0);
  const room = width === undefined ? Number.POSITIVE_INFINITY : Math.max(LEAST_LABEL_WIDTH, width - taken);
  return tableOf(rows, ({ labels }) => wrap(labels.map(sanitizeCell), room));
}

function tableOf(rows: readonly EndpointRow[], labelLines: (row: EndpointRow) => string[]): Table {
  const blocks = rows.map((row) => {
    const cells = Object.values(COLUMNS).map(([, cell]) => sanitizeCell(cell(row)));
    const [first = '', ...more] = labelLines(row);
    const blank = '\t'.repeat(cells.length);
    return {
      key: String(row.id),
      lines: [[...cells, first].join('\t'), ...more.map((line) => blank + line)],
    };
  });
  return { headers: [HEADERS.join('\t')], names: ENDPOINT_COLUMNS, blocks };
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
