import { UserError } from '../../errors.ts';
import { exactAt } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';

/** The fields of T that hold a V. */
type KeysOf<T, V> = { [K in keyof T]-?: NonNullable<T[K]> extends V ? K : never }[keyof T] & string;
type ItemOf<T> = NonNullable<T> extends readonly (infer I)[] ? I : never;
type EntryOf<T> = NonNullable<T> extends Readonly<Record<string, infer I>> ? I : never;

/**
 * A place in an answer of the agent. T is what the API's description says it holds; each read checks that and
 * fails with the path of the field that breaks it. As for Go's decoder, a missing field and null are the zero
 * value of their type; null in a list of objects is left out.
 */
export class Reader<T> {
  constructor(
    /** The call that was answered, such as `GET /endpoint`. */
    private readonly call: string,
    private readonly value: unknown,
    private readonly parent?: Reader<unknown>,
    private readonly key: string | number = '',
  ) {}

  /** Whether the agent sent anything here. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  has(key: keyof T & string): boolean {
    const value = this.#field(key);
    return value !== undefined && value !== null;
  }

  at<K extends keyof T & string>(key: K): Reader<NonNullable<T[K]>> {
    return new Reader(this.call, this.#field(key), this as Reader<unknown>, key);
  }

  /** The string of a field; empty when it is absent. */
  text(key: KeysOf<T, string>): string {
    const value = this.#field(key);
    if (typeof value === 'string') return value;
    if (value === undefined || value === null) return '';
    return this.at(key).#wrong('a string');
  }

  /** The whole number of a field; 0 when it is absent. */
  integer(key: KeysOf<T, number>): number {
    const value = this.#field(key);
    if (Number.isInteger(value)) return value as number;
    if (value === undefined || value === null) return 0;
    return this.at(key).#wrong('a whole number');
  }

  /** The whole number of a field, with all digits that the agent sent; 0 when it is absent. */
  exact(key: KeysOf<T, number>): number | bigint {
    const value = this.integer(key);
    const exact = isRecord(this.value) ? exactAt(this.value, key, value) : value;
    return typeof exact === 'bigint' ? exact : value;
  }

  /** The number of a field, whole or not; 0 when it is absent. */
  number(key: KeysOf<T, number>): number {
    const value = this.#field(key);
    if (typeof value === 'number') return value;
    if (value === undefined || value === null) return 0;
    return this.at(key).#wrong('a number');
  }

  flag(key: KeysOf<T, boolean>): boolean {
    const value = this.#field(key);
    if (typeof value === 'boolean') return value;
    if (value === undefined || value === null) return false;
    return this.at(key).#wrong('true or false');
  }

  /** A list of strings. */
  texts(key: KeysOf<T, readonly string[]>): string[] {
    return this.at(key)
      .#list()
      .map((item, i) => {
        if (typeof item === 'string') return item;
        if (item === null) return '';
        return new Reader(this.call, item, this.at(key) as Reader<unknown>, i).#wrong('a string');
      });
  }

  /** A list of whole numbers. */
  integers(key: KeysOf<T, readonly number[]>): number[] {
    return this.at(key)
      .#list()
      .map((item, i) => {
        if (Number.isInteger(item)) return item as number;
        if (item === null) return 0;
        return new Reader(this.call, item, this.at(key) as Reader<unknown>, i).#wrong('a whole number');
      });
  }

  /** The entries of the list that stands here. */
  items(): Reader<ItemOf<T>>[] {
    const items: Reader<ItemOf<T>>[] = [];
    this.#list().forEach((item, i) => {
      if (item !== null) items.push(new Reader<ItemOf<T>>(this.call, item, this as Reader<unknown>, i));
    });
    return items;
  }

  /** The entries of a list that the API's description does not know to be one. */
  listOf<I>(): Reader<I>[] {
    return this.#list().map((item, i) => new Reader<I>(this.call, item, this as Reader<unknown>, i));
  }

  /** The entries of the map that stands here, in the agent's order. */
  entries(): [string, Reader<EntryOf<T>>][] {
    return Object.keys(this.#object()).map((key) => [
      key,
      new Reader<EntryOf<T>>(this.call, this.#object()[key], this as Reader<unknown>, key),
    ]);
  }

  /** The map of strings that stands here. */
  textMap(): Record<string, string> {
    const map: Record<string, string> = {};
    for (const [key, item] of this.entries()) map[key] = item.asText();
    return map;
  }

  /** Whether a list stands here, where releases differ in that. */
  get isList(): boolean {
    return Array.isArray(this.value);
  }

  /** The same place, taken for another type. */
  as<U>(): Reader<U> {
    return new Reader<U>(this.call, this.value, this.parent, this.key);
  }

  /** The list of strings that stands here. */
  asTexts(): string[] {
    return this.#list().map((item, i) => new Reader(this.call, item, this as Reader<unknown>, i).asText());
  }

  /** The string that stands here. */
  asText(): string {
    if (typeof this.value === 'string') return this.value;
    return this.present ? this.#wrong('a string') : '';
  }

  /** Whatever stands here, unchecked. */
  raw(): unknown {
    return this.value;
  }

  /** The whole number that stands here. */
  asInteger(): number {
    if (Number.isInteger(this.value)) return this.value as number;
    return this.present ? this.#wrong('a whole number') : 0;
  }

  #field(key: string): unknown {
    const object = this.#object();
    return Object.hasOwn(object, key) ? object[key] : undefined;
  }

  #object(): Record<string, unknown> {
    if (!this.present) return {};
    if (typeof this.value !== 'object' || Array.isArray(this.value)) return this.#wrong('an object');
    return this.value as Record<string, unknown>;
  }

  #list(): unknown[] {
    if (!this.present) return [];
    return Array.isArray(this.value) ? this.value : this.#wrong('a list');
  }

  #path(): string {
    if (!this.parent) return '';
    const before = this.parent.#path();
    if (typeof this.key === 'number') return `${before}[${this.key}]`;
    return before === '' ? this.key : `${before}.${this.key}`;
  }

  #wrong(expected: string): never {
    const place = this.#path() || 'the answer';
    throw new UserError(
      `${this.call}: ${place} should be ${expected}, the agent sent ${kindOf(this.value)}`,
      {
        hint: 'Is this the socket of a Cilium agent? With -o json the answer is printed as it came.',
      },
    );
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a fraction';
  return `a ${typeof value}`;
}
