import { formatTimestamp, inRange, parseTimestamp } from '../../lib/timestamp.ts';
import type { Messages } from '../../model/hubble.gen.ts';
import { fieldMaskPaths, fieldMaskText } from './field-mask.ts';
import { type Field, type MessageName, type MessageType, messageType, type Plain } from './schema.ts';
import { WireReader, WireWriter } from './wire.ts';

/**
 * Decodes a message to a plain object whose JSON is protobuf's JSON form: names of the schema in declared order,
 * enums by name, 64-bit numbers and times as text, defaults left out, unknown fields skipped.
 * Throws WireError when the bytes are not a message.
 */
export function decode<N extends MessageName>(name: N, bytes: Uint8Array): Messages[N] {
  return decodeMessage(messageType(name), new WireReader(asBuffer(bytes))) as Messages[N];
}

/** Encodes a plain object of the JSON form. Properties that the schema lacks are left out. */
export function encode<N extends MessageName>(name: N, message: Messages[N]): Buffer {
  const writer = new WireWriter();
  encodeMessage(messageType(name), message as Plain, writer);
  return writer.finish();
}

/** The same bytes as a Buffer, without copying. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function decodeMessage(type: MessageType, reader: WireReader): Plain {
  const slots: unknown[] = new Array(type.fields.length);
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    const field = type.byNumber.get(tag >>> 3);
    if (!field || !readField(field, tag & 7, reader, slots)) reader.skip(tag & 7);
    else if (field.oneof !== undefined) clearOneof(type, field, slots);
  }
  const message: Plain = {};
  for (const field of type.fields) {
    const value = slots[field.index];
    if (value !== undefined) message[field.name] = value;
  }
  return message;
}

/** The last member of a oneof on the wire wins. */
function clearOneof(type: MessageType, set: Field, slots: unknown[]): void {
  for (const other of type.fields) {
    if (other.oneof === set.oneof && other !== set) slots[other.index] = undefined;
  }
}

const WIRE_TYPES = {
  bool: 0,
  int32: 0,
  uint32: 0,
  int64: 0,
  uint64: 0,
  enum: 0,
  double: 1,
} as const;

/** False when the wire type is not one that the field may have. */
function readField(field: Field, wireType: number, reader: WireReader, slots: unknown[]): boolean {
  const { kind, repeated, index } = field;
  const scalar = wireTypeOf(field);
  if (repeated && scalar !== 2 && wireType === 2) {
    const list = listAt(slots, index);
    const length = reader.length();
    const inner = new WireReader(reader.bytes, reader.pos, reader.pos + length);
    reader.pos += length;
    while (inner.pos < inner.end) list.push(readScalar(field, inner));
    return true;
  }
  if (wireType !== scalar) return false;
  if (repeated) {
    const list = listAt(slots, index);
    list.push(scalar === 2 ? readDelimited(field, reader, undefined) : readScalar(field, reader));
    return true;
  }
  const value =
    scalar === 2 ? readDelimited(field, reader, slots[index] as Plain) : readScalar(field, reader);
  // A member of a oneof has presence, so that its default is kept.
  slots[index] = field.oneof === undefined && isDefault(kind, value, field) ? undefined : value;
  return true;
}

function listAt(slots: unknown[], index: number): unknown[] {
  const list = slots[index];
  if (Array.isArray(list)) return list;
  const fresh: unknown[] = [];
  slots[index] = fresh;
  return fresh;
}

/** How the values of a field stand on the wire. */
export function wireTypeOf(field: Field): number {
  return WIRE_TYPES[field.kind as keyof typeof WIRE_TYPES] ?? 2;
}

function isDefault(kind: Field['kind'], value: unknown, field: Field): boolean {
  switch (kind) {
    case 'bool':
      return value === false;
    case 'string':
    case 'bytes':
      return value === '';
    case 'enum':
      return value === (field.values().names.get(0) ?? 0);
    case 'int64':
    case 'uint64':
      return value === '0';
    case 'double':
      return Object.is(value, 0);
    case 'int32':
    case 'uint32':
      return value === 0;
    default:
      return false;
  }
}

