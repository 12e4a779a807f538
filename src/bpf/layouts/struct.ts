import type { ByteOrder } from '../../lib/uint.ts';

/** What a field decodes to. Numbers hold up to 32 bits, bigints 64; padding is not decoded. */
export interface Decoded {
  number: number;
  bigint: bigint;
  ipv4: string;
  ipv6: string;
  /** 16 bytes that hold an IPv4 address in their first four when the byte at `tag` is 1, an IPv6 one when it is 2. */
  ip: string;
  /** As `ip`, but a bit of the byte at `tag` says that the address is an IPv6 one. */
  flaggedIp: string;
  mac: string;
  hex: string;
  bit: boolean;
  pad: never;
}
export type FieldKind = keyof Decoded;

/** One field of a struct: where it lies and what its bytes mean. */
export interface Field<K extends FieldKind = FieldKind> {
  readonly kind: K;
  readonly at: number;
  readonly size: number;
  readonly order: ByteOrder;
  /** Where the byte is that tells more of an address. */
  readonly tag: number;
  /** The bit that counts, of a `bit` or of the byte at `tag`. */
  readonly mask: number;
}

type Fields = Readonly<Record<string, Field>>;

/** A struct of the datapath as data: its size, and its fields by name. Padding is left out where nothing shows it. */
export interface Struct<F extends Fields = Fields> {
  readonly size: number;
  readonly fields: F;
}

/** What a struct decodes to. */
export type RecordOf<S extends Struct> =
  S extends Struct<infer F>
    ? { -readonly [K in keyof F as F[K] extends Field<'pad'> ? never : K]: Decoded[F[K]['kind']] }
    : never;

/** Declares a struct. */
export function struct<const F extends Fields>(size: number, fields: F): Struct<F> {
  return { size, fields };
}

function field<K extends FieldKind>(
  kind: K,
  at: number,
  size: number,
  { order = 'host', tag = 0, mask = 0 }: Partial<Pick<Field, 'order' | 'tag' | 'mask'>> = {},
): Field<K> {
  return { kind, at, size, order, tag, mask };
}

export const u8 = (at: number) => field('number', at, 1);
export const u16 = (at: number) => field('number', at, 2);
export const u32 = (at: number) => field('number', at, 4);
export const u64 = (at: number) => field('bigint', at, 8);
/** Network order: ports, and service ids although the datapath declares those as plain numbers. */
export const be16 = (at: number) => field('number', at, 2, { order: 'network' });
export const be32 = (at: number) => field('number', at, 4, { order: 'network' });
export const ipv4 = (at: number) => field('ipv4', at, 4);
export const ipv6 = (at: number) => field('ipv6', at, 16);
export const ipOfFamily = (at: number, tag: number) => field('ip', at, 16, { tag });
export const ipByFlag = (at: number, tag: number, mask: number) => field('flaggedIp', at, 16, { tag, mask });
export const mac = (at: number) => field('mac', at, 6);
export const hex = (at: number, size: number) => field('hex', at, size);
export const bit = (at: number, mask: number) => field('bit', at, 1, { mask });
/** Bytes that the reference's JSON shows although they mean nothing. */
export const pad = (at: number, size: number) => field('pad', at, size);
