/** Types of a map's keys and values as the compiler wrote them down (BPF Type Format). Pure: bytes in, values out. */

import { errorCode } from '../../errors.ts';

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
/** Deepest nesting that is followed; the kernel itself allows 32 levels. */
const MAX_DEPTH = 32;

const KIND = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  variable: 14,
  section: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

interface Member {
  name: string;
  type: number;
  bitOffset: number;
  /** 0 for a member that is no bit field. */
  bits: number;
}

interface Type {
  kind: number;
  name: string;
  /** Size in bytes, or the type that this one refers to. */
  sizeOrType: number;
  signed: boolean;
  isBool: boolean;
  members: Member[];
  values: Map<bigint, string>;
  element: { type: number; count: number };
}

/** What decoding gives: numbers, texts of enums, lists and records. */
export type BtfValue = number | bigint | boolean | string | BtfValue[] | { [name: string]: BtfValue };

/** Parsed type information. */
export class Btf {
  readonly #types: Type[] = [];

  /** Parses type information; undefined for bytes that are none. */
  static parse(raw: Buffer): Btf | undefined {
    try {
      return new Btf(raw);
    } catch (error) {
      if (isOutOfBounds(error)) return undefined;
      throw error;
    }
  }

  private constructor(raw: Buffer) {
    if (raw.length < HEADER_BYTES || raw.readUInt16LE(0) !== MAGIC) throw new RangeError('no BTF');
    const header = raw.readUInt32LE(4);
    const [typesAt, typesSize, namesAt, namesSize] = [8, 12, 16, 20].map((at) => raw.readUInt32LE(at));
    const types = section(raw, header + (typesAt ?? 0), typesSize ?? 0);
    const names = section(raw, header + (namesAt ?? 0), namesSize ?? 0);
    const nameAt = (offset: number) => {
      const end = names.indexOf(0, offset);
      return names.toString('latin1', offset, end === -1 ? names.length : end);
    };
    for (let at = 0; at < types.length; ) at = this.#parse(types, at, nameAt);
  }

