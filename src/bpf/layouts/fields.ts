import { formatIpv4, formatIpv6, formatMac } from '../../model/ip.ts';

/** Reads one field of a struct that starts at `base`. */
export type Field<T> = (raw: Buffer, base: number) => T;

/** A struct of the datapath: its size and what its bytes mean. Numbers of the host are little endian here. */
export interface Layout<T> {
  readonly size: number;
  /** Decodes the struct that starts at `base`; the buffer must hold all of it. */
  decode(raw: Buffer, base?: number): T;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type RecordOf<F extends Fields> = { -readonly [K in keyof F]: ReturnType<F[K]> };

/** Declares a struct by its fields. Padding is left out. */
export function layout<F extends Fields>(size: number, fields: F): Layout<RecordOf<F>> {
  const all = Object.entries(fields);
  return {
    size,
    decode(raw, base = 0) {
      if (base < 0 || base + size > raw.length)
        throw new RangeError(`a struct of ${size} bytes does not lie in ${raw.length} bytes at ${base}`);
      const record: Record<string, unknown> = {};
      for (const [name, field] of all) record[name] = field(raw, base);
      return record as RecordOf<F>;
    },
  };
}

export const u8 =
  (at: number): Field<number> =>
  (raw, base) =>
    raw[base + at] ?? 0;
/** Host order. */
export const u16 =
  (at: number): Field<number> =>
  (raw, base) =>
    raw.readUInt16LE(base + at);
/** Host order. */
export const u32 =
  (at: number): Field<number> =>
  (raw, base) =>
    raw.readUInt32LE(base + at);
/** Host order. */
export const u64 =
  (at: number): Field<bigint> =>
  (raw, base) =>
    raw.readBigUInt64LE(base + at);
/** Network order: ports, and service ids although the datapath declares those as plain numbers. */
export const be16 =
  (at: number): Field<number> =>
  (raw, base) =>
    raw.readUInt16BE(base + at);
/** Network order. */
export const be32 =
  (at: number): Field<number> =>
  (raw, base) =>
    raw.readUInt32BE(base + at);
export const ipv4 =
  (at: number): Field<string> =>
  (raw, base) =>
    formatIpv4(raw, base + at);
export const ipv6 =
  (at: number): Field<string> =>
  (raw, base) =>
    formatIpv6(raw, base + at);
export const mac =
  (at: number): Field<string> =>
  (raw, base) =>
    formatMac(raw, base + at);

/** 16 bytes that hold an IPv4 address in their first four when the byte at `family` says so; '' for neither. */
export const ipOfFamily =
  (at: number, family: number): Field<string> =>
  (raw, base) => {
    const kind = raw[base + family];
    if (kind === 1) return formatIpv4(raw, base + at);
    return kind === 2 ? formatIpv6(raw, base + at) : '';
  };

/** Bytes as they are, in hex. */
export const hex =
  (at: number, size: number): Field<string> =>
  (raw, base) =>
    raw.toString('hex', base + at, base + at + size);

/** A bit of a byte. */
export const bit =
  (at: number, mask: number): Field<boolean> =>
  (raw, base) =>
    ((raw[base + at] ?? 0) & mask) !== 0;
