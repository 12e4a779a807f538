/** Bytes of the datapath's structs to records and back, by the specs in layouts/. */

import { addressBytes, formatIpv4, formatIpv6Mapped, formatMac, parseAddress } from '../../lib/address.ts';
import { readUint, writeUint } from '../../lib/uint.ts';
import type { Decoded, Field, FieldKind, RecordOf, Struct } from '../layouts/struct.ts';

/** How a kind of field is read and written in the struct that starts at `base`. */
interface Codec<T> {
  get(raw: Buffer, base: number, field: Field): T;
  put(raw: Buffer, base: number, field: Field, value: T): void;
}

const codec = <T>(get: Codec<T>['get'], put: Codec<T>['put']): Codec<T> => ({ get, put });

const IPV4: Codec<string> = codec(
  (raw, base, { at }) => formatIpv4(raw, base + at),
  (raw, base, { at }, ip) => raw.set(bytesOf(ip, 4), base + at),
);
const IPV6: Codec<string> = codec(
  (raw, base, { at }) => formatIpv6Mapped(raw, base + at),
  (raw, base, { at }, ip) => raw.set(bytesOf(ip, 16), base + at),
);
const HEX: Codec<string> = codec(
  (raw, base, { at, size }) => raw.toString('hex', base + at, base + at + size),
  (raw, base, { at, size }, text) => {
    raw.write(text, base + at, size, 'hex');
  },
);
const CODECS: { readonly [K in FieldKind]: Codec<Decoded[K]> } = {
  number: codec<number>(
    (raw, base, { at, size, order }) => Number(readUint(raw, base + at, size, order)),
    (raw, base, { at, size, order }, value) => writeUint(raw, base + at, size, order, value),
  ),
  bigint: codec<bigint>(
    (raw, base, { at }) => raw.readBigUInt64LE(base + at),
    (raw, base, { at }, value) => {
      raw.writeBigUInt64LE(value, base + at);
    },
  ),
  ipv4: IPV4,
  ipv6: IPV6,
  // Writing sets the family.
  ip: codec<string>(
    (raw, base, field) => {
      const family = raw[base + field.tag];
      return family === 1 ? IPV4.get(raw, base, field) : family === 2 ? IPV6.get(raw, base, field) : '';
    },
    (raw, base, field, ip) => {
      if (ip === '') return;
      const v6 = ip.includes(':');
      raw[base + field.tag] = v6 ? 2 : 1;
      (v6 ? IPV6 : IPV4).put(raw, base, field, ip);
    },
  ),
  // The flag is part of a field of its own, which is written by itself.
  flaggedIp: codec<string>(
    (raw, base, field) => ((raw[base + field.tag] ?? 0) & field.mask ? IPV6 : IPV4).get(raw, base, field),
    (raw, base, field, ip) => (ip.includes(':') ? IPV6 : IPV4).put(raw, base, field, ip),
  ),
  mac: codec<string>(
    (raw, base, { at }) => formatMac(raw, base + at),
    (raw, base, field, text) => HEX.put(raw, base, field, text.replaceAll(':', '')),
  ),
  hex: HEX,
  bit: codec<boolean>(
    (raw, base, { at, mask }) => ((raw[base + at] ?? 0) & mask) !== 0,
    (raw, base, { at, mask }, set) => {
      if (set) raw[base + at] = (raw[base + at] ?? 0) | mask;
    },
  ),
  pad: codec<never>(
    () => {
      throw new TypeError('padding is not decoded');
    },
    () => {},
  ),
};

/** Bytes of an address. Formatting writes an IPv4 address that was mapped into IPv6 dotted: it is mapped again. */
function bytesOf(ip: string, size: 4 | 16): Uint8Array {
  const address = parseAddress(ip);
  if (!address || (size === 4 && address.family === 6))
    throw new RangeError(`"${ip}" is not an address of ${size} bytes`);
  const bytes = addressBytes(address);
  if (bytes.length === size) return bytes;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
}

/** Reads one field of the struct that starts at `base`. */
export function readField<K extends FieldKind>(field: Field<K>, raw: Buffer, base: number): Decoded[K] {
  return CODECS[field.kind].get(raw, base, field);
}

const lists = new WeakMap<Struct, readonly (readonly [name: string, field: Field])[]>();

/** The fields that are decoded, listed once for each struct. */
function fieldsOf(struct: Struct): readonly (readonly [name: string, field: Field])[] {
  let list = lists.get(struct);
  if (!list) {
    list = Object.entries(struct.fields).filter(([, { kind }]) => kind !== 'pad');
    lists.set(struct, list);
  }
  return list;
}

/** Decodes the struct that starts at `base`; the buffer must hold all of it. */
export function decode<S extends Struct>(struct: S, raw: Buffer, base = 0): RecordOf<S> {
  if (base < 0 || base + struct.size > raw.length)
    throw new RangeError(`a struct of ${struct.size} bytes does not lie in ${raw.length} bytes at ${base}`);
  const record: Record<string, unknown> = {};
  for (const [name, field] of fieldsOf(struct)) record[name] = readField(field, raw, base);
  return record as RecordOf<S>;
}

/** The bytes of a struct. Padding and fields that are left out are zero. */
export function encode<S extends Struct>(struct: S, record: Partial<RecordOf<S>>): Buffer {
  const raw = Buffer.alloc(struct.size);
  const values: Readonly<Record<string, unknown>> = record;
  for (const [name, field] of fieldsOf(struct)) {
    const value = values[name];
    const codec: Codec<unknown> = CODECS[field.kind];
    if (value !== undefined) codec.put(raw, 0, field, value);
  }
  return raw;
}
