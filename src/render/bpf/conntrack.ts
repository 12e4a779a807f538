/** The lines of `bpf ct list`, written from the bytes of the map by a writer that is made once from its structs. */

import { type ConntrackVariant, TUPLE_FLAG, type tuple4, type tuple6 } from '../../bpf/layouts/conntrack.ts';
import type { Field } from '../../bpf/layouts/struct.ts';
import { formatIpv6, formatIpv6Mapped } from '../../lib/address.ts';
import { readUint } from '../../lib/uint.ts';
import type { PackedEntries } from '../../model/bpf-map.ts';
import { protocolName } from '../../model/protocol.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { type Ascii, type AsciiWriter, ascii } from '../text/ascii-writer.ts';

/** What follows the two ends of a connection, in order. A struct that lacks a field leaves its part out. */
const PARTS: readonly (readonly [text: string, field: string])[] = [
  [' expires=', 'lifetime'],
  [' Packets=', 'packets'],
  [' Bytes=', 'bytes'],
  [' RxPackets=', 'rxPackets'],
  [' RxBytes=', 'rxBytes'],
  [' RxFlagsSeen=', 'rxFlagsSeen'],
  [' LastRxReport=', 'lastRxReport'],
  [' TxPackets=', 'txPackets'],
  [' TxBytes=', 'txBytes'],
  [' TxFlagsSeen=', 'txFlagsSeen'],
  [' LastTxReport=', 'lastTxReport'],
  [' Flags=', 'flags'],
  [' RevNAT=', 'revNatId'],
  [' SourceSecurityID=', 'sourceIdentity'],
  [' IfIndex=', 'ifindex'],
  [' BackendID=', 'backendId'],
  [' NatPort=', 'natPort'],
];

const PIECE = {
  arrow: ascii(' -> '),
  colon: ascii(':'),
  related: ascii(' related'),
  service: ascii(' service'),
  space: ascii(' '),
  remaining: ascii(' (remaining: '),
  seconds: ascii(' sec(s))'),
  end: ascii(' \n'),
};
/** Longest line: two IPv6 addresses, all flags by name, three u64. */
const LONGEST_LINE = 1024;

/** Writes a batch of a map. */
export type BatchWriter = (out: AsciiWriter, batch: PackedEntries) => void;

export interface ConntrackLines {
  /** Seconds until an entry of this lifetime expires; adds them to each line. */
  remaining?: ((lifetime: number) => number) | undefined;
  /** Whether the entry with the key at `base` is shown. */
  wanted?: ((keys: Buffer, base: number) => boolean) | undefined;
  /** The map is that of one endpoint: of its connections only the other end is told, and both ports. */
  ofEndpoint?: boolean;
  /** Which protocols have names. */
  release?: Release;
}

/** Makes the writer for a map of these structs. Entries without a protocol are left out, as the reference does. */
export function conntrackLineWriter(
  { key, value, flagWords }: ConntrackVariant<typeof tuple4 | typeof tuple6>,
  { remaining, wanted, ofEndpoint = false, release }: ConntrackLines = {},
): BatchWriter {
  const { source, destination, sourcePort, destinationPort, protocol, flags } = key.fields;
  const parts = PARTS.flatMap(([text, name]) => {
    const field = value.fields[name];
    return field
      ? [{ text: ascii(text), ...field, write: partWriter(name, field, remaining, flagWords) }]
      : [];
  });
  const prefixOf = prefixWriter(release);
  // Up to 1.15 a service's entry is told like any other, with one word more.
  const services = !('rxPackets' in value.fields);
  const writeEnd = source.kind === 'ipv4' ? writeIpv4 : ipv6Writer(release);
  return (out, { count, keys, values, keySize, valueStride }) => {
    for (let i = 0; i < count; i++) {
      const k = i * keySize;
      const v = i * valueStride;
      const number = keys[k + protocol.at] ?? 0;
      if (number === 0 || wanted?.(keys, k) === false) continue;
      const bits = keys[k + flags.at] ?? 0;
      out.reserve(LONGEST_LINE);
      const service = services && (bits & TUPLE_FLAG.service) !== 0;
      out.put(prefixOf(number, service ? TUPLE_FLAG.service : bits & TUPLE_FLAG.in));
      if (ofEndpoint) {
        const incoming = !service && (bits & TUPLE_FLAG.in) !== 0;
        writeEnd(out, keys, k + (service ? destination : source).at);
        out.put(PIECE.space);
        out.integer(portOf(keys, k, incoming ? sourcePort : destinationPort));
        writePort(out, keys, k, incoming ? destinationPort : sourcePort);
      } else {
        // Addresses are stored exchanged, ports are not; a service's entry is told from the client's side.
        writeEnd(out, keys, k + (service ? source : destination).at);
        writePort(out, keys, k, service ? destinationPort : sourcePort);
        out.put(PIECE.arrow);
        writeEnd(out, keys, k + (service ? destination : source).at);
        writePort(out, keys, k, service ? sourcePort : destinationPort);
      }
      if (bits & TUPLE_FLAG.related) out.put(PIECE.related);
      if (bits & TUPLE_FLAG.service && !services) out.put(PIECE.service);
      for (const { text, at, size, order, write } of parts) {
        out.put(text);
        if (write) write(out, values, v);
        else out.integer(readUint(values, v + at, size, order));
      }
      out.put(PIECE.end);
    }
  };
}

