import type { BpfMapRow } from '../../model/bpf-map.ts';
import type { Palette } from '../text/palette.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** Above this share of its capacity a map is near to losing entries. */
const WARN_PERCENT = 75;
const FULL_PERCENT = 90;

interface Column {
  header: string;
  cell: (row: BpfMapRow) => string;
  right?: boolean;
  paint?: (text: string, row: BpfMapRow, palette: Palette) => string;
}

const COLUMNS: readonly Column[] = [
  { header: 'NAME', cell: (row) => sanitizeCell(row.name) },
  { header: 'TYPE', cell: (row) => row.type },
  { header: 'KEY', cell: (row) => String(row.keySize), right: true },
  { header: 'VALUE', cell: (row) => String(row.valueSize), right: true },
  { header: 'ENTRIES', cell: (row) => String(row.entries ?? '-'), right: true },
  { header: 'MAX', cell: (row) => String(row.maxEntries), right: true },
  {
    header: 'PRESSURE',
    cell: (row) => (row.pressure === undefined ? '-' : `${row.pressure.toFixed(1)}%`),
    right: true,
    paint: (text, { pressure = 0 }, palette) =>
      pressure >= FULL_PERCENT ? palette.bad(text) : pressure >= WARN_PERCENT ? palette.warn(text) : text,
  },
  { header: 'MEMORY', cell: (row) => formatBytes(row.memoryBytes), right: true },
  { header: 'FLAGS', cell: (row) => row.flags.join(',') || '-' },
  { header: 'ID', cell: (row) => String(row.id), right: true },
  { header: 'PROGS', cell: (row) => String(row.programs.length), right: true },
  { header: 'OWNER', cell: owner },
  { header: 'PATH', cell: (row) => sanitizeCell(row.path) },
];

/** The table of `bpf maps list`. */
export function renderBpfMaps(rows: readonly BpfMapRow[], palette: Palette): string {
  const cells = rows.map((row) => COLUMNS.map(({ cell }) => cell(row)));
  const widths = COLUMNS.map(({ header }, i) =>
    Math.max(header.length, ...cells.map((line) => line[i]?.length ?? 0)),
  );
  const line = (texts: readonly string[], row?: BpfMapRow) =>
    COLUMNS.map(({ right, paint }, i) => {
      const text = texts[i] ?? '';
      const last = i === COLUMNS.length - 1;
      const padded = right ? text.padStart(widths[i] ?? 0) : last ? text : text.padEnd(widths[i] ?? 0);
      return paint && row ? paint(padded, row, palette) : padded;
    }).join('   ');
  const header = line(COLUMNS.map(({ header }) => header));
  return `${[header, ...rows.map((row, i) => line(cells[i] ?? [], row))].join('\n')}\n`;
}

function owner({ feature, endpoint }: BpfMapRow): string {
  if (feature === '') return '-';
  return endpoint === undefined ? feature : `${feature}, endpoint ${endpoint}`;
}

/** Bytes in binary units with one digit, as in `30.8 MiB`. */
function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${units[unit]}`;
}
