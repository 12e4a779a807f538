import { parseJson, TooDeep } from '../../lib/exact-json.ts';
import { formatTimestamp, parseTimestamp } from '../../lib/timestamp.ts';
import type { Messages } from '../../model/hubble.gen.ts';
import { type Position, positionOf, syntaxFault } from './json-position.ts';
import {
  type Field,
  isUnset,
  type MessageName,
  type MessageType,
  messageType,
  type Plain,
} from './schema.ts';

/** Text that is not the JSON form of a message. The message says what and where, as protobuf's library does. */
export class ProtoJsonError extends Error {
  override name = 'ProtoJsonError';
  constructor(
    message: string,
    /** True when what is wrong is a name that the schema lacks, of a field or of an enum's value. */
    readonly unknown: boolean,
  ) {
    super(message);
  }
}

export interface ParseOptions {
  /** Leave out fields that the schema lacks, and keep names of enum values as text, instead of refusing the text. */
  ignoreUnknown?: boolean;
}

/** Parses the JSON form of a message and brings it to its canonical shape: declared order, defaults left out. */
export function parseProtoJson<N extends MessageName>(
  name: N,
  text: string,
  options: ParseOptions = {},
): Messages[N] {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    const fault = error instanceof TooDeep ? error.message : syntaxFault(text);
    throw new ProtoJsonError(`proto: ${fault}`, false);
  }
  try {
    return canonical(name, value, options);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new ProtoJsonError(
      `proto: ${error.explain(positionOf(text, error.path, error.atName))}`,
      error.unknown,
    );
  }
}

/** As parseProtoJson, for a value that a parser of JSON has made. Throws Fault. */
export function canonical<N extends MessageName>(
  name: N,
  value: unknown,
  options: ParseOptions = {},
): Messages[N] {
  return readMessage(messageType(name), value, options) as Messages[N];
}

/** What is wrong with a value, and the way to it. */
export class Fault extends Error {
  readonly path: (string | number)[] = [];
  constructor(
    readonly explain: (at: Position) => string,
    readonly unknown = false,
    /** The fault lies in the name of the last step of the path, not in its value. */
    readonly atName = false,
  ) {
    super('not the JSON form of the message');
  }
}

function readMessage(type: MessageType, value: unknown, options: ParseOptions): Plain {
  if (!isObject(value)) throw unexpected();
  const { fields, byName } = type;
  const slots: unknown[] = new Array(fields.length);
  let ordered = true;
  let last = -1;
  for (const key in value) {
    const field = byName.get(key);
    if (field === undefined) {
      if (options.ignoreUnknown) {
        ordered = false;
        continue;
      }
      throw wrongName(key, `unknown field ${JSON.stringify(key)}`, true);
    }
    const given = value[key];
    if (slots[field.index] !== undefined) throw wrongName(key, `duplicate field ${JSON.stringify(key)}`);
    // Until it has a value: a field may be named once, by either of its names.
    slots[field.index] = null;
    if (given === null) {
      ordered = false;
      continue;
    }
    if (
      field.oneof !== undefined &&
      fields.some(({ oneof, index }) => oneof === field.oneof && (slots[index] ?? null) !== null)
    )
      throw wrongName(
        key,
        `error parsing ${JSON.stringify(key)}, oneof ${type.name}.${field.oneof} is already set`,
      );
    let read: unknown;
    try {
      read = field.repeated ? readList(field, given, options) : readValue(field, given, options);
    } catch (error) {
      throw at(error, key);
    }
    if (field.oneof === undefined && isUnset(field, read)) {
      ordered = false;
      continue;
    }
    slots[field.index] = read;
    if (read !== given || field.index < last || key !== field.name) ordered = false;
    last = field.index;
  }
  // Text of our own making, which is most of it, is canonical already: no second object is made.
  if (ordered) return value;
  const message: Plain = {};
  for (const field of fields) {
    const read = slots[field.index];
    if (read !== undefined && read !== null) message[field.name] = read;
  }
  return message;
}

