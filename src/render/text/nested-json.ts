import { formatJson, parseJson } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import { escapeSteering, goJson } from './json.ts';

/**
 * JSON in which objects that stand inside strings are written out, as agents up to 1.17 show an endpoint. `<`, `>` and
 * `&` stay as they are.
 */
export function expandedJson(value: unknown): string {
  const lines = (formatJson(value, 2) ?? 'null').split('\n').map(expandLine);
  return escapeSteering(lines.join('\n'));
}

/** A line of JSON that ends in a string: the object in that string takes its place, set in by two tabs. */
function expandLine(line: string): string {
  const [, before = '', text, after = ''] = /^(.*?)("\{.*\}")(,?)$/.exec(line) ?? [];
  const object = text === undefined ? undefined : objectIn(JSON.parse(text));
  if (object === undefined) return line;
  return `${before}${goJson(object, 2).replaceAll('\n', '\n\t\t')}${after}`;
}

/** The object that a string is the text of, its keys in order as Go writes maps. */
function objectIn(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    const object = parseJson(text);
    return isRecord(object) ? sorted(object) : undefined;
  } catch {
    return undefined;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
