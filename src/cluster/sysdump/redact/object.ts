import { parsePlainJson } from '../../../lib/exact-json.ts';
import { isRecord } from '../../../lib/record.ts';
import { isMapOfSecrets, isSecretBelow } from './below.ts';
import { isSecretField, isSecretName, isSecretUnder, isSecretValue, REDACTED } from './keys.ts';
import { type OnRedaction, redactText } from './text.ts';

/** What is known of where an object comes from. */
export interface ObjectOrigin {
  /** Where Cilium is installed: of the pods of others no value of env is kept. */
  ciliumNamespaces: ReadonlySet<string>;
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** Below these, names are the user's and values are what objects are selected by. */
const LABELS = new Set(['labels', 'matchLabels', 'nodeSelector', 'selector', 'podLabels']);
const CERTIFICATE = ['cert', 'crt', 'certificate', 'ca.crt', 'tls.crt'];

/**
 * An object with its secrets replaced; what has none is returned as it is. Beyond what text tells, this knows of Secrets,
 * of env and arguments of containers, of annotations that repeat the object, and of JSON within strings.
 */
export function redactObject<T>(value: T, origin: ObjectOrigin, tell: OnRedaction): T {
  const namespace = isRecord(value) && isRecord(value.metadata) ? value.metadata.namespace : undefined;
  const isForeign = typeof namespace === 'string' && !origin.ciliumNamespaces.has(namespace);
  return redacted(value, { isForeign, tell, depth: 0 }) as T;
}

interface Place {
  isForeign: boolean;
  tell: OnRedaction;
  depth: number;
}

function redacted(value: unknown, place: Place): unknown {
  if (place.depth > 100) return value;
  const deeper = { ...place, depth: place.depth + 1 };
  if (typeof value === 'string') return redactedString(value, deeper);
  if (Array.isArray(value)) return mapped(value, (item) => redacted(item, deeper));
  if (!isRecord(value)) return value;
  let out: Record<string, unknown> | undefined;
  for (const [key, child] of Object.entries(value)) {
    const next = redactedField(value, key, child, deeper);
    if (next === child) continue;
    out ??= { ...value };
    out[key] = next;
  }
  return out ?? value;
}

function redactedField(parent: Record<string, unknown>, key: string, child: unknown, place: Place): unknown {
  const hide = (rule: string) => {
    place.tell(rule);
    return REDACTED;
  };
  if (key === LAST_APPLIED && typeof child === 'string' && child !== REDACTED) return hide('last-applied');
  if (LABELS.has(key) && isRecord(child)) return child;
  if ((key === 'data' || key === 'stringData') && parent.kind === 'Secret' && isRecord(child))
    return Object.fromEntries(
      Object.entries(child).map(([name, one]) => [name, one === REDACTED ? one : hide('secret-object')]),
    );
  if (key === 'env' && Array.isArray(child)) return mapped(child, (item) => redactedEnv(item, place, hide));
  if ((key === 'args' || key === 'command') && Array.isArray(child))
    return redactedArguments(child, place, hide);
  // Headers of probes and routes, and what else is a list of names and values.
  if (key === 'value' && typeof child === 'string' && [parent.name, parent.key].some(isNameOfSecret))
    return isSecretValue(child) ? hide('secret-by-name') : child;
  if (key === 'key' && typeof child === 'string' && CERTIFICATE.some((name) => Object.hasOwn(parent, name)))
    return isSecretValue(child) ? hide('private-key') : child;
  if (typeof child === 'string' && isSecretField(key, child)) return hide('secret-by-name');
  if (typeof child === 'string' && isSecretUnder(key, child)) return hide('secret-by-name');
  if (typeof child === 'number' && child > 999 && isSecretName(key)) return hide('secret-by-name');
  if (typeof child === 'string' && 'kty' in parent && JWK_SECRETS.has(key) && isSecretValue(child))
    return hide('json-web-key');
  // Secrets by what they are for, or beside what is said of them.
  const below = (fields: Record<string, unknown>) => redactedBelow(key, fields, place, hide);
  if ((isSecretName(key) || isMapOfSecrets(key)) && isRecord(child)) return below(child);
  // A list of several under such a name.
  if ((isSecretName(key) || isSecretName(key.replace(/s$/, ''))) && Array.isArray(child))
    return mapped(child, (item) => {
      if (typeof item === 'string') return isSecretValue(item) ? hide('secret-by-name') : item;
      return isRecord(item) ? below(item) : redacted(item, place);
    });
  return redacted(child, place);
}

/** The parts of a JSON Web Key that are not public. */
const JWK_SECRETS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']);

/** An object below a name of secrets. */
function redactedBelow(
  above: string,
  fields: Record<string, unknown>,
  place: Place,
  hide: (rule: string) => string,
): unknown {
  const rest = redacted(fields, place);
  if (!isRecord(rest)) return rest;
  const found = Object.entries(rest).filter(
    ([name, one]) => typeof one === 'string' && isSecretBelow(above, name, one),
  );
  if (found.length === 0) return rest;
  return { ...rest, ...Object.fromEntries(found.map(([name]) => [name, hide('secret-by-name')])) };
}

function isNameOfSecret(name: unknown): boolean {
  return typeof name === 'string' && (isSecretName(name) || /^x-.*-key$/i.test(name));
}

function redactedEnv(item: unknown, place: Place, hide: (rule: string) => string): unknown {
  if (!isRecord(item) || typeof item.value !== 'string' || typeof item.name !== 'string')
    return redacted(item, place);
  const isHidden = place.isForeign
    ? item.value !== '' && item.value !== REDACTED
    : isSecretName(item.name) && isSecretValue(item.value);
  return isHidden ? { ...item, value: hide('env') } : redacted(item, place);
}

/** The word behind a flag of such a name. */
function redactedArguments(words: readonly unknown[], place: Place, hide: (rule: string) => string): unknown {
  return mapped(words, (word, i) => {
    const before = words[i - 1];
    const isBehind =
      typeof before === 'string' && /^--?[\w-]+$/.test(before) && isSecretName(before.replace(/^-+/, ''));
    return isBehind && typeof word === 'string' && !word.startsWith('-') && isSecretValue(word)
      ? hide('command-line')
      : redacted(word, place);
  });
}

/** Shorter texts, such as names, hold no secret that only they themselves tell of. */
const SHORTEST = 12;

/** A text within an object: looked at before it is escaped, which would hide much. */
function redactedString(text: string, place: Place): string {
  if (text.length < SHORTEST) return text;
  const clean = redactedJson(text, place);
  const bytes = Buffer.from(clean, 'utf8').toString('latin1');
  const out = redactText(bytes, place.tell);
  return out === bytes ? clean : Buffer.from(out, 'latin1').toString('utf8');
}

/** JSON in a string, with what is found in it replaced. */
function redactedJson(text: string, place: Place): string {
  if (!/^\s*[{[]/.test(text) || text.length > 4 * 1024 * 1024) return text;
  try {
    const value: unknown = parsePlainJson(text);
    const clean = redacted(value, place);
    return clean === value ? text : JSON.stringify(clean);
  } catch {
    return text;
  }
}

/** A list with each item replaced; the same one where none is. */
function mapped(
  items: readonly unknown[],
  change: (item: unknown, i: number) => unknown,
): readonly unknown[] {
  const next = items.map(change);
  return next.some((item, i) => item !== items[i]) ? next : items;
}