  /** Parses the type at `at` and returns where the next one starts. */
  #parse(raw: Buffer, at: number, nameAt: (offset: number) => string): number {
    const info = raw.readUInt32LE(at + 4);
    const kind = (info >>> 24) & 0x1f;
    const count = info & 0xffff;
    const flag = info >>> 31 === 1;
    const type: Type = {
      kind,
      name: nameAt(raw.readUInt32LE(at)),
      sizeOrType: raw.readUInt32LE(at + 8),
      signed: flag,
      isBool: false,
      members: [],
      values: new Map(),
      element: { type: 0, count: 0 },
    };
    this.#types.push(type);
    let next = at + 12;
    switch (kind) {
      case KIND.int: {
        const encoding = (raw.readUInt32LE(next) >>> 24) & 0x0f;
        type.signed = (encoding & 1) !== 0;
        type.isBool = (encoding & 4) !== 0;
        next += 4;
        break;
      }
      case KIND.array:
        type.element = { type: raw.readUInt32LE(next), count: raw.readUInt32LE(next + 8) };
        next += 12;
        break;
      case KIND.struct:
      case KIND.union:
        for (let i = 0; i < count; i++, next += 12) {
          const offset = raw.readUInt32LE(next + 8);
          type.members.push({
            name: nameAt(raw.readUInt32LE(next)),
            type: raw.readUInt32LE(next + 4),
            bitOffset: flag ? offset & 0xff_ffff : offset,
            bits: flag ? offset >>> 24 : 0,
          });
        }
        break;
      case KIND.enum:
        for (let i = 0; i < count; i++, next += 8) {
          const value = flag ? raw.readInt32LE(next + 4) : raw.readUInt32LE(next + 4);
          type.values.set(BigInt(value), nameAt(raw.readUInt32LE(next)));
        }
        break;
      case KIND.enum64:
        for (let i = 0; i < count; i++, next += 12) {
          const value = raw.readBigUInt64LE(next + 4);
          type.values.set(flag ? BigInt.asIntN(64, value) : value, nameAt(raw.readUInt32LE(next)));
        }
        break;
      case KIND.funcProto:
        next += 8 * count;
        break;
      case KIND.section:
        next += 12 * count;
        break;
      case KIND.variable:
      case KIND.declTag:
        next += 4;
        break;
      default:
        break;
    }
    return next;
  }

  /** Decodes a value of a type; undefined where the type or the bytes do not allow it. */
  decode(typeId: number, raw: Buffer, at = 0): BtfValue | undefined {
    try {
      return this.#value(typeId, raw, at, 0);
    } catch (error) {
      if (isOutOfBounds(error)) return undefined;
      throw error;
    }
  }

  #type(id: number): Type {
    const type = this.#types[id - 1];
    if (!type) throw new RangeError(`no type ${id}`);
    return type;
  }

  #value(id: number, raw: Buffer, at: number, depth: number): BtfValue {
    if (depth > MAX_DEPTH) throw new RangeError('types nest too deep');
    const type = this.#type(id);
    switch (type.kind) {
      case KIND.int: {
        const value = integer(raw, at, type.sizeOrType, type.signed);
        return type.isBool ? Boolean(value) : value;
      }
      case KIND.pointer:
        return `0x${raw.readBigUInt64LE(at).toString(16)}`;
      case KIND.array: {
        const size = this.#sizeOf(type.element.type, depth + 1);
        if (size === 0 || size * type.element.count > raw.length - at)
          throw new RangeError('an array leaves its map');
        return Array.from({ length: type.element.count }, (_, i) =>
          this.#value(type.element.type, raw, at + i * size, depth + 1),
        );
      }
      case KIND.struct:
      case KIND.union:
        return Object.fromEntries(
          type.members.map((member, i) => [
            member.name || `anonymous${i}`,
            this.#member(member, raw, at, depth + 1),
          ]),
        );
      case KIND.enum:
      case KIND.enum64: {
        const value = integer(raw, at, type.sizeOrType, type.signed);
        return type.values.get(BigInt(value)) ?? value;
      }
      case KIND.float:
        return type.sizeOrType === 4 ? raw.readFloatLE(at) : raw.readDoubleLE(at);
      case KIND.typedef:
      case KIND.volatile:
      case KIND.const:
      case KIND.restrict:
      case KIND.typeTag:
      case KIND.variable:
        return this.#value(type.sizeOrType, raw, at, depth + 1);
      default:
        throw new RangeError(`a type of kind ${type.kind} has no value`);
    }
  }

  #member(member: Member, raw: Buffer, at: number, depth: number): BtfValue {
    if (member.bits === 0) return this.#value(member.type, raw, at + (member.bitOffset >> 3), depth);
    const byte = at + (member.bitOffset >> 3);
    const shift = member.bitOffset & 7;
    let word = 0n;
    for (let i = Math.ceil((shift + member.bits) / 8) - 1; i >= 0; i--)
      word = (word << 8n) | BigInt(raw.readUInt8(byte + i));
    const value = (word >> BigInt(shift)) & ((1n << BigInt(member.bits)) - 1n);
    return member.bits <= 32 ? Number(value) : value;
  }

  #sizeOf(id: number, depth: number): number {
    if (depth > MAX_DEPTH) throw new RangeError('types nest too deep');
    const type = this.#type(id);
    switch (type.kind) {
      case KIND.pointer:
        return 8;
      case KIND.array:
        return this.#sizeOf(type.element.type, depth + 1) * type.element.count;
      case KIND.typedef:
      case KIND.volatile:
      case KIND.const:
      case KIND.restrict:
      case KIND.typeTag:
        return this.#sizeOf(type.sizeOrType, depth + 1);
      default:
        return type.sizeOrType;
    }
  }
}

/** Ours is thrown as a RangeError; a Buffer says by a code that a read leaves it. */
function isOutOfBounds(error: unknown): boolean {
  if (error instanceof RangeError) return true;
  const code = errorCode(error);
  return code === 'ERR_OUT_OF_RANGE' || code === 'ERR_BUFFER_OUT_OF_BOUNDS';
}

function section(raw: Buffer, at: number, size: number): Buffer {
  if (at + size > raw.length) throw new RangeError('BTF is cut off');
  return raw.subarray(at, at + size);
}

/** A number as long as 53 bits hold it. */
function integer(raw: Buffer, at: number, size: number, signed: boolean): number | bigint {
  if (size === 1 || size === 2 || size === 4)
    return signed ? raw.readIntLE(at, size) : raw.readUIntLE(at, size);
  if (size === 8) {
    const value = signed ? raw.readBigInt64LE(at) : raw.readBigUInt64LE(at);
    const small = value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER;
    return small ? Number(value) : value;
  }
  if (size === 16) return (raw.readBigUInt64LE(at + 8) << 64n) | raw.readBigUInt64LE(at);
  throw new RangeError(`no integer has ${size} bytes`);
}
