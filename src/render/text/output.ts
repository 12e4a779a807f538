import { UserError } from '../../errors.ts';
import type { TypedShape } from '../../model/shape.ts';
import { goJson } from './json.ts';

/** Where the Go type of a value comes from; called only for the formats that need it. */
export interface OutputFlag {
  type?: () => Promise<TypedShape>;
}

/**
 * Renders a value for `-o json`, `-o yaml` or `-o jsonpath='{…}'` as the in-agent CLI does: JSON and YAML end with an
 * extra empty line, a jsonpath with one newline.
 */
export async function renderOutput(
  value: unknown,
  format: string,
  options: OutputFlag = {},
): Promise<string> {
  if (format === 'json') return `${goJson(value, 2)}\n\n`;
  if (format === 'yaml') {
    const { goYaml } = await import('./yaml.ts');
    return `${goYaml(value, await options.type?.())}\n`;
  }
  if (format.startsWith('jsonpath=')) {
    const { jsonpath } = await import('./jsonpath.ts');
    return `${jsonpath(format.slice('jsonpath='.length), value, await options.type?.())}\n`;
  }
  throw unknownFormat(format);
}

/** The error for a format that nobody renders; `own` are those that a verb has beside the usual ones. */
export function unknownFormat(format: string, own: readonly string[] = []): UserError {
  const usual = [...own, 'json', 'yaml'].map((name) => `-o ${name}`).join(', ');
  return new UserError(`unknown output format "${format}"`, {
    hint: `Use ${usual} or -o jsonpath='{…}'.`,
  });
}
