import type { RuleLabel } from '../rule.ts';
import type { Cursor } from './decode.ts';

/** Splits `source:key`; the source is empty where none is written. `$name` is short for `reserved:name`. */
export function splitSource(text: string): { source: string; rest: string } {
  if (text.startsWith('$')) return { source: 'reserved', rest: text.slice(1) };
  const colon = text.indexOf(':');
  if (colon >= 0) return { source: text.slice(0, colon), rest: text.slice(colon + 1) };
  if (text.startsWith('reserved.')) return { source: 'reserved', rest: text.slice('reserved.'.length) };
  return { source: '', rest: text };
}

/** A selector's key as the agent prints it: `app` becomes `any:app`. */
export function selectorKey(text: string): string {
  const { source, rest } = splitSource(text);
  const equals = rest.indexOf('=');
  return `${source || 'any'}:${equals < 0 ? rest : rest.slice(0, equals)}`;
}

/** Parses `[source:]key[=value]`, the form of labels on a command line. The source defaults to `fallback`. */
export function parseLabel(text: string, fallback: string): RuleLabel {
  const { source, rest } = splitSource(text);
  const equals = rest.indexOf('=');
  if (equals < 0) return { key: rest, value: '', source: source || fallback };
  if (equals === 0 && source === 'reserved') return { key: rest.slice(1), value: '', source };
  return { key: rest.slice(0, equals), value: rest.slice(equals + 1), source: source || fallback };
}

/** `source:key=value`, or `source:key` when the value is empty. */
export function formatLabel({ source, key, value }: RuleLabel): string {
  return value === '' ? `${source}:${key}` : `${source}:${key}=${value}`;
}

const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/**
 * Checks a selector's key as Kubernetes does: `[prefix/]name`. The agent checks it with its source in front
 * (`any.app`), which costs some of the 63 characters of a name; `written` is the key without.
 */
export function checkLabelKey(extended: string, written: string, at: Cursor): void {
  const wrong = (why: string, hint?: string) =>
    at.fail('label-key', `invalid label selector: key ${JSON.stringify(written)}: ${why}`, hint);
  const parts = extended.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) wrong('more than one "/"', 'A key is a name, or prefix/name.');
  else if (name === '') wrong('the name is empty');
  else if (name.length > 63) wrong(`the name has ${name.length} characters, 63 are allowed`);
  else if (!NAME.test(name))
    wrong('the name may hold letters, digits, "-", "_" and ".", and begins and ends with a letter or digit');
  else if (parts.length === 2 && (!SUBDOMAIN.test(parts[0] ?? '') || (parts[0] ?? '').length > 253))
    wrong(`the prefix before "/" must be a DNS name in lower case`);
}

/** Checks a value as Kubernetes does. */
export function checkLabelValue(value: string, at: Cursor): string | undefined {
  if (value.length <= 63 && VALUE.test(value)) return value;
  return at.fail(
    'label-value',
    `invalid label selector: value ${JSON.stringify(value)} is not a label value`,
    'At most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit.',
  );
}