/** Reads a field of wire type 0 or 1. */
export function readScalar(field: Field, reader: WireReader): unknown {
  if (field.kind === 'double') {
    const at = reader.pos;
    reader.skip(1);
    return doubleValue(reader.bytes.readDoubleLE(at));
  }
  reader.varint();
  switch (field.kind) {
    case 'bool':
      return reader.lo !== 0 || reader.hi !== 0;
    case 'int32':
      return reader.lo | 0;
    case 'int64':
      return reader.int64Text();
    case 'uint64':
      return reader.uint64Text();
    case 'enum':
      return field.values().names.get(reader.lo | 0) ?? reader.lo | 0;
    default:
      return reader.lo;
  }
}

/** JSON has no number for these, so that protobuf writes them as text. */
function doubleValue(value: number): number | string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? value : value > 0 ? 'Infinity' : '-Infinity';
}

/** Reads a field of wire type 2; a message that came before is merged with this one. */
function readDelimited(field: Field, reader: WireReader, before: Plain | undefined): unknown {
  const length = reader.length();
  const from = reader.pos;
  const to = from + length;
  reader.pos = to;
  switch (field.kind) {
    case 'string':
      return reader.bytes.toString('utf8', from, to);
    case 'bytes':
      return reader.bytes.toString('base64', from, to);
    case 'timestamp':
    case 'duration': {
      const { seconds, nanos } = readTime(new WireReader(reader.bytes, from, to));
      return field.kind === 'timestamp' ? timestampText(seconds, nanos) : durationText(seconds, nanos);
    }
    case 'boolValue':
    case 'int32Value':
    case 'uint32Value':
      return readWrapper(field, new WireReader(reader.bytes, from, to));
    case 'fieldMask':
      return fieldMaskText(readStrings(new WireReader(reader.bytes, from, to)));
    case 'any':
      return readAny(new WireReader(reader.bytes, from, to));
    default: {
      const message = decodeMessage(field.message(), new WireReader(reader.bytes, from, to));
      return before === undefined ? message : mergeMessages(field.message(), before, message);
    }
  }
}

/** Protobuf's rule for a message that comes in pieces: later scalars win, lists are joined. */
function mergeMessages(type: MessageType, before: Plain, after: Plain): Plain {
  const merged: Plain = {};
  for (const field of type.fields) {
    const [a, b] = [before[field.name], after[field.name]];
    const replaced =
      a !== undefined &&
      b === undefined &&
      field.oneof !== undefined &&
      type.fields.some((other) => other.oneof === field.oneof && after[other.name] !== undefined);
    if (replaced) continue;
    if (a === undefined || b === undefined) {
      if ((a ?? b) !== undefined) merged[field.name] = b ?? a;
    } else if (field.repeated) merged[field.name] = [...(a as unknown[]), ...(b as unknown[])];
    else if (field.kind === 'message')
      merged[field.name] = mergeMessages(field.message(), a as Plain, b as Plain);
    else merged[field.name] = b;
  }
  return merged;
}

/** Seconds and nanoseconds of a Timestamp or Duration. */
export function readTime(reader: WireReader): { seconds: number; nanos: number } {
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    if (tag === 8) {
      reader.varint();
      seconds = reader.int64Number();
    } else if (tag === 16) {
      reader.varint();
      nanos = reader.lo | 0;
    } else reader.skip(tag & 7);
  }
  return { seconds, nanos };
}

function timestampText(seconds: number, nanos: number): string | undefined {
  const time = inRange({ seconds, nanos });
  return time && formatTimestamp(time);
}

function durationText(seconds: number, nanos: number): string {
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  const digits = String(Math.abs(nanos))
    .padStart(9, '0')
    .replace(/(000){1,3}$/, '');
  return `${sign}${Math.abs(seconds)}${digits && `.${digits}`}s`;
}

/** Reads the value of a wrapper message up to the reader's end. */
export function readWrapper(field: Field, reader: WireReader): boolean | number {
  let lo = 0;
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    if (tag !== 8) reader.skip(tag & 7);
    else lo = reader.uint32();
  }
  if (field.kind === 'boolValue') return lo !== 0;
  return field.kind === 'int32Value' ? lo | 0 : lo;
}

function readStrings(reader: WireReader): string[] {
  const texts: string[] = [];
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    if (tag !== 10) reader.skip(tag & 7);
    else {
      const length = reader.length();
      texts.push(reader.bytes.toString('utf8', reader.pos, reader.pos + length));
      reader.pos += length;
    }
  }
  return texts;
}

