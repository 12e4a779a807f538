import { formatJson } from '../../lib/exact-json.ts';
import type { Table } from '../text/blocks.ts';
import { customColumns, KUBECTL_TABLE } from '../text/custom-columns.ts';
import { escapeSteering } from '../text/json.ts';
import { renderOutput } from '../text/output.ts';
import { sanitizeCell } from '../text/sanitize.ts';

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
  { withNamespace }: { withNamespace: boolean },
): Table {
  const lead = withNamespace ? ['NAMESPACE'] : [];
  const titles = columns.map(({ name }) => name.toUpperCase());
  return {
    headers: rows.length === 0 ? [] : [[...lead, ...titles].map(sanitizeCell).join('\t')],
    blocks: rows.map(({ namespace, name, cells }) => ({
      key: `${namespace}/${name}`,
      lines: [
        [...(withNamespace ? [namespace] : []), ...columns.map((_, i) => cellText(cells[i]))]
          .map(sanitizeCell)
          .join('\t'),
      ],
    })),
    stop: KUBECTL_TABLE,
    wide: columns.flatMap(({ isWide }, i) => (isWide ? [i + lead.length] : [])),
    isOurs: true,
  };
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}

/** What would change in an object, a line per field; undefined: the object is new. */
export function renderFieldChanges(
  name: string,
  changes: readonly { path: string; before?: unknown; after?: unknown }[] | undefined,
): string {
  if (changes === undefined) return `${sanitizeCell(name)}: new\n`;
  if (changes.length === 0) return `${sanitizeCell(name)}: no change\n`;
  const lines = changes.map(({ path, before, after }) => {
    const [was, is] = [JSON.stringify(before), JSON.stringify(after)];
    if (was === undefined) return `  + ${path}: ${is}`;
    return is === undefined ? `  - ${path}: ${was}` : `  ~ ${path}: ${was} -> ${is}`;
  });
  return `${[`${name}:`, ...lines].map(sanitizeCell).join('\n')}\n`;
}

/** How a list of objects is written in a format: what is kept of each, and the whole in pieces. */
export interface ListWriter {
  keep(object: unknown): unknown;
  write(kept: readonly unknown[]): Iterable<string> | Promise<Iterable<string>>;
}

/** Writers by format: names, columns that the user names, json, yaml and jsonpath. Of most formats only text is kept. */
export async function listWriter(kind: Named, format: string): Promise<ListWriter> {
  if (format === 'name') return nameWriter(kind);
  if (format.startsWith('custom-columns=')) return columnWriter(format.slice('custom-columns='.length));
  if (format === 'json') return JSON_WRITER;
  if (format === 'yaml') return await yamlWriter();
  return {
    keep: (object) => object,
    write: async (objects) => [await renderOutput({ ...LIST, items: objects }, format)],
  };
}

/** What a list is around its items. */
const LIST = {
  apiVersion: 'v1',
  items: [] as readonly unknown[],
  kind: 'List',
  metadata: { resourceVersion: '' },
};

/** `kind.group/name`, a line each. */
function nameWriter({ apiVersion, kind }: Named): ListWriter {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  return {
    keep: (object) =>
      `${kind.toLowerCase()}${group}/${sanitizeCell((object as NamedObject).metadata?.name ?? '')}\n`,
    write: (lines) => lines as readonly string[],
  };
}

interface NamedObject {
  metadata?: { name?: string; namespace?: string };
}

const JSON_WRITER: ListWriter = {
  keep: (object) =>
    escapeSteering(formatJson([object], 4) ?? '')
      .slice(1, -2)
      .replaceAll('\n', '\n    '),
  *write(items) {
    if (items.length === 0) {
      yield `${formatJson(LIST, 4)}\n`;
      return;
    }
    const [head = '', tail = ''] = (formatJson(LIST, 4) ?? '').split('[]');
    yield `${head}[`;
    for (const [i, item] of (items as readonly string[]).entries()) yield `${i > 0 ? ',' : ''}${item}`;
    yield `\n    ]${tail}\n`;
  },
};

async function yamlWriter(): Promise<ListWriter> {
  const { goYaml } = await import('../text/yaml.ts');
  return {
    keep: (object) => goYaml({ items: [object] }).slice('items:\n'.length),
    *write(items) {
      const [head = '', tail = ''] = goYaml(LIST).split(' []');
      yield items.length === 0 ? `${head} []` : head;
      if (items.length > 0) yield '\n';
      yield* items as readonly string[];
      yield items.length === 0 ? `${tail}\n` : `${tail.slice(1)}\n`;
    },
  };
}

/** Objects in columns that the user names: `NAME:.metadata.name,IP:.status.podIP`. */
function columnWriter(spec: string): ListWriter {
  const columns = customColumns(spec);
  return { keep: columns.line, write: (rows) => [columns.table(rows as readonly string[])] };
}