function writeIpv4(out: AsciiWriter, raw: Buffer, at: number): void {
  out.ipv4(raw, at);
}

/** Addresses of IPv6 have no brackets, as in the reference. Up to 1.19 those of IPv4 within them are told as such. */
function ipv6Writer(release: Release | undefined): typeof writeIpv4 {
  const format = release !== undefined && !atLeast(release, '1.20') ? formatIpv6 : formatIpv6Mapped;
  return (out, raw, at) => out.text(format(raw, at));
}

function portOf(keys: Buffer, base: number, { at, size, order }: Field): number | bigint {
  return readUint(keys, base + at, size, order);
}

function writePort(out: AsciiWriter, keys: Buffer, base: number, field: Field): void {
  out.put(PIECE.colon);
  out.integer(portOf(keys, base, field));
}

/** What is more than the number. */
type PartWriter = (out: AsciiWriter, raw: Buffer, base: number) => void;

function partWriter(
  name: string,
  { at, size, order }: Field,
  remaining: ConntrackLines['remaining'],
  flagWords: readonly string[],
): PartWriter | undefined {
  switch (name) {
    case 'flags': {
      const pieces = new Map<number, Ascii>();
      return (out, raw, base) => {
        const flags = Number(readUint(raw, base + at, size, order));
        let piece = pieces.get(flags);
        if (!piece) {
          piece = flagsPiece(flags, flagWords);
          pieces.set(flags, piece);
        }
        out.put(piece);
      };
    }
    case 'rxFlagsSeen':
    case 'txFlagsSeen':
      return (out, raw, base) => out.put(HEX_BYTES[raw[base + at] ?? 0] ?? PIECE.end);
    case 'lifetime':
      if (remaining)
        return (out, raw, base) => {
          const lifetime = Number(readUint(raw, base + at, size, order));
          out.number(lifetime);
          out.put(PIECE.remaining);
          out.integer(remaining(lifetime));
          out.put(PIECE.seconds);
        };
  }
  return undefined;
}

type PrefixOf = (protocol: number, direction: number) => Ascii;

/** `TCP OUT `, made once for each protocol and direction. */
function prefixWriter(release: Release | undefined): PrefixOf {
  const prefixes = new Map<number, Ascii>();
  return (protocol, direction) => {
    const key = (protocol << 8) | direction;
    let prefix = prefixes.get(key);
    if (!prefix) {
      const word = direction & TUPLE_FLAG.service ? 'SVC' : direction ? 'IN' : 'OUT';
      prefix = ascii(`${protocolName(protocol, release)} ${word} `);
      prefixes.set(key, prefix);
    }
    return prefix;
  };
}

const HEX_BYTES = Array.from({ length: 256 }, (_, i) => ascii(`0x${i.toString(16).padStart(2, '0')}`));

/** The flags as a number and in words. */
function flagsPiece(flags: number, known: readonly string[]): Ascii {
  const words = known.filter((word, bit) => word !== '' && (flags >> bit) & 1);
  const unknown = (flags >> known.length) << known.length;
  if (unknown) words.push(`Unknown=0x${unknown.toString(16).padStart(4, '0')}`);
  const hex = flags.toString(16).padStart(4, '0');
  return ascii(`0x${hex} [ ${words.map((word) => `${word} `).join('')}]`);
}
