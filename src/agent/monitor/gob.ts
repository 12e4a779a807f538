/** A value of a gob stream. Structs become maps from field name to value; fields of the zero value are absent. */
export type GobValue =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly GobValue[]
  | GobStruct
  | GobMap
  | undefined;

export type GobStruct = ReadonlyMap<string, GobValue>;

/** A Go map, in the order of the stream. */
export class GobMap {
  constructor(readonly entries: readonly (readonly [GobValue, GobValue])[]) {}
}

/** The bytes are not a gob stream, or one that asks for more than is reasonable. */
export class GobError extends Error {
  override name = 'GobError';
}

/** Largest message that is collected; Go itself stops at 1 GiB, the agent's are below 64 KiB. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Largest number of values in one message: a struct of one byte becomes an object of a hundred. */
const MAX_VALUES = 250_000;
const MAX_TYPES = 4096;
const MAX_DEPTH = 64;

const BOOL = 1;
const INT = 2;
const UINT = 3;
const FLOAT = 4;
const BYTES = 5;
const STRING = 6;
const COMPLEX = 7;
const INTERFACE = 8;

type GobType =
  | { kind: 'list'; elem: number }
  | { kind: 'map'; key: number; elem: number }
  | { kind: 'struct'; fields: readonly { name: string; id: number }[] }
  | { kind: 'opaque'; text: boolean };

/**
 * Decodes a gob stream (Go's encoding/gob) piece by piece. Bytes may be cut anywhere. Memory is bounded by the largest
 * message allowed, whatever lengths the stream claims.
 */
export class GobDecoder {
  readonly #types = new Map<number, GobType>();
  #held: Uint8Array[] = [];
  #size = 0;
  /** Bytes that must be there before the next message can be complete. */
  #needed = 1;
  /** Values decoded from the current message. */
  #values = 0;

  /** Bytes of a message that is not complete yet. */
  get pendingBytes(): number {
    return this.#size;
  }

