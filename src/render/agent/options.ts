import { compareBytes } from '../../lib/order.ts';
import { sanitize } from '../text/sanitize.ts';

/** `Name      : value` lines in order of the names; `indent` is the form inside a nested map. */
export function renderOptions(
  options: Readonly<Record<string, string>>,
  { indent = false }: { indent?: boolean } = {},
): string {
  const lead = indent ? '\t' : '';
  return Object.entries(options)
    .toSorted(([a], [b]) => compareBytes(a, b))
    .map(([name, value]) => `${lead}${sanitize(name).padEnd(indent ? 26 : 34)}: ${sanitize(value)}\n`)
    .join('');
}

/** `Name    value` lines, as agents up to 1.10 show the options of an endpoint. */
export function renderOldOptions(options: Readonly<Record<string, string>>): string {
  return Object.entries(options)
    .toSorted(([a], [b]) => compareBytes(a, b))
    .map(([name, value]) => `${sanitize(name).padEnd(24)} ${sanitize(value)}\n`)
    .join('');
}

/** `--list-options`. */
export function renderOptionList(options: readonly { name: string; description: string }[]): string {
  return options.map(({ name, description }) => `${name.padEnd(24)} ${description}\n`).join('');
}
