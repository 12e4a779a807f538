import { nearest } from '../../lib/nearest.ts';
import { isRecord } from '../../lib/record.ts';
import type { Severity } from '../../model/finding.ts';
import { atLeast, type Release } from '../../model/release.ts';
import type { Path } from '../rule.ts';

/** A problem that a decoder reports. A `Finding` adds its position in the file. */
export interface Complaint {
  severity: Severity;
  code: string;
  message: string;
  hint?: string;
  path: Path;
}

export interface DecodeOptions {
  /** Unknown fields are errors; without it they are dropped, and field names match in any case, as in the reference. */
  strict: boolean;
  /** The release that must know the fields; undefined accepts those of every release. */
  target?: Release | undefined;
  /** The target is not known: what depends on it without being wrong is left as it is written. */
  keepUnstated?: boolean;
  /** The API server checks more than the agent, so more is checked in Kubernetes objects. */
  form: 'rule' | 'kubernetes';
  /** How the number or word at a path is written in the document. */
  written?: ((path: Path) => string | undefined) | undefined;
}

/** A decoder's place in a document, and the problems that it has found. */
export class Cursor {
  readonly complaints: Complaint[] = [];
  readonly #path: (string | number)[] = [];

  constructor(readonly options: DecodeOptions) {}

  /** Reports an error at this place, or at `part` below it. */
  fail(code: string, message: string, hint?: string, part: Path = []): undefined {
    this.#complain('error', code, message, hint, part);
  }

  warn(code: string, message: string, hint?: string, part: Path = []): void {
    this.#complain('warning', code, message, hint, part);
  }

  #complain(severity: Severity, code: string, message: string, hint: string | undefined, part: Path): void {
    this.complaints.push({
      severity,
      code,
      message,
      ...(hint !== undefined && { hint }),
      path: [...this.#path, ...part],
    });
  }

  /** Reports an error in a Kubernetes object, and a warning in the agent's own form, which the agent accepts. */
  failIfKubernetes(code: string, message: string, hint?: string, part: Path = []): void {
    this.#complain(this.options.form === 'kubernetes' ? 'error' : 'warning', code, message, hint, part);
  }