  /** Takes the next bytes and returns the values that they complete. Throws GobError. */
  push(chunk: Uint8Array): GobValue[] {
    this.#held.push(chunk);
    this.#size += chunk.length;
    const values: GobValue[] = [];
    if (this.#size < this.#needed) return values;
    const bytes = this.#held.length === 1 ? chunk : Buffer.concat(this.#held, this.#size);
    const end = this.#decodeAll(bytes, values);
    this.#size = bytes.length - end;
    this.#held = this.#size > 0 ? [bytes.subarray(end)] : [];
    return values;
  }

  /** Decodes every complete message and returns where the first incomplete one begins. */
  #decodeAll(bytes: Uint8Array, values: GobValue[]): number {
    let at = 0;
    for (;;) {
      const width = at < bytes.length ? lengthWidth(bytes[at] ?? 0) : 1;
      if (at + width > bytes.length) {
        this.#needed = width;
        return at;
      }
      const head = new GobReader(bytes, at, bytes.length);
      const length = head.uint();
      if (length === 0) throw new GobError('a message of no bytes');
      if (length > MAX_MESSAGE_BYTES)
        throw new GobError(`a message of ${length} bytes; the limit is ${MAX_MESSAGE_BYTES}`);
      const end = head.at + length;
      if (end > bytes.length) {
        this.#needed = width + length;
        return at;
      }
      const message = new GobReader(bytes, head.at, end);
      const id = message.int();
      if (id < 0) this.#define(-id, message);
      else values.push(this.#topLevel(id, message));
      at = end;
    }
  }

  #topLevel(id: number, message: GobReader): GobValue {
    this.#values = 0;
    if (this.#types.get(id)?.kind !== 'struct' && message.uint() !== 0)
      throw new GobError(`type ${id} was never described`);
    return this.#value(id, message, 0);
  }

  #define(id: number, message: GobReader): void {
    if (this.#types.size >= MAX_TYPES) throw new GobError(`more than ${MAX_TYPES} types`);
    this.#types.set(id, readType(message));
  }

  #value(id: number, from: GobReader, depth: number): GobValue {
    if (++this.#values > MAX_VALUES) throw new GobError(`more than ${MAX_VALUES} values in a message`);
    if (depth > MAX_DEPTH) throw new GobError(`values nested deeper than ${MAX_DEPTH}`);
    switch (id) {
      case BOOL:
        return from.uint() !== 0;
      case INT:
        return from.wideInt();
      case UINT:
        return from.wideUint();
      case FLOAT:
        return from.float();
      case BYTES:
        return from.bytes();
      case STRING:
        return from.string();
      case COMPLEX:
        return [from.float(), from.float()];
      case INTERFACE:
        return this.#interface(from, depth);
    }
    const type = this.#types.get(id);
    switch (type?.kind) {
      case undefined:
        throw new GobError(`type ${id} was never described`);
      case 'opaque':
        return type.text ? from.string() : from.bytes();
      case 'struct': {
        const struct = new Map<string, GobValue>();
        let field = -1;
        for (let delta = from.uint(); delta !== 0; delta = from.uint()) {
          field += delta;
          const known = type.fields[field];
          if (!known) throw new GobError(`field ${field} of a struct with ${type.fields.length} fields`);
          struct.set(known.name, this.#value(known.id, from, depth + 1));
        }
        return struct;
      }
      case 'list': {
        const list: GobValue[] = [];
        for (let left = from.count(); left > 0; left--) list.push(this.#value(type.elem, from, depth + 1));
        return list;
      }
      case 'map': {
        const entries: [GobValue, GobValue][] = [];
        for (let left = from.count(); left > 0; left--)
          entries.push([this.#value(type.key, from, depth + 1), this.#value(type.elem, from, depth + 1)]);
        return new GobMap(entries);
      }
    }
  }

  /** Name of the concrete type, its number, the length, the value; a nil interface is an empty name. */
  #interface(from: GobReader, depth: number): GobValue {
    if (from.string() === '') return undefined;
    const id = from.int();
    const end = from.at + from.count();
    const inner = new GobReader(from.data, from.at, end);
    from.at = end;
    if (this.#types.get(id)?.kind !== 'struct') inner.uint();
    return this.#value(id, inner, depth + 1);
  }
}

/** Decodes a stream that holds one value, such as a record inside an event. */
export function decodeGob(bytes: Uint8Array): GobValue {
  const [value] = new GobDecoder().push(bytes);
  if (value === undefined) throw new GobError('the value is cut off');
  return value;
}

/**
 * The description of a type is itself a gob struct, with one field per kind of type:
 * 1 array, 2 slice, 3 struct, 4 map, 5 GobEncoder, 6 BinaryMarshaler, 7 TextMarshaler.
 */
function readType(from: GobReader): GobType {
  let type: GobType | undefined;
  eachField(from, (kind) => {
    let elem = 0;
    let key = 0;
    const fields: { name: string; id: number }[] = [];
    eachField(from, (field) => {
      if (field === 1) readNameAndId(from);
      else if (kind === 3 && field === 2) {
        for (let left = from.count(); left > 0; left--) fields.push(readNameAndId(from));
      } else if (kind === 4 && field === 2) key = from.int();
      else if ((kind === 4 && field === 3) || (kind <= 2 && field === 2)) elem = from.int();
      else if (kind === 1 && field === 3) from.int();
      else throw new GobError(`field ${field} in the description of a type`);
    });
    if (kind <= 2) type = { kind: 'list', elem };
    else if (kind === 3) type = { kind: 'struct', fields };
    else if (kind === 4) type = { kind: 'map', key, elem };
    else type = { kind: 'opaque', text: kind === 7 };
  });
  if (!type) throw new GobError('an empty description of a type');
  return type;
}

function readNameAndId(from: GobReader): { name: string; id: number } {
  const read = { name: '', id: 0 };
  eachField(from, (field) => {
    if (field === 1) read.name = from.string();
    else if (field === 2) read.id = from.int();
    else throw new GobError(`field ${field} where a name and a type are expected`);
  });
  return read;
}

/** Calls `read` with the number (from 1) of each field that a struct holds. */
function eachField(from: GobReader, read: (field: number) => void): void {
  let field = 0;
  for (let delta = from.uint(); delta !== 0; delta = from.uint()) {
    field += delta;
    if (field > 7) throw new GobError(`field ${field} in the description of a type`);
    read(field);
  }
}

/** Bytes that a number takes whose first byte is `first`: small ones are one byte, others say their own length. */
function lengthWidth(first: number): number {
  return first < 0x80 ? 1 : 257 - first;
}

/** Reads gob's primitives from a stretch of bytes; every read past its end is a GobError. */
class GobReader {
  constructor(
    readonly data: Uint8Array,
    public at: number,
    readonly end: number,
  ) {}

  #take(n: number): number {
    const from = this.at;
    if (n > this.end - from) throw new GobError('a value runs past the end of its message');
    this.at = from + n;
    return from;
  }

  /** An unsigned number that must be a safe integer: a length, a count, a delta. */
  uint(): number {
    const value = this.wideUint();
    if (typeof value === 'bigint') throw new GobError(`the number ${value} is out of range`);
    return value;
  }

  int(): number {
    const value = this.wideInt();
    if (typeof value === 'bigint') throw new GobError(`the number ${value} is out of range`);
    return value;
  }

  /** A count of bytes or elements: never more than the bytes that are left, as each element takes at least one. */
  count(): number {
    const n = this.uint();
    if (n > this.end - this.at)
      throw new GobError(`${n} elements announced, ${this.end - this.at} bytes left`);
    return n;
  }

  wideUint(): number | bigint {
    const first = this.data[this.#take(1)] ?? 0;
    if (first < 0x80) return first;
    const width = 256 - first;
    if (width > 8) throw new GobError(`a number of ${width} bytes`);
    const from = this.#take(width);
    let value = 0;
    if (width <= 6) {
      for (let i = 0; i < width; i++) value = value * 256 + (this.data[from + i] ?? 0);
      return value;
    }
    let wide = 0n;
    for (let i = 0; i < width; i++) wide = (wide << 8n) | BigInt(this.data[from + i] ?? 0);
    return narrow(wide);
  }

  /** Signed numbers carry their sign in the lowest bit; negative ones are complemented. */
  wideInt(): number | bigint {
    const raw = this.wideUint();
    if (typeof raw === 'number') {
      const half = Math.floor(raw / 2);
      return raw % 2 === 0 ? half : -half - 1;
    }
    return narrow(raw & 1n ? ~(raw >> 1n) : raw >> 1n);
  }

  /** A float64 travels with its bytes reversed, so that common values are short. */
  float(): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(this.wideUint()), true);
    return view.getFloat64(0);
  }

  bytes(): Uint8Array {
    const length = this.count();
    const from = this.#take(length);
    return this.data.subarray(from, from + length);
  }

  string(): string {
    const bytes = this.bytes();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  }
}

function narrow(wide: bigint): number | bigint {
  const value = Number(wide);
  return Number.isSafeInteger(value) ? value : wide;
}
