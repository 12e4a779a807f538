import { addressBytes, formatIpv4, formatIpv6, formatMac, parseAddress } from '../../lib/address.ts';

/** One field of a struct that starts at `base`. */
export interface Field<T> {
  get(raw: Buffer, base: number): T;
  put(raw: Buffer, base: number, value: T): void;
}

/** A struct of the datapath: its size and what its bytes mean. Numbers of the host are little endian here. */
export interface Layout<T> {
  readonly size: number;
  /** Decodes the struct that starts at `base`; the buffer must hold all of it. */
  decode(raw: Buffer, base?: number): T;
  /** The bytes of a struct. Padding and fields that are left out are zero. */
  encode(record: Partial<T>): Buffer;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type RecordOf<F extends Fields> = { -readonly [K in keyof F]: ReturnType<F[K]['get']> };

/** Declares a struct by its fields. Padding is left out. */
export function layout<F extends Fields>(size: number, fields: F): Layout<RecordOf<F>> {
  const all = Object.entries(fields);
  return {
    size,
    decode(raw, base = 0) {
      if (base < 0 || base + size > raw.length)
        throw new RangeError(`a struct of ${size} bytes does not lie in ${raw.length} bytes at ${base}`);
      const record: Record<string, unknown> = {};
      for (const [name, field] of all) record[name] = field.get(raw, base);
      return record as RecordOf<F>;
    },
    encode(record) {
      const raw = Buffer.alloc(size);
      for (const [name, field] of all) {
        const value = record[name];
        if (value !== undefined) field.put(raw, 0, value);
      }
      return raw;
    },
  };
}

/** A field from how it is read and written at its place. */
function field<T>(
  read: (raw: Buffer, at: number) => T,
  write: (raw: Buffer, at: number, value: T) => void,
): (at: number) => Field<T> {
  return (at) => ({
    get: (raw, base) => read(raw, base + at),
    put: (raw, base, value) => write(raw, base + at, value),
  });
}

export const u8 = field<number>(
  (raw, at) => raw[at] ?? 0,
  (raw, at, value) => raw.writeUInt8(value, at),
);
/** Host order. */
export const u16 = field<number>(
  (raw, at) => raw.readUInt16LE(at),
  (raw, at, value) => raw.writeUInt16LE(value, at),
);
/** Host order. */
export const u32 = field<number>(
  (raw, at) => raw.readUInt32LE(at),
  (raw, at, value) => raw.writeUInt32LE(value, at),
);
/** Host order. */
export const u64 = field<bigint>(
  (raw, at) => raw.readBigUInt64LE(at),
  (raw, at, value) => raw.writeBigUInt64LE(value, at),
);
/** Network order: ports, and service ids although the datapath declares those as plain numbers. */
export const be16 = field<number>(
  (raw, at) => raw.readUInt16BE(at),
  (raw, at, value) => raw.writeUInt16BE(value, at),
);
/** Network order. */
export const be32 = field<number>(
  (raw, at) => raw.readUInt32BE(at),
  (raw, at, value) => raw.writeUInt32BE(value, at),
);
export const ipv4 = field<string>(formatIpv4, (raw, at, ip) => raw.set(bytesOf(ip, 4), at));
export const ipv6 = field<string>(formatIpv6, (raw, at, ip) => raw.set(bytesOf(ip, 16), at));
export const mac = field<string>(formatMac, (raw, at, text) => {
  raw.write(text.replaceAll(':', ''), at, 6, 'hex');
});

/** Bytes of an address. Formatting writes an IPv4 address that was mapped into IPv6 dotted: it is mapped again. */
function bytesOf(ip: string, size: 4 | 16): Uint8Array {
  const address = parseAddress(ip);
  if (!address || (size === 4 && address.family === 6))
    throw new RangeError(`"${ip}" is not an address of ${size} bytes`);
  const bytes = addressBytes(address);
  if (bytes.length === size) return bytes;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
}

/**
 * 16 bytes that hold an IPv4 address in their first four when the byte at `family` says so; '' for neither. Writing
 * sets that byte; an IPv4 address mapped into IPv6 cannot be told from a plain one and becomes that.
 */
export const ipOfFamily = (at: number, family: number): Field<string> => ({
  get(raw, base) {
    const kind = raw[base + family];
    if (kind === 1) return formatIpv4(raw, base + at);
    return kind === 2 ? formatIpv6(raw, base + at) : '';
  },
  put(raw, base, ip) {
    if (ip === '') return;
    const v4 = !ip.includes(':');
    raw[base + family] = v4 ? 1 : 2;
    raw.set(bytesOf(ip, v4 ? 4 : 16), base + at);
  },
});

/** Bytes as they are, in hex. */
export const hex = (at: number, size: number): Field<string> =>
  field<string>(
    (raw, start) => raw.toString('hex', start, start + size),
    (raw, start, text) => {
      raw.write(text, start, size, 'hex');
    },
  )(at);

/** A bit of a byte. */
export const bit = (at: number, mask: number): Field<boolean> =>
  field<boolean>(
    (raw, start) => ((raw[start] ?? 0) & mask) !== 0,
    (raw, start, set) => {
      if (set) raw[start] = (raw[start] ?? 0) | mask;
    },
  )(at);
