import { splitSource } from '../../model/label.ts';
import type { Cursor } from './decoders.ts';

/** A selector's key as the agent prints it: `app` becomes `any:app`. */
export function selectorKey(text: string): string {
  const { source, rest } = splitSource(text);
  const equals = rest.indexOf('=');
  return `${source || 'any'}:${equals < 0 ? rest : rest.slice(0, equals)}`;
}

const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/**
 * Checks a selector's key as Kubernetes does: `[prefix/]name`. The agent checks it with its source (`any.app`), which
 * uses some of the 63 characters of a name. `written` is the key without the source, for messages.
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
