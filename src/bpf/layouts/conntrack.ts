import { formatIpv4, formatIpv6 } from '../../lib/address.ts';
import { protocolName } from '../../model/protocol.ts';
import { atLeast, type Release } from '../../model/release.ts';
import type { Batch } from '../kernel/reader.ts';
import { type AsciiWriter, ascii } from './ascii.ts';

/** Bits of a tuple's flags. */
const TUPLE_IN = 1;
const TUPLE_RELATED = 2;
const TUPLE_SERVICE = 4;

const FLAG_WORDS = [
  'RxClosing',
  'TxClosing',
  'Nat64',
  'LBLoopback',
  'SeenNonSyn',
  'NodePort',
  'ProxyRedirect',
  'DSRInternal',
  'FromL7LB',
  '',
  'FromTunnel',
];
/** Bits 11 to 15 have no name. */
const UNKNOWN_FLAGS = 0xf800;

/** IP version of a conntrack or NAT map, told by the size of its key; undefined for any other map. */
export function tupleFamily(keySize: number): 4 | 6 | undefined {
  if (keySize === 14) return 4;
  return keySize === 38 ? 6 : undefined;
}

/** Offsets within a tuple. */
const TUPLE = {
  4: { destination: 0, source: 4, destinationPort: 8, sourcePort: 10, protocol: 12, flags: 13, size: 14 },
  6: { destination: 0, source: 16, destinationPort: 32, sourcePort: 34, protocol: 36, flags: 37, size: 38 },
} as const;

/** One connection, the packet's way: who opened it to whom. */
export interface Connection {
  protocol: number;
  direction: 'IN' | 'OUT' | 'SVC';
  related: boolean;
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
}

/** What is wanted of a conntrack map. A connection matches when each set that is given holds one of its ends. */
export interface ConnectionFilter {
  ips?: ReadonlySet<string>;
  ports?: ReadonlySet<number>;
  /** What else has to hold. */
  test?: (connection: Connection) => boolean;
}

/** How entries are told. */
export interface ConntrackText {
  family: 4 | 6;
  release: Release;
  /** Seconds until an entry of this lifetime expires; adds them to each line. */
  remaining?: ((lifetime: number) => number) | undefined;
  filter?: ConnectionFilter | undefined;
}

// Ports lie in network order, everything else in the host's (little endian).
const be16 = (raw: Uint8Array, at: number) => ((raw[at] ?? 0) << 8) | (raw[at + 1] ?? 0);
const le16 = (raw: Uint8Array, at: number) => ((raw[at + 1] ?? 0) << 8) | (raw[at] ?? 0);
const le32 = (raw: Uint8Array, at: number) =>
  (((raw[at + 3] ?? 0) << 24) | ((raw[at + 2] ?? 0) << 16) | ((raw[at + 1] ?? 0) << 8) | (raw[at] ?? 0)) >>>
  0;

/** A u64, exact: a number as long as 53 bits hold it. */
function le64(raw: Buffer, at: number): number | bigint {
  const high = le32(raw, at + 4);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + le32(raw, at) : raw.readBigUInt64LE(at);
}

/** The connection of a conntrack key. The addresses are stored exchanged, the ports are not. */
export function decodeConnection(keys: Buffer, base: number, family: 4 | 6): Connection {
  const t = TUPLE[family];
  const address = family === 4 ? formatIpv4 : formatIpv6;
  const flags = keys[base + t.flags] ?? 0;
  const [source, destination] = [address(keys, base + t.destination), address(keys, base + t.source)];
  const [sourcePort, destinationPort] = [
    be16(keys, base + t.sourcePort),
    be16(keys, base + t.destinationPort),
  ];
  const common = {
    protocol: keys[base + t.protocol] ?? 0,
    related: (flags & TUPLE_RELATED) !== 0,
  };
  if (flags & TUPLE_SERVICE)
    return {
      ...common,
      direction: 'SVC',
      source: destination,
      sourcePort: destinationPort,
      destination: source,
      destinationPort: sourcePort,
    };
  const direction = flags & TUPLE_IN ? 'IN' : 'OUT';
  return { ...common, direction, source, sourcePort, destination, destinationPort };
}

/** Whether a connection is wanted. */
export function matchesConnection(connection: Connection, { ips, ports, test }: ConnectionFilter): boolean {
  if (ips && !ips.has(connection.source) && !ips.has(connection.destination)) return false;
  if (ports && !ports.has(connection.sourcePort) && !ports.has(connection.destinationPort)) return false;
  return test?.(connection) ?? true;
}

const PIECE = {
  arrow: ascii(' -> '),
  colon: ascii(':'),
  blank: ascii(' '),
  related: ascii(' related'),
  expires: ascii(' expires='),
  remaining: ascii(' (remaining: '),
  seconds: ascii(' sec(s))'),
  packets: ascii(' Packets='),
  bytes: ascii(' Bytes='),
  rxFlags: ascii(' RxFlagsSeen='),
  rxReport: ascii(' LastRxReport='),
  txFlags: ascii(' TxFlagsSeen='),
  txReport: ascii(' LastTxReport='),
  revNat: ascii(' RevNAT='),
  identity: ascii(' SourceSecurityID='),
  backend: ascii(' BackendID='),
  natPort: ascii(' NatPort='),
  ifindex: ascii(' IfIndex='),
  end: ascii(' \n'),
};

