import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import { jsonpath } from './jsonpath.ts';
import { sanitizeCell } from './sanitize.ts';
import { tabulate } from './table.ts';

/** The writer of kubectl's tables. */
export const KUBECTL_TABLE = { minWidth: 6, padding: 3 } as const;

/** Columns that the user names. */
export interface CustomColumns {
  /** The line of one object, before all of them are laid out. */
  line(object: unknown): string;
  table(lines: readonly string[]): string;
}

/** Reads what stands behind `-o custom-columns=`: `NAME:.metadata.name,IP:.status.podIP`. */
export function customColumns(spec: string): CustomColumns {
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
  return {
    line: (object) =>
      columns.map(({ template }) => sanitizeCell(jsonpath(template, object) || '<none>')).join('\t'),
    table: (lines) => {
      const header = columns.map(({ title }) => sanitizeCell(title)).join('\t');
      return tabulate(`${[header, ...lines].join('\n')}\n`, KUBECTL_TABLE);
    },
  };
}

/** What the rows of a document are: its entries, those of the only list in it, or the document itself. */
export function rowsOf(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) return document;
  if (document === null || document === undefined) return [];
  if (!isRecord(document)) return [document];
  const lists = Object.values(document).filter((value) => Array.isArray(value) && value.every(isRecord));
  return lists.length === 1 ? (lists[0] as unknown[]) : [document];
}