  /** How to write the number, true or false at this place so that it is a string; undefined for other values. */
  quoted(value: unknown, part: Path = []): string | undefined {
    if (typeof value !== 'number' && typeof value !== 'boolean') return undefined;
    const written = this.options.written?.([...this.#path, ...part]) ?? String(value);
    if (/^["']/.test(written))
      return `Its tag makes a ${typeof value} of it: write ${written} without the tag.`;
    const reading = written === String(value) ? '' : `${written} is ${value} without quotes. `;
    return `${reading}Write it in quotes: "${written}".`;
  }

  /** Runs `body` one step further down. What throws there ends the decoding. */
  into<T>(step: string | number, body: () => T): T {
    this.#path.push(step);
    const result = body();
    this.#path.pop();
    return result;
  }

  /** Decodes a value one step further down. */
  decode<T>(step: string | number, item: Decode<T>, value: unknown): T | undefined {
    this.#path.push(step);
    const result = item(value, this);
    this.#path.pop();
    return result;
  }

  /** True when the target is this release or newer, or when there is none. */
  reaches(release: Release): boolean {
    return this.options.target === undefined || atLeast(this.options.target, release);
  }

  /** True when the target is older than this release, or when there is none. */
  before(release: Release): boolean {
    return this.options.target === undefined || !atLeast(this.options.target, release);
  }
}

/** Checks an untyped value and returns it typed; reports what is wrong and returns undefined when it cannot. */
export type Decode<T> = (value: unknown, at: Cursor) => T | undefined;

/** A field of an object, with the releases that know it. */
export interface Field<T> {
  decode: Decode<T>;
  required?: boolean;
  /** First release that knows the field. */
  since?: Release;
  /** First release that no longer knows it. */
  until?: Release;
  /** The hint when the target no longer knows the field. */
  instead?: string;
}

export type Fields<T> = { readonly [K in keyof T]-?: Field<NonNullable<T[K]>> };

export interface ObjectShape<T> {
  /** What messages call the object: `an ingress rule`. */
  name: string;
  /** In the order in which the agent prints them. */
  fields: Fields<T>;
  /** Hints for fields that are not known; without it those for rules of Cilium. */
  instead?: Readonly<Record<string, string>>;
  /** What must hold between the fields. `given` is the object as it was written. */
  check?: (value: T, at: Cursor, given: Readonly<Record<string, unknown>>) => void;
}

/** What messages call a JSON value. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'a boolean';
  return 'a number';
}

function wrongType(at: Cursor, expected: string, value: unknown, hint?: string): undefined {
  return at.fail('type', `expected ${expected}, found ${kindOf(value)}`, hint);
}

/** A string that passes `check`. */
export function text(check?: (value: string, at: Cursor) => string | undefined): Decode<string> {
  return (value, at) => {
    if (typeof value === 'string') return check ? check(value, at) : value;
    return wrongType(at, 'a string', value, at.quoted(value));
  };
}

export const bool: Decode<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : wrongType(at, 'true or false', value);

/** A whole number between `min` and `max`. */
export function integer(min: number, max: number): Decode<number> {
  return (value, at) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType(at, 'a whole number', value);
    if (value >= min && value <= max) return value;
    return at.fail('range', `${value} is out of range`, `Expected a number from ${min} to ${max}.`);
  };
}

/** One of these words. `message` gives the reference's message for any other. */
export function oneOf<T extends string>(words: readonly T[], message: (value: string) => string): Decode<T> {
  const known: ReadonlySet<string> = new Set(words);
  const isKnown = (value: unknown): value is T => typeof value === 'string' && known.has(value);
  return (value, at) => {
    if (isKnown(value)) return value;
    if (typeof value !== 'string') return wrongType(at, 'a string', value, at.quoted(value));
    const near = nearest(value, words);
    return at.fail('value', message(value), near ? `Did you mean "${near}"?` : `One of ${words.join(', ')}.`);
  };
}

/** A list. Items that cannot be decoded are reported and left out; when none remains, the list is undefined. */
export function list<T>(item: Decode<T>, check?: (items: T[], at: Cursor) => void): Decode<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) {
      return wrongType(
        at,
        'a list',
        value,
        isRecord(value) ? 'Put a dash in front of it, or [ ] around it.' : undefined,
      );
    }
    const items: T[] = [];
    for (let i = 0; i < value.length; i++) {
      const decoded = at.decode(i, item, value[i]);
      if (decoded !== undefined) items.push(decoded);
    }
    if (items.length === value.length) check?.(items, at);
    return items.length === 0 && value.length > 0 ? undefined : items;
  };
}

/**
 * A map of strings, in the order of its (rewritten) keys, as Go prints it. A null is an empty string to Go; the schema of
 * a custom resource refuses it.
 */
export function texts(
  key: (name: string, at: Cursor) => string,
  value: Decode<string>,
  schema: 'custom' | 'none' = 'none',
): Decode<Record<string, string>> {
  return (given, at) => {
    if (!isRecord(given)) return wrongType(at, 'an object with string values', given);
    const entries: [string, string][] = [];
    const names = new Map<string, string>();
    for (const [name, item] of Object.entries(given)) {
      at.into(name, () => {
        const refused = schema === 'custom' && at.options.form === 'kubernetes';
        const decoded = value(refused ? item : (item ?? ''), at);
        if (decoded === undefined) return;
        const written = key(name, at);
        const other = names.get(written);
        if (other !== undefined && given[other] !== item)
          at.fail(
            'doubled-label',
            `"${other}" and "${name}" are the same label: agents take one of the two values, not always the same`,
            'Keep one.',
          );
        names.set(written, name);
        entries.push([written, decoded]);
      });
    }
    return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  };
}

