import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';

/** The fields of T that hold a V. */
type KeysOf<T, V> = { [K in keyof T]-?: NonNullable<T[K]> extends V ? K : never }[keyof T] & string;
type ItemOf<T> = NonNullable<T> extends readonly (infer I)[] ? I : never;
type EntryOf<T> = NonNullable<T> extends Readonly<Record<string, infer I>> ? I : never;

/** Where in an answer a value stands. */
interface Place {
  parent: Reader<unknown>;
  key: string | number;
  /** Whether something must stand here. */
  needed: boolean;
}

/**
 * A place in an answer of the agent. T is what the API's description says it holds; each read checks that and
 * fails with the call and the place that breaks it. As for Go's decoder, a missing field and null are the zero
 * value of their type, and null in a list of objects is left out. Not so for the answer itself, the entries that it
 * lists and fields that are asked for with `need`: they must be there, and the first two must have fields.
 */
export class Reader<T> {
  constructor(
    /** The call that was answered, such as `GET /v1/endpoint`. */
    private readonly call: string,
    private readonly value: unknown,
    private readonly place?: Place,
  ) {}

  /** Whether the agent sent anything here. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** What stands here as it came, unknown fields included. */
  get document(): unknown {
    return this.value;
  }

  /** Whether a list stands here, where releases differ in that. */
  get isList(): boolean {
    return Array.isArray(this.value);
  }

  has(key: keyof T & string): boolean {
    const value = this.#field(key);
    return value !== undefined && value !== null;
  }

  at<K extends keyof T & string>(key: K): Reader<NonNullable<T[K]>> {
    return this.#inside(key, this.#field(key), false);
  }

  /** As `at`, for a field without which the answer means nothing. */
  need<K extends keyof T & string>(key: K): Reader<NonNullable<T[K]>> {
    return this.#inside(key, this.#field(key), true);
  }

  /** The same place, taken for another type. */
  as<U>(): Reader<U> {
    return new Reader<U>(this.call, this.value, this.place);
  }

  /** The string of a field; empty when it is absent. */
  text(key: KeysOf<T, string>): string {
    const value = this.#field(key);
    return typeof value === 'string' ? value : this.at(key).asText();
  }

  /** The whole number of a field; 0 when it is absent. */
  integer(key: KeysOf<T, number>): number {
    const value = this.#field(key);
    return isWhole(value) ? Number(value) : this.at(key).asInteger();
  }

  /** The whole number of a field, with all digits that the agent sent; 0 when it is absent. */
  exact(key: KeysOf<T, number>): number | bigint {
    const value = this.#field(key);
    return typeof value === 'bigint' ? value : this.integer(key);
  }

  /** The number of a field, whole or not; 0 when it is absent. */
  number(key: KeysOf<T, number>): number {
    const value = this.#field(key);
    if (typeof value === 'number' || isWhole(value)) return Number(value);
    return this.at(key).#absentOr('a number', 0);
  }

  flag(key: KeysOf<T, boolean>): boolean {
    const value = this.#field(key);
    return typeof value === 'boolean' ? value : this.at(key).#absentOr('true or false', false);
  }

  /** A list of strings. */
  texts(key: KeysOf<T, readonly string[]>): string[] {
    return this.at(key).asTexts();
  }

  /** A list of whole numbers. */
  integers(key: KeysOf<T, readonly number[]>): number[] {
    return this.at(key)
      .#entries()
      .map((item) => item.asInteger());
  }

  /** The entries of the list that stands here. */
  items(): Reader<ItemOf<T>>[] {
    return this.#entries<ItemOf<T>>().filter((item) => item.present || !this.place);
  }

  /** The entries of the map that stands here, in the agent's order. */
  entries(): [string, Reader<EntryOf<T>>][] {
    return Object.entries(this.#object()).map(([key, item]) => [
      key,
      this.#inside<EntryOf<T>>(key, item, false),
    ]);
  }

  /** The map of strings that stands here. */
  textMap(): Record<string, string> {
    return Object.fromEntries(this.entries().map(([key, item]) => [key, item.asText()]));
  }

  /** The object that stands here as it came. */
  fields(): Record<string, unknown> {
    return this.#object();
  }

  /** The list of strings that stands here. */
  asTexts(): string[] {
    return this.#entries().map((item) => item.asText());
  }

  /** The string that stands here. */
  asText(): string {
    return typeof this.value === 'string' ? this.value : this.#absentOr('a string', '');
  }

  /** The whole number that stands here. */
  asInteger(): number {
    return isWhole(this.value) ? Number(this.value) : this.#absentOr('a whole number', 0);
  }

  #entries<U>(): Reader<U>[] {
    return this.#list().map((item, i) => this.#inside<U>(i, item, !this.place));
  }

  #inside<U>(key: string | number, value: unknown, needed: boolean): Reader<U> {
    return new Reader<U>(this.call, value, { parent: this as Reader<unknown>, key, needed });
  }

  #field(key: string): unknown {
    const object = this.#object();
    return Object.hasOwn(object, key) ? object[key] : undefined;
  }

  #object(): Record<string, unknown> {
    if (!isRecord(this.value)) return this.#absentOr('an object', {});
    if (this.#isWhole && isEmpty(this.value)) this.#wrong('an object with fields', 'an empty one');
    return this.value;
  }

  #list(): unknown[] {
    return Array.isArray(this.value) ? this.value : this.#absentOr('a list', []);
  }

  /** Whether this is the answer, or one of the entries that it lists. */
  get #isWhole(): boolean {
    const { place } = this;
    return !place || (typeof place.key === 'number' && place.parent.place === undefined);
  }

  #absentOr<V>(expected: string, zero: V): V {
    if (this.present || !this.place || this.place.needed) return this.#wrong(expected);
    return zero;
  }

  #path(): string {
    if (!this.place) return '';
    const { parent, key } = this.place;
    return parent.#path() + (typeof key === 'number' ? `[${key}]` : `.${key}`);
  }

  #wrong(expected: string, found = kindOf(this.value)): never {
    const path = this.#path();
    throw new UserError(`${this.call}: expected ${expected}${path && ` at ${path}`}, found ${found}`, {
      hint: `Is this the socket of a Cilium agent?${path && ' With -o json the answer is printed as it came.'}`,
    });
  }
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

/** Whole numbers beyond 2^53 come as bigints. */
function isWhole(value: unknown): value is number | bigint {
  return Number.isInteger(value) || typeof value === 'bigint';
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (isWhole(value)) return 'a number';
  if (typeof value === 'number') return 'a fraction';
  return `a ${typeof value}`;
}