function readAny(reader: WireReader): Plain {
  let url = '';
  let value = Buffer.alloc(0);
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    if (tag !== 10 && tag !== 18) {
      reader.skip(tag & 7);
      continue;
    }
    const length = reader.length();
    if (tag === 10) url = reader.bytes.toString('utf8', reader.pos, reader.pos + length);
    else value = Buffer.from(reader.bytes.subarray(reader.pos, reader.pos + length));
    reader.pos += length;
  }
  const type = knownType(url);
  return type
    ? { '@type': url, ...decodeMessage(type, new WireReader(value)) }
    : { '@type': url, value: value.toString('base64') };
}

function knownType(url: string): MessageType | undefined {
  try {
    return messageType(url.slice(url.lastIndexOf('/') + 1));
  } catch {
    return undefined;
  }
}

function encodeMessage(type: MessageType, message: Plain, writer: WireWriter): void {
  for (const field of type.fields) {
    const value = message[field.name];
    if (value === undefined || value === null) continue;
    if (!field.repeated) {
      if (field.oneof === undefined && isDefault(field.kind, value, field)) continue;
      writer.varint((field.number << 3) | wireTypeOf(field));
      writeValue(field, value, writer);
    } else if (Array.isArray(value) && value.length > 0) encodeList(field, value, writer);
  }
}

function encodeList(field: Field, values: readonly unknown[], writer: WireWriter): void {
  if (wireTypeOf(field) !== 2) {
    writer.varint((field.number << 3) | 2);
    writer.nested(() => {
      for (const value of values) writeValue(field, value, writer);
    });
    return;
  }
  for (const value of values) {
    writer.varint((field.number << 3) | 2);
    writeValue(field, value, writer);
  }
}

function writeValue(field: Field, value: unknown, writer: WireWriter): void {
  switch (field.kind) {
    case 'bool':
      writer.varint(value ? 1 : 0);
      break;
    case 'uint32':
      writer.varint(Number(value));
      break;
    case 'int32':
      writer.varint64(BigInt(Number(value)));
      break;
    case 'int64':
    case 'uint64':
      writer.varint64(BigInt(value as string));
      break;
    case 'enum':
      writer.varint64(
        BigInt(typeof value === 'number' ? value : (field.values().numbers.get(String(value)) ?? 0)),
      );
      break;
    case 'double':
      writer.double(Number(value));
      break;
    case 'string':
      writer.text(String(value));
      break;
    case 'bytes':
      writer.raw(Buffer.from(String(value), 'base64'));
      break;
    case 'message':
      writer.nested(() => encodeMessage(field.message(), value as Plain, writer));
      break;
    default:
      writer.nested(() => writeWellKnown(field, value, writer));
      break;
  }
}

function writeWellKnown(field: Field, value: unknown, writer: WireWriter): void {
  const number = (at: number, n: bigint) => {
    if (n === 0n) return;
    writer.varint(at << 3);
    writer.varint64(n);
  };
  switch (field.kind) {
    case 'boolValue':
      number(1, value ? 1n : 0n);
      break;
    case 'int32Value':
    case 'uint32Value':
      number(1, BigInt(Number(value)));
      break;
    case 'timestamp': {
      const time = parseTimestamp(String(value));
      number(1, BigInt(time?.seconds ?? 0));
      number(2, BigInt(time?.nanos ?? 0));
      break;
    }
    case 'duration': {
      const [, sign, seconds = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(String(value)) ?? [];
      const factor = sign ? -1n : 1n;
      number(1, factor * BigInt(seconds));
      number(2, factor * BigInt(fraction.padEnd(9, '0')));
      break;
    }
    case 'fieldMask':
      for (const path of fieldMaskPaths(String(value))) {
        writer.varint(10);
        writer.text(path);
      }
      return;
    default: {
      const any = value as Plain;
      const url = String(any['@type'] ?? '');
      const type = knownType(url);
      writer.varint(10);
      writer.text(url);
      writer.varint(18);
      if (type) writer.nested(() => encodeMessage(type, any, writer));
      else writer.raw(Buffer.from(String(any.value ?? ''), 'base64'));
    }
  }
}