/** Longest line: two IPv6 addresses, all flags by name, three u64. */
const LONGEST_LINE = 1024;

/** Writes the lines of `bpf ct list` for a batch. Entries without a protocol are left out, as the reference does. */
export function writeConntrackLines(out: AsciiWriter, batch: Batch, how: ConntrackText): void {
  const { count, keys, values, keySize, valueStride } = batch;
  const { family, filter, remaining, release } = how;
  const t = TUPLE[family];
  for (let i = 0; i < count; i++) {
    const k = i * keySize;
    const v = i * valueStride;
    const protocol = keys[k + t.protocol] ?? 0;
    if (protocol === 0) continue;
    if (filter && !matchesConnection(decodeConnection(keys, k, family), filter)) continue;
    const flags = keys[k + t.flags] ?? 0;
    out.reserve(LONGEST_LINE);
    out.put(prefixOf(protocol, flags));
    const service = (flags & TUPLE_SERVICE) !== 0;
    // Addresses are stored exchanged, ports are not; a service's entry is told from the client's side.
    writeSide(
      out,
      family,
      keys,
      k + (service ? t.source : t.destination),
      be16(keys, k + (service ? t.destinationPort : t.sourcePort)),
    );
    out.put(PIECE.arrow);
    writeSide(
      out,
      family,
      keys,
      k + (service ? t.destination : t.source),
      be16(keys, k + (service ? t.sourcePort : t.destinationPort)),
    );
    if (flags & TUPLE_RELATED) out.put(PIECE.related);
    const lifetime = le32(values, v + 32);
    out.put(PIECE.expires);
    out.number(lifetime);
    if (remaining) {
      out.put(PIECE.remaining);
      out.integer(remaining(lifetime));
      out.put(PIECE.seconds);
    }
    out.put(PIECE.packets);
    out.integer(le64(values, v + 16));
    out.put(PIECE.bytes);
    out.integer(le64(values, v + 24));
    out.put(PIECE.rxFlags);
    out.put(HEX_BYTES[values[v + 43] ?? 0] ?? PIECE.blank);
    out.put(PIECE.rxReport);
    out.number(le32(values, v + 52));
    out.put(PIECE.txFlags);
    out.put(HEX_BYTES[values[v + 42] ?? 0] ?? PIECE.blank);
    out.put(PIECE.txReport);
    out.number(le32(values, v + 48));
    out.put(flagsPiece(le16(values, v + 36)));
    out.put(PIECE.revNat);
    out.number(be16(values, v + 38));
    out.put(PIECE.identity);
    out.number(le32(values, v + 44));
    if (!atLeast(release, '1.18')) {
      out.put(PIECE.ifindex);
      out.number(le16(values, v + 40));
    }
    out.put(PIECE.backend);
    out.integer(le64(values, v + 8));
    if (atLeast(release, '1.18')) {
      out.put(PIECE.natPort);
      out.number(be16(values, v + 40));
    }
    out.put(PIECE.end);
  }
}

/** An address and its port; addresses of IPv6 have no brackets, as in the reference. */
function writeSide(out: AsciiWriter, family: 4 | 6, keys: Buffer, address: number, port: number): void {
  if (family === 4) out.ipv4(keys, address);
  else out.text(formatIpv6(keys, address));
  out.put(PIECE.colon);
  out.number(port);
}

const prefixes = new Map<number, Uint8Array>();

/** `TCP OUT `, made once for each protocol and direction. */
function prefixOf(protocol: number, flags: number): Uint8Array {
  const direction = flags & (TUPLE_IN | TUPLE_SERVICE);
  const key = (protocol << 8) | direction;
  let prefix = prefixes.get(key);
  if (!prefix) {
    const word = direction & TUPLE_SERVICE ? 'SVC' : direction ? 'IN' : 'OUT';
    prefix = ascii(`${protocolName(protocol)} ${word} `);
    prefixes.set(key, prefix);
  }
  return prefix;
}

/** `TCP OUT 10.0.0.1:5 -> 10.0.0.2:80`. */
export function connectionText(c: Connection): string {
  return `${protocolName(c.protocol)} ${c.direction} ${c.source}:${c.sourcePort} -> ${c.destination}:${c.destinationPort}`;
}

const HEX_BYTES = Array.from({ length: 256 }, (_, i) => ascii(`0x${i.toString(16).padStart(2, '0')}`));

const flagPieces = new Map<number, Uint8Array>();

function flagsPiece(flags: number): Uint8Array {
  let piece = flagPieces.get(flags);
  if (!piece) {
    const words = FLAG_WORDS.filter((word, bit) => word !== '' && (flags >> bit) & 1);
    const unknown = flags & UNKNOWN_FLAGS;
    if (unknown) words.push(`Unknown=0x${unknown.toString(16).padStart(4, '0')}`);
    const hex = flags.toString(16).padStart(4, '0');
    piece = ascii(` Flags=0x${hex} [ ${words.map((word) => `${word} `).join('')}]`);
    flagPieces.set(flags, piece);
  }
  return piece;
}

