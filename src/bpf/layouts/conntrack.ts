import { formatIpv4, formatIpv6 } from '../../model/ip.ts';
import type { Batch } from '../reader.ts';
import type { Generation } from './catalogue.ts';
import { protocolName } from './names.ts';

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
}

/** How entries are told. */
export interface ConntrackText {
  family: 4 | 6;
  generation: Generation;
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
export function matchesConnection(connection: Connection, { ips, ports }: ConnectionFilter): boolean {
  if (ips && !ips.has(connection.source) && !ips.has(connection.destination)) return false;
  return !ports || ports.has(connection.sourcePort) || ports.has(connection.destinationPort);
}

/** Lines of `bpf ct list` for a batch. Entries without a protocol are left out, as the reference does. */
export function conntrackLines(
  { count, keys, values, keySize, valueStride }: Batch,
  how: ConntrackText,
): string {
  const { family, filter, remaining, generation } = how;
  const nat = generation !== '1.17';
  let text = '';
  for (let i = 0; i < count; i++) {
    const connection = decodeConnection(keys, i * keySize, family);
    if (connection.protocol === 0) continue;
    if (filter && !matchesConnection(connection, filter)) continue;
    const v = i * valueStride;
    const lifetime = le32(values, v + 32);
    text += `${connectionText(connection)}${connection.related ? ' related' : ''} expires=${lifetime}${
      remaining ? ` (remaining: ${remaining(lifetime)} sec(s))` : ''
    } Packets=${le64(values, v + 16)} Bytes=${le64(values, v + 24)} RxFlagsSeen=${hexByte(
      values[v + 43] ?? 0,
    )} LastRxReport=${le32(values, v + 52)} TxFlagsSeen=${hexByte(values[v + 42] ?? 0)} LastTxReport=${le32(
      values,
      v + 48,
    )} ${flagsText(le16(values, v + 36))} RevNAT=${be16(values, v + 38)} SourceSecurityID=${le32(values, v + 44)} ${
      nat
        ? `BackendID=${le64(values, v + 8)} NatPort=${be16(values, v + 40)}`
        : `IfIndex=${le16(values, v + 40)} BackendID=${le64(values, v + 8)}`
    } \n`;
  }
  return text;
}

/** `TCP OUT 10.0.0.1:5 -> 10.0.0.2:80`; addresses of IPv6 have no brackets, as in the reference. */
export function connectionText(c: Connection): string {
  return `${protocolName(c.protocol)} ${c.direction} ${c.source}:${c.sourcePort} -> ${c.destination}:${c.destinationPort}`;
}

const HEX_BYTES = Array.from({ length: 256 }, (_, i) => `0x${i.toString(16).padStart(2, '0')}`);
const hexByte = (byte: number) => HEX_BYTES[byte] ?? '';

const flagTexts = new Map<number, string>();

function flagsText(flags: number): string {
  let text = flagTexts.get(flags);
  if (text === undefined) {
    const words = FLAG_WORDS.filter((word, bit) => word !== '' && (flags >> bit) & 1);
    const unknown = flags & UNKNOWN_FLAGS;
    if (unknown) words.push(`Unknown=0x${unknown.toString(16).padStart(4, '0')}`);
    text = `Flags=0x${flags.toString(16).padStart(4, '0')} [ ${words.map((word) => `${word} `).join('')}]`;
    flagTexts.set(flags, text);
  }
  return text;
}

/** A key as the reference's JSON has it: the stored bytes, ports read in host order. */
export function tupleJson(keys: Buffer, base: number, family: 4 | 6): Record<string, unknown> {
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
  { family, generation }: Pick<ConntrackText, 'family' | 'generation'>,
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
  const old = generation === '1.17';
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
