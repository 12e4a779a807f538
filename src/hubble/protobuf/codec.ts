import { formatTimestamp, inRange, parseTimestamp, type Timestamp } from '../../lib/timestamp.ts';
import type { Messages } from '../../model/hubble.gen.ts';
import { fieldMaskPaths, fieldMaskText } from './field-mask.ts';
import {
  type Field,
  isMessageName,
  isUnset,
  type MessageName,
  type MessageType,
  messageType,
  type Plain,
} from './schema.ts';
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
    const slot = slots[field.index];
    if (slot === undefined) continue;
    const value = slot instanceof WireReader ? readMessage(field, slot) : slot;
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
  const { repeated, index } = field;
  const scalar = wireTypeOf(field);
  if (repeated && scalar !== 2 && wireType === 2) {
    const list = listAt(slots, index);
    const inner = reader.nested();
    while (inner.pos < inner.end) list.push(readScalar(field, inner));
    return true;
  }
  if (wireType !== scalar) return false;
  const value = scalar === 2 ? readDelimited(field, reader) : readScalar(field, reader);
  if (repeated) listAt(slots, index).push(value instanceof WireReader ? readMessage(field, value) : value);
  // A message that comes in pieces is what their bytes are one behind the other.
  else if (value instanceof WireReader && slots[index] instanceof WireReader)
    slots[index] = new WireReader(Buffer.concat([slots[index].rest(), value.rest()]));
  // A member of a oneof has presence, so that its default is kept.
  else slots[index] = field.oneof === undefined && isUnset(field, value) ? undefined : value;
  return true;
}

function listAt(slots: unknown[], index: number): unknown[] {
  slots[index] ??= [];
  return slots[index] as unknown[];
}

/** How the values of a field stand on the wire. */
function wireTypeOf(field: Field): number {
  return WIRE_TYPES[field.kind as keyof typeof WIRE_TYPES] ?? 2;
}

/** Reads a field of wire type 0 or 1. */
function readScalar(field: Field, reader: WireReader): unknown {
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

/** Reads a field of wire type 2; of a message where it stands. */
function readDelimited({ kind }: Field, reader: WireReader): string | WireReader {
  if (kind !== 'string' && kind !== 'bytes') return reader.nested();
  const length = reader.length();
  reader.pos += length;
  return reader.bytes.toString(kind === 'string' ? 'utf8' : 'base64', reader.pos - length, reader.pos);
}

function readMessage(field: Field, reader: WireReader): unknown {
  const form = JSON_FORMS[field.kind];
  return form ? form.read(reader, field.message()) : decodeMessage(field.message(), reader);
}

/** The JSON form of a message that has one of its own, from its bytes, and to its fields. */
interface JsonForm {
  read(reader: WireReader, type: MessageType): unknown;
  write(value: unknown): Plain;
}

const wrapper = (zero: unknown): JsonForm => ({
  read: (reader, type) => decodeMessage(type, reader).value ?? zero,
  write: (value) => ({ value }),
});

const JSON_FORMS: Partial<Record<Field['kind'], JsonForm>> = {
  timestamp: {
    read: (reader) => {
      const time = inRange(reader.time());
      return time && formatTimestamp(time);
    },
    write: (text) => messageOf(parseTimestamp(String(text)) ?? { seconds: 0, nanos: 0 }),
  },
  duration: {
    read: (reader) => durationText(reader.time()),
    write: (text) => messageOf(durationOf(String(text))),
  },
  boolValue: wrapper(false),
  int32Value: wrapper(0),
  uint32Value: wrapper(0),
  fieldMask: {
    read: (reader, type) => fieldMaskText((decodeMessage(type, reader).paths ?? []) as string[]),
    write: (text) => ({ paths: fieldMaskPaths(String(text)) }),
  },
  any: {
    read: (reader, type) => {
      const { type_url: url = '', value = '' } = decodeMessage(type, reader);
      const name = nameIn(String(url));
      return { '@type': url, ...(name ? decode(name, Buffer.from(String(value), 'base64')) : { value }) };
    },
    write: (given) => {
      const { '@type': url = '', value = '', ...message } = given as Plain;
      const name = nameIn(String(url));
      return { type_url: url, value: name ? encode(name, message).toString('base64') : value };
    },
  },
};

function messageOf({ seconds, nanos }: Timestamp): Plain {
  return { seconds: String(seconds), nanos };
}

function durationText({ seconds, nanos }: Timestamp): string {
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  const digits = String(Math.abs(nanos))
    .padStart(9, '0')
    .replace(/(000){1,3}$/, '');
  return `${sign}${Math.abs(seconds)}${digits && `.${digits}`}s`;
}

function durationOf(text: string): Timestamp {
  const [, sign, seconds = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(text) ?? [];
  const factor = sign ? -1 : 1;
  return { seconds: factor * Number(seconds), nanos: factor * Number(fraction.padEnd(9, '0')) };
}

/** The message of ours that a URL names. */
function nameIn(url: string): MessageName | undefined {
  const name = url.slice(url.lastIndexOf('/') + 1);
  return isMessageName(name) ? name : undefined;
}

function encodeMessage(type: MessageType, message: Plain, writer: WireWriter): void {
  for (const field of type.fields) {
    const value = message[field.name];
    if (value === undefined || value === null) continue;
    if (!field.repeated) {
      if (field.oneof === undefined && isUnset(field, value)) continue;
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
    default: {
      const form = JSON_FORMS[field.kind];
      const message = form ? form.write(value) : (value as Plain);
      writer.nested(() => encodeMessage(field.message(), message, writer));
    }
  }
}
