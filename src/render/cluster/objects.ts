import { UserError } from '../../errors.ts';
import { formatJson } from '../../lib/exact-json.ts';
import type { Table } from '../text/blocks.ts';
import { escapeSteering } from '../text/json.ts';
import { jsonpath } from '../text/jsonpath.ts';
import { renderOutput } from '../text/output.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { tabulate } from '../text/table.ts';

/** The writer of kubectl's tables. */
const KUBECTL_TABLE = { minWidth: 6, padding: 3 } as const;

/** What is listed: columns and rows as the API server printed them. */
export interface Printed {
  columns: readonly { name: string; isWide: boolean }[];
  rows: readonly { namespace: string; name: string; cells: readonly unknown[] }[];
}

/** The kind of what is listed, for its names. */
interface Named {
  apiVersion: string;
  kind: string;
}

/** A list with the columns of its kind, as kubectl shows it. Empty without rows. */
export function printedTable(
  { columns, rows }: Printed,
  { isWide, withNamespace }: { isWide: boolean; withNamespace: boolean },
): Table {
  const shown = columns.flatMap((column, i) => (isWide || !column.isWide ? [i] : []));
  const titles = shown.map((i) => (columns[i]?.name ?? '').toUpperCase());
  const header = [...(withNamespace ? ['NAMESPACE'] : []), ...titles].map(sanitizeCell).join('\t');
  return {
    headers: rows.length === 0 ? [] : [header],
    blocks: rows.map(({ namespace, name, cells }) => ({
      key: `${namespace}/${name}`,
      lines: [
        [...(withNamespace ? [namespace] : []), ...shown.map((i) => cellText(cells[i]))]
          .map(sanitizeCell)
          .join('\t'),
      ],
    })),
    stop: KUBECTL_TABLE,
  };
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}

/** `kind.group/name`, a line each. */
export function objectNames({ apiVersion, kind }: Named, objects: readonly NamedObject[]): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  return objects
    .map(({ metadata }) => `${kind.toLowerCase()}${group}/${sanitizeCell(metadata?.name ?? '')}\n`)
    .join('');
}

interface NamedObject {
  metadata?: { name?: string; namespace?: string };
}

/** Objects in columns that the user names: `NAME:.metadata.name,IP:.status.podIP`. */
export function customColumns(spec: string, objects: readonly unknown[]): string {
  const columns = spec.split(',').map((column) => {
    const colon = column.indexOf(':');
    if (colon <= 0 || colon === column.length - 1)
      throw new UserError(`-o custom-columns: "${column}" is no column`, {
        hint: 'Expected TITLE:PATH, such as NAME:.metadata.name,STATE:.status.state',
      });
    const path = column.slice(colon + 1);
    return {
      title: column.slice(0, colon),
      template: path.startsWith('{') ? path : `{${path.startsWith('.') ? '' : '.'}${path}}`,
    };
  });
  const rows = objects.map((object) =>
    columns.map(({ template }) => sanitizeCell(jsonpath(template, object) || '<none>')),
  );
  const lines = [columns.map(({ title }) => sanitizeCell(title)), ...rows].map((cells) => cells.join('\t'));
  return tabulate(`${lines.join('\n')}\n`, KUBECTL_TABLE);
}

/** Objects as one list, for json, yaml and jsonpath. */
export async function renderObjectList(objects: readonly unknown[], format: string): Promise<string> {
  const list = { apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } };
  if (format === 'json') return `${escapeSteering(formatJson(list, 4) ?? '')}\n`;
  return await renderOutput(list, format);
}