/** An object of known fields. `null` counts as absent, as in Go. */
export function object<T extends object>(shape: ObjectShape<T>): Decode<T> {
  const fields = Object.entries<Field<unknown>>(shape.fields);
  const names = fields.map(([name]) => name);
  const known = new Map(fields);
  return (value, at) => {
    if (!isRecord(value)) return wrongType(at, shape.name, value);
    const given = at.options.strict ? value : anyCase(value, names);
    for (const name of Object.keys(given)) {
      if (!known.has(name) && at.options.strict) complainOfField(name, names, shape, at);
    }
    const decoded: Record<string, unknown> = {};
    let complete = true;
    for (const [name, field] of fields) {
      const item = given[name];
      if (item === undefined || item === null) {
        if (!field.required) continue;
        complete = false;
        at.fail('missing', `${shape.name} must have the field "${name}"`);
        continue;
      }
      if (isBound(field)) at.into(name, () => checkRelease(name, field, at));
      const result = at.decode(name, field.decode, item);
      // Go's encoder omits empty strings and zeros of optional fields.
      const absent = !field.required && (result === '' || result === 0);
      if (result !== undefined && !absent) decoded[name] = result;
      else if (field.required) complete = false;
    }
    if (!complete) return undefined;
    // Sound: every field was decoded by its own type, and the required ones are there.
    const result = decoded as T;
    shape.check?.(result, at, given);
    return result;
  };
}

function anyCase(value: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const lower = new Map(names.map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [lower.get(name.toLowerCase()) ?? name, item]),
  );
}

/** Not all releases know the field. */
function isBound({ since, until }: Field<unknown>): boolean {
  return since !== undefined || until !== undefined;
}

function checkRelease(name: string, field: Field<unknown>, at: Cursor): void {
  const { target } = at.options;
  if (target === undefined) return;
  if (field.since !== undefined && !atLeast(target, field.since)) {
    at.fail('release', `Cilium ${target} does not know "${name}"`, `It came with ${field.since}.`);
  }
  if (field.until !== undefined && atLeast(target, field.until)) {
    at.fail('release', `Cilium ${target} no longer takes "${name}"`, field.instead);
  }
}

/** Hints for unknown fields where the most similar known name would mislead. */
const INSTEAD: Readonly<Record<string, string>> = {
  encrypt:
    'A policy cannot require encryption. It is a setting of the cluster: Helm values encryption.enabled=true and encryption.type=wireguard (or ipsec); "cilium encrypt status" shows it.',
  encryption:
    'A policy cannot require encryption. It is a setting of the cluster: Helm values encryption.enabled=true and encryption.type=wireguard (or ipsec); "cilium encrypt status" shows it.',
  ingressRule: 'Use the field "ingress"; each of its items is a rule.',
  ingressRules: 'Use the field "ingress"; each of its items is a rule.',
  egressRule: 'Use the field "egress"; each of its items is a rule.',
  egressRules: 'Use the field "egress"; each of its items is a rule.',
  podSelector: 'That is a field of a Kubernetes NetworkPolicy. Use "endpointSelector".',
  policyTypes:
    'That is a field of a Kubernetes NetworkPolicy. Here a direction denies by default when it has rules, or by "enableDefaultDeny".',
  namespaceSelector:
    'That is a field of a Kubernetes NetworkPolicy. Use fromEndpoints or toEndpoints with the label "k8s:io.kubernetes.pod.namespace".',
  ipBlock: 'That is a field of a Kubernetes NetworkPolicy. Use fromCIDRSet or toCIDRSet.',
  from: 'That is a field of a Kubernetes NetworkPolicy. Use fromEndpoints, fromEntities, fromCIDRSet ….',
  to: 'That is a field of a Kubernetes NetworkPolicy. Use toEndpoints, toEntities, toCIDRSet ….',
  ports: 'Ports belong inside an item of "toPorts".',
};

const BELONGS_IN_DIRECTION = /^(from[A-Z]|to[A-Z]|icmps$|authentication$)/;

function complainOfField(
  name: string,
  names: readonly string[],
  { name: shape, instead: hints = INSTEAD }: Pick<ObjectShape<object>, 'name' | 'instead'>,
  at: Cursor,
): void {
  const misplaced = names.includes('ingress') && BELONGS_IN_DIRECTION.test(name);
  const near = nearest(name, names);
  const instead = Object.hasOwn(hints, name) ? hints[name] : undefined;
  const hint = misplaced
    ? `It belongs inside an item of "${name.startsWith('from') ? 'ingress' : 'ingress" or "egress'}".`
    : (instead ?? (near ? `Did you mean "${near}"?` : `Fields of ${shape}: ${names.join(', ')}.`));
  at.fail('unknown-field', `unknown field "${name}"`, hint, [name]);
}