/** A key as the reference's JSON has it: the stored bytes, ports read in host order. */
function tupleJson(keys: Buffer, base: number, family: 4 | 6): Record<string, unknown> {
  const t = TUPLE[family];
  const size = family === 4 ? 4 : 16;
  return {
    DestAddr: [...keys.subarray(base + t.destination, base + t.destination + size)],
    SourceAddr: [...keys.subarray(base + t.source, base + t.source + size)],
    DestPort: le16(keys, base + t.destinationPort),
    SourcePort: le16(keys, base + t.sourcePort),
    NextHeader: keys[base + t.protocol] ?? 0,
    Flags: keys[base + t.flags] ?? 0,
  };
}

/** A conntrack entry as the reference's JSON has it: nothing is swapped to its real order. */
export function conntrackJson(
  { keys, values, keySize, valueStride }: Batch,
  i: number,
  { family, release }: Pick<ConntrackText, 'family' | 'release'>,
): Record<string, unknown> {
  const v = i * valueStride;
  const first = [le64(values, v), le64(values, v + 8)] as const;
  const port = le16(values, v + 40);
  const flags = {
    Packets: le64(values, v + 16),
    Bytes: le64(values, v + 24),
    Lifetime: le32(values, v + 32),
    Flags: le16(values, v + 36),
    RevNAT: le16(values, v + 38),
  };
  const old = !atLeast(release, '1.18');
  return {
    Key: tupleJson(keys, i * keySize, family),
    Value: {
      ...(old ? { Reserved0: first[0], BackendID: first[1] } : { Union0: first }),
      ...flags,
      ...(old ? { IfIndex: port } : { NatPort: port }),
      TxFlagsSeen: values[v + 42] ?? 0,
      RxFlagsSeen: values[v + 43] ?? 0,
      SourceSecurityID: le32(values, v + 44),
      LastTxReport: le32(values, v + 48),
      LastRxReport: le32(values, v + 52),
    },
  };
}

/** One NAT entry: the packet as it was, and what one side of it is replaced with. */
export interface Translation extends Connection {
  service: boolean;
  toAddress: string;
  toPort: number;
  created: number | bigint;
  needsCt: number | bigint;
}

/** The translation of a NAT entry. Other than in conntrack maps, source and destination are the packet's. */
export function decodeTranslation(batch: Batch, i: number, family: 4 | 6): Translation {
  const { keys, values, keySize, valueStride } = batch;
  const t = TUPLE[family];
  const base = i * keySize;
  const v = i * valueStride;
  const address = family === 4 ? formatIpv4 : formatIpv6;
  const flags = keys[base + t.flags] ?? 0;
  return {
    protocol: keys[base + t.protocol] ?? 0,
    direction: flags & TUPLE_IN ? 'IN' : 'OUT',
    related: (flags & TUPLE_RELATED) !== 0,
    service: (flags & TUPLE_SERVICE) !== 0,
    source: address(keys, base + t.source),
    sourcePort: be16(keys, base + t.sourcePort),
    destination: address(keys, base + t.destination),
    destinationPort: be16(keys, base + t.destinationPort),
    created: le64(values, v),
    needsCt: le64(values, v + 8),
    toAddress: address(values, v + 32),
    toPort: be16(values, v + (family === 4 ? 36 : 48)),
  };
}

/** A line of `bpf nat list`, without its end. `age` gives the seconds since an entry's creation. */
export function translationLine(
  nat: Translation,
  family: 4 | 6,
  age?: (created: number | bigint) => number,
): string {
  const host = family === 4 ? (ip: string) => ip : (ip: string) => `[${ip}]`;
  const words = `${nat.related ? 'related ' : ''}${nat.service ? 'service ' : ''}`;
  const created = age ? `${age(nat.created)}sec ago` : `? (raw ${nat.created})`;
  return `${protocolName(nat.protocol)} ${nat.direction} ${host(nat.source)}:${nat.sourcePort} -> ${host(
    nat.destination,
  )}:${nat.destinationPort} ${words}XLATE_${nat.direction === 'IN' ? 'DST' : 'SRC'} ${host(nat.toAddress)}:${
    nat.toPort
  } Created=${created} NeedsCT=${nat.needsCt}`;
}

/** A NAT entry as the reference's JSON has it. */
export function natJson(batch: Batch, i: number, family: 4 | 6): Record<string, unknown> {
  const { keys, values, keySize, valueStride } = batch;
  const v = i * valueStride;
  const size = family === 4 ? 4 : 16;
  return {
    Key: tupleJson(keys, i * keySize, family),
    Value: {
      Created: le64(values, v),
      NeedsCT: le64(values, v + 8),
      Pad1: le64(values, v + 16),
      Pad2: le64(values, v + 24),
      Addr: [...values.subarray(v + 32, v + 32 + size)],
      Port: le16(values, v + 32 + size),
    },
  };
}
