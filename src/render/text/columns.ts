import { UserError } from '../../errors.ts';
import { type AddressRange, parseAddress, parsePrefix } from '../../lib/address.ts';
import { nearest } from '../../lib/nearest.ts';
import { compareNatural } from '../../lib/order.ts';
import type { Block, Table } from './blocks.ts';

/** What a list is asked to look like. */
export interface Arrangement {
  /** Names of the columns to print, in this order; all when empty. */
  columns: readonly string[];
  /** Names of the columns to sort by, one after the other; a leading `-` turns the order around. */
  sort: readonly string[];
  headers: boolean;
}

/**
 * The names of a table's columns, by their place: the header in lower case with hyphens between its words, so
 * `IP PREFIX/ADDRESS` is `ip-prefix-address`. A column without a header has no name.
 */
export function columnNames({ headers, names }: Table): string[] {
  if (names) return [...names];
  const seen = new Map<string, number>();
  return (headers[0] ?? '').split('\t').map((header) => {
    const name = header
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '');
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return name === '' || times === 1 ? name : `${name}-${times}`;
  });
}

/** The table with these columns, in this order. Throws UserError for a name that no column has. */
export function arrange(table: Table, { columns, sort, headers }: Arrangement): Table {
  // An empty list may come without its header: then there is nothing to choose from either.
  if (table.headers.length === 0) return table;
  const names = columnNames(table);
  const keys = sort.map((word) => ({
    at: placeOf(names, word.replace(/^-/, ''), '--sort'),
    descending: word.startsWith('-'),
  }));
  const picked = columns.map((word) => placeOf(names, word, '--columns'));
  let { blocks } = table;
  if (keys.length > 0) blocks = sorted(blocks, keys);
  if (!headers) table = { ...table, headers: [] };
  if (picked.length === 0) return { ...table, blocks };
  const pick = (line: string) => {
    const cells = line.split('\t');
    return picked.map((at) => cells[at] ?? '').join('\t');
  };
  const { names: _, wide: __, extra: ___, ...rest } = table;
  return {
    ...rest,
    isOurs: true,
    headers: table.headers.map(pick).filter((line, i) => i === 0 || line.trim() !== ''),
    blocks: blocks.map(({ key, lines }) => ({
      key,
      lines: lines.map(pick).filter((line, i) => i === 0 || line.trim() !== ''),
    })),
  };
}

/** `-o name`: the first column alone, without its header. */
export function namesOnly(table: Table): Table {
  const { stop, blocks } = arrange(table, {
    columns: columnNames(table).slice(0, 1),
    sort: [],
    headers: false,
  });
  const lines = (block: Block) => block.lines.map((line) => line.trim()).filter((line) => line !== '');
  return {
    headers: [],
    blocks: blocks.map((block) => ({ ...block, lines: lines(block) })),
    ...(stop && { stop }),
  };
}

function placeOf(names: readonly string[], word: string, flag: string): number {
  const at = word === '' ? -1 : names.indexOf(word.toLowerCase());
  if (at >= 0) return at;
  const known = names.filter((name) => name !== '');
  const meant = nearest(word, known);
  throw new UserError(
    `${flag}: there is no column "${word}"${meant === undefined ? '' : `, did you mean "${meant}"?`}`,
    { hint: `Columns: ${known.join(', ')}.` },
  );
}

/** Entries by these columns; those that look alike stay as they were. */
function sorted(blocks: readonly Block[], keys: readonly { at: number; descending: boolean }[]): Block[] {
  const rows = blocks.map((block) => ({ block, cells: keys.map(({ at }) => cellOf(block, at)) }));
  const orders = keys.map((_, i) => orderOf(rows.map(({ cells }) => cells[i] ?? '')));
  return rows
    .toSorted((a, b) => {
      for (const [i, { descending }] of keys.entries()) {
        const [x, y] = [a.cells[i] ?? '', b.cells[i] ?? ''];
        // What has no value stands at the end, whichever way the others run.
        if (isNothing(x) || isNothing(y)) {
          const order = Number(isNothing(x)) - Number(isNothing(y));
          if (order !== 0) return order;
          continue;
        }
        const order = orders[i]?.(x, y) ?? 0;
        if (order !== 0) return descending ? -order : order;
      }
      return 0;
    })
    .map(({ block }) => block);
}

function cellOf({ lines }: Block, at: number): string {
  return lines
    .map((line) => line.split('\t')[at]?.trim() ?? '')
    .filter((cell) => cell !== '')
    .join(' ');
}

const NOTHING = new Set([
  '',
  '-',
  'N/A',
  '<none>',
  '<no label id>',
  'unknown',
  'Unknown',
  'No address',
  '<unset>',
]);
const isNothing = (cell: string) => NOTHING.has(cell);

type Order = (a: string, b: string) => number;

/** How the cells of a column are compared: as what all of them are, else as people sort texts. */
function orderOf(cells: readonly string[]): Order {
  const values = cells.filter((cell) => !isNothing(cell));
  for (const read of [numberIn, durationIn])
    if (values.every((cell) => read(cell) !== undefined)) return (a, b) => (read(a) ?? 0) - (read(b) ?? 0);
  if (values.every((cell) => rangeIn(cell) !== undefined)) {
    const ranges = new Map(values.map((cell) => [cell, rangeIn(cell)]));
    return (a, b) => {
      const [x, y] = [ranges.get(a), ranges.get(b)];
      return (x && y ? byAddress(x, y) : 0) || compareNatural(a, b);
    };
  }
  return compareNatural;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  '%': 1,
  B: 1,
  ...{ k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** `12`, `-1.5`, `0x1f`, `12.5%`, `30.8 MiB`, `10M`; a count with a share behind it, `4095/4095 (100.00%)`, by the count. */
function numberIn(cell: string): number | undefined {
  if (/^0x[0-9a-f]+$/i.test(cell)) return Number(cell);
  const match = /^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?) ?([a-zA-Z%]*)(?:\/\d+)?(?: +\( *[\d.]+%\))?$/.exec(cell);
  const unit = match ? UNITS[match[2] ?? ''] : undefined;
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

const SECONDS: Readonly<Record<string, number>> = {
  ...{ ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3 },
  ...{ s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 },
};
const DURATION = /(\d+(?:\.\d+)?)(ns|us|µs|ms|[smhdwy])/g;

/** `1h2m3s`, `4d3h`, `36s ago`. */
function durationIn(cell: string): number | undefined {
  const text = cell.replace(/ ago$/, '');
  if (text === '' || text.replace(DURATION, '') !== '') return undefined;
  let sum = 0;
  for (const [, n, unit = ''] of text.matchAll(DURATION)) sum += Number(n) * (SECONDS[unit] ?? 0);
  return sum;
}

/** IPv4 before IPv6, then as the addresses count up, the wider prefix first. */
function byAddress(a: AddressRange, b: AddressRange): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.first === b.first ? a.length - b.length : a.first < b.first ? -1 : 1;
}

/** An address or a prefix, at the beginning of the cell; what follows it, such as a port, is compared afterwards. */
function rangeIn(cell: string): AddressRange | undefined {
  const word = cell.split(/[\s,]/, 1)[0] ?? '';
  const bare = /^\[(.*?)\]/.exec(word)?.[1] ?? word;
  return (
    parsePrefix(bare) ?? parseAddress(bare) ?? parseAddress(/^([\d.]+):\d+(?:\/\S+)?$/.exec(bare)?.[1] ?? '')
  );
}
