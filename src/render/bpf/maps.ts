import type { BpfMapRow } from '../../model/bpf-map.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** Above this share of its capacity a map is near to losing entries. */
const WARN_PERCENT = 75;
const FULL_PERCENT = 90;

interface Column {
  header: string;
  cell: (row: BpfMapRow) => string;
  right?: boolean;
}

const COLUMNS: readonly Column[] = [
  { header: 'NAME', cell: (row) => sanitizeCell(row.name) },
  { header: 'TYPE', cell: (row) => row.type },
  { header: 'KEY', cell: (row) => String(row.keySize), right: true },
  { header: 'VALUE', cell: (row) => String(row.valueSize), right: true },
  { header: 'ENTRIES', cell: (row) => String(row.entries ?? '-'), right: true },
  { header: 'MAX', cell: (row) => String(row.maxEntries), right: true },
  { header: 'PRESSURE', cell: pressureText, right: true },
  { header: 'MEMORY', cell: (row) => formatBytes(row.memoryBytes), right: true },
  { header: 'FLAGS', cell: (row) => row.flags.join(',') || '-' },
  { header: 'ID', cell: (row) => String(row.id), right: true },
  { header: 'PROGS', cell: (row) => String(row.programs.length), right: true },
  { header: 'OWNER', cell: owner },
  { header: 'PATH', cell: (row) => sanitizeCell(row.path) },
];

/** The table of `bpf maps list`; figures stand flush right. */
export function bpfMapsTable(rows: readonly BpfMapRow[]): Table {
  const lines = [
    COLUMNS.map(({ header }) => header),
    ...rows.map((row) => COLUMNS.map(({ cell }) => cell(row))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const [header = '', ...texts] = lines.map((line) =>
    line.map((text, i) => (COLUMNS[i]?.right ? text.padStart(widths[i] ?? 0) : text)).join('\t'),
  );
  const byPath = new Map(rows.map((row) => [row.path, row]));
  return {
    headers: [header],
    blocks: rows.map(({ path }, i) => ({ key: path, lines: [texts[i] ?? ''] })),
    stop: { minWidth: 0, padding: 3 },
    extra: placesOf('KEY', 'VALUE', 'FLAGS', 'ID', 'PROGS', 'PATH'),
    isOurs: true,
    paint: (line, key, palette) => {
      const row = byPath.get(key);
      const { pressure = 0 } = row ?? {};
      if (!row || pressure < WARN_PERCENT) return line;
      const text = pressureText(row);
      return line.replace(text, pressure >= FULL_PERCENT ? palette.bad(text) : palette.warn(text));
    },
  };
}

function placesOf(...headers: readonly string[]): number[] {
  return headers.map((name) => COLUMNS.findIndex(({ header }) => header === name));
}

function pressureText({ pressure }: BpfMapRow): string {
  return pressure === undefined ? '-' : `${pressure.toFixed(1)}%`;
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