function isObject(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unexpected(): Fault {
  return new Fault(
    ({ line, column, token }) => `syntax error (line ${line}:${column}): unexpected token ${token}`,
  );
}

/** What is wrong lies in the name of a member. */
function wrongName(key: string, what: string, isUnknown = false): unknown {
  return at(new Fault(({ line, column }) => `(line ${line}:${column}): ${what}`, isUnknown, true), key);
}

function wrongValue(what: string, isUnknown = false): never {
  throw new Fault(({ line, column, token }) => `(line ${line}:${column}): ${what} ${token}`, isUnknown);
}

function invalid({ kind, jsonName }: Field, isUnknown = false): never {
  // A wrapper is a message with the one field `value`.
  const [, wrapped] = /^(\w+)Value$/.exec(kind) ?? [];
  const what = wrapped === undefined ? `${kind} field ${jsonName}` : `${wrapped.toLowerCase()} field value`;
  return wrongValue(`invalid value for ${what}:`, isUnknown);
}

function at(error: unknown, step: string | number): unknown {
  if (error instanceof Fault) error.path.unshift(step);
  return error;
}

function noItem(field: Field): never {
  if (field.kind === 'message' || field.kind === 'timestamp') throw unexpected();
  return invalid(field);
}

function readList(field: Field, value: unknown, options: ParseOptions): unknown[] {
  if (!Array.isArray(value)) throw unexpected();
  let same = true;
  const items = value.map((item, i) => {
    try {
      const read = item === null ? noItem(field) : readValue(field, item, options);
      if (read !== item) same = false;
      return read;
    } catch (error) {
      throw at(error, i);
    }
  });
  return same ? value : items;
}

function readValue(field: Field, value: unknown, options: ParseOptions): unknown {
  switch (field.kind) {
    case 'message':
      return readMessage(field.message(), value, options);
    case 'string':
    case 'fieldMask':
      return typeof value === 'string' ? value : invalid(field);
    case 'bool':
    case 'boolValue':
      return typeof value === 'boolean' ? value : invalid(field);
    case 'enum':
      return readEnum(field, value, options);
    case 'timestamp':
      return readTimestamp(value);
    case 'uint32':
    case 'uint32Value':
      return readInteger(field, value, 0, 0xffff_ffff);
    case 'int32':
    case 'int32Value':
      return readInteger(field, value, -0x8000_0000, 0x7fff_ffff);
    case 'uint64':
      return readBigInteger(field, value, 0n, 0xffff_ffff_ffff_ffffn);
    case 'int64':
      return readBigInteger(field, value, -0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn);
    case 'double':
      return readDouble(field, value);
    case 'bytes':
      return typeof value === 'string' ? Buffer.from(value, 'base64').toString('base64') : invalid(field);
    case 'duration':
      return typeof value === 'string' && /^-?\d+(\.\d{0,9})?s$/.test(value) ? value : invalid(field);
    case 'any':
      return isObject(value) ? value : invalid(field);
  }
}

function readEnum(field: Field, value: unknown, options: ParseOptions): unknown {
  const { names, numbers } = field.values();
  if (typeof value === 'string')
    return numbers.has(value) || options.ignoreUnknown ? value : invalid(field, true);
  if (typeof value === 'number' && Number.isInteger(value) && (value | 0) === value)
    return names.get(value) ?? value;
  return invalid(field);
}

const CANONICAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(?:\d{3}|\d{6}|\d{9})(?<!000))?Z$/;

/** Beyond the billionth part of a second. */
const TOO_FINE = /\.\d{10}/;

function readTimestamp(value: unknown): string {
  if (typeof value !== 'string') throw unexpected();
  const time = TOO_FINE.test(value) ? undefined : parseTimestamp(value);
  if (time === undefined) return wrongValue('invalid google.protobuf.Timestamp value');
  return CANONICAL_TIME.test(value) ? value : formatTimestamp(time);
}

function readInteger(field: Field, value: unknown, min: number, max: number): number {
  const number = typeof value === 'string' ? numberIn(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max
    ? number
    : invalid(field);
}

/** The number that a text is, where it is written as JSON writes one. */
function numberIn(text: string): number | undefined {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

function readBigInteger(field: Field, value: unknown, min: bigint, max: bigint): string {
  if (typeof value === 'string' && /^(0|[1-9]\d{0,17})$/.test(value)) return value;
  let number: bigint | undefined;
  if (typeof value === 'bigint') number = value;
  else if (typeof value === 'string' && /^-?(0|[1-9]\d*)$/.test(value)) number = BigInt(value);
  else {
    const given = typeof value === 'string' ? numberIn(value) : value;
    if (typeof given === 'number' && Number.isInteger(given)) number = BigInt(given);
  }
  return number !== undefined && number >= min && number <= max ? String(number) : invalid(field);
}

function readDouble(field: Field, value: unknown): number | string {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return value;
  const number =
    typeof value === 'string' && value.trim() === value && value !== '' ? Number(value) : Number.NaN;
  return Number.isNaN(number) ? invalid(field) : number;
}
