import { UserError } from '../../errors.ts';
import type { Release } from '../../model/release.ts';
import type { TypedShape } from '../../model/shape.ts';
import { goMapJson } from './json.ts';

/** Where the Go type of a value comes from; called only for the formats that need it. */
export interface OutputFlag {
  type?: () => Promise<TypedShape>;
  /** Whose fields a struct has; asked for only where all of them are printed. */
  release?: () => Promise<Release | undefined>;
}

/**
 * Renders a value for `-o json`, `-o yaml` or `-o jsonpath='{…}'` as the in-agent CLI does: JSON and YAML end with an
 * extra empty line, a jsonpath with one newline. A jsonpath without a template is JSON. `-o custom-columns=` is as kubectl has it.
 */
export async function renderOutput(
  value: unknown,
  format: string,
  options: OutputFlag = {},
): Promise<string> {
  if (format === 'json' || format === 'jsonpath=') return `${goMapJson(value, 2)}\n\n`;
  if (format === 'yaml') {
    const { goYaml } = await import('./yaml.ts');
    return `${goYaml(value, await options.type?.(), await options.release?.())}\n`;
  }
  if (format.startsWith('jsonpath=')) {
    const { evaluate } = await import('./jsonpath.ts');
    const template = format.slice('jsonpath='.length);
    const type = await options.type?.();
    const { text, hasStructs } = evaluate(template, value, { type });
    if (!hasStructs || !options.release) return `${text}\n`;
    return `${evaluate(template, value, { type, release: await options.release() }).text}\n`;
  }
  if (format.startsWith('custom-columns=')) {
    const { customColumns, rowsOf } = await import('./custom-columns.ts');
    const columns = customColumns(format.slice('custom-columns='.length));
    return columns.table(rowsOf(value).map(columns.line));
  }
  throw unknownFormat(format);
}

/** What stands in the place of formats that people know from kubectl. */
const INSTEAD: Readonly<Record<string, string>> = {
  'go-template':
    "Templates of Go are not read: -o custom-columns=NAME:.field and -o jsonpath='{…}' take the same fields.",
  jsonpath: "It needs a template: -o jsonpath='{…}' or -o jsonpath-file=FILE.",
  'custom-columns': 'It needs columns: -o custom-columns=NAME:.field,NAME:.field',
};

/** The error for a format that nobody renders; `own` are those that a verb has beside the usual ones. */
export function unknownFormat(format: string, own: readonly string[] = []): UserError {
  const usual = [...own, 'json', 'yaml'].map((name) => `-o ${name}`).join(', ');
  const name = format.replace(/(?:-file)?(?:=.*)?$/s, '').replace(/^(?:go-)?template$/, 'go-template');
  return new UserError(`unknown output format "${format}"`, {
    hint: INSTEAD[name] ?? `Use ${usual}, -o jsonpath='{…}' or -o custom-columns=NAME:.field.`,
  });
}
