import {
  type HeaderOption,
  type Icmpv4Layer,
  type Icmpv6Layer,
  type IgmpLayer,
  type LayerSpan,
  MPTCP,
  type SctpLayer,
  type TcpLayer,
  type UdpLayer,
  type VrrpLayer,
} from '../../model/packet.ts';
import { atLeast } from '../../model/release.ts';
import type { PacketBytes } from './packet-bytes.ts';
import { mptcpFault } from './packet-mptcp.ts';

// Each reader returns the layer that begins at `at`, or the reason why there is none.

export function readTcp(p: PacketBytes, at: number, end: number): TcpLayer | string {
  const available = end - at;
  if (available < 20) return p.cut(`Invalid TCP header. Length ${available} less than 20`);
  const dataOffset = p.u8(at + 12) >> 4;
  if (dataOffset < 5) return `Invalid TCP data offset ${dataOffset} < 5`;
  const payloadAt = at + dataOffset * 4;
  if (payloadAt > end) return p.cut('TCP data offset greater than packet length');
  const options: HeaderOption[] = [];
  const paddingAt = readTcpOptions(p, at + 20, payloadAt, options);
  if (typeof paddingAt === 'string') return paddingAt;
  return {
    kind: 'TCP',
    at,
    payloadAt,
    payloadEnd: end,
    sourcePort: p.u16(at),
    destinationPort: p.u16(at + 2),
    seq: p.u32(at + 4),
    ack: p.u32(at + 8),
    dataOffset,
    flags: p.u8(at + 13) | ((p.u8(at + 12) & 1) << 8),
    window: p.u16(at + 14),
    checksum: p.u16(at + 16),
    urgent: p.u16(at + 18),
    options,
    paddingAt,
  };
}

function readTcpOptions(p: PacketBytes, from: number, to: number, options: HeaderOption[]): number | string {
  const knowsMptcp = atLeast(p.release, '1.17');
  for (let at = from; at < to; ) {
    const type = p.u8(at);
    if (type <= 1) {
      options.push({ type, length: 1, dataAt: at + 1, dataEnd: at + 1 });
      at++;
      if (type === 0) return at;
      continue;
    }
    const fault = type === MPTCP && knowsMptcp ? mptcpFault(p, at, to) : undefined;
    if (fault !== undefined) return fault;
    if (to - at < 2) return p.cut(`Invalid TCP option length. Length ${to - at} less than 2`);
    const length = p.u8(at + 1);
    if (length < 2) return `Invalid TCP option length ${length} < 2`;
    if (length > to - at)
      return p.cut(`Invalid TCP option length ${length} exceeds remaining ${to - at} bytes`);
    options.push({ type, length, dataAt: at + 2, dataEnd: at + length });
    at += length;
  }
  return to;
}

export function readUdp(p: PacketBytes, at: number, end: number): UdpLayer | string {
  const available = end - at;
  if (available < 8) return p.cut(`Invalid UDP header. Length ${available} less than 8`);
  const length = p.u16(at + 4);
  if (length !== 0 && length < 8) return `UDP packet too small: ${length} bytes`;
  if (length > available) p.truncated = true;
  return {
    kind: 'UDP',
    at,
    payloadAt: at + 8,
    payloadEnd: length === 0 ? end : Math.min(end, at + length),
    sourcePort: p.u16(at),
    destinationPort: p.u16(at + 2),
    length,
    checksum: p.u16(at + 6),
  };
}

export function readSctp(p: PacketBytes, at: number, end: number): SctpLayer | string {
  if (end - at < 12) return 'Invalid SCTP common header length';
  return {
    kind: 'SCTP',
    at,
    payloadAt: at + 12,
    payloadEnd: end,
    sourcePort: p.u16(at),
    destinationPort: p.u16(at + 2),
    verificationTag: p.u32(at + 4),
    checksum: p.u32(at + 8),
  };
}

export function readIcmpv4(p: PacketBytes, at: number, end: number): Icmpv4Layer | string {
  if (end - at < 8) return p.cut('ICMP layer less then 8 bytes for ICMPv4 packet');
  return {
    kind: 'ICMPv4',
    at,
    payloadAt: at + 8,
    payloadEnd: end,
    type: p.u8(at),
    code: p.u8(at + 1),
    checksum: p.u16(at + 2),
    id: p.u16(at + 4),
    seq: p.u16(at + 6),
  };
}

export function readIcmpv6(p: PacketBytes, at: number, end: number): Icmpv6Layer | string {
  if (end - at < 4) return p.cut('ICMP layer less then 4 bytes for ICMPv6 packet');
  return {
    kind: 'ICMPv6',
    at,
    payloadAt: at + 4,
    payloadEnd: end,
    type: p.u8(at),
    code: p.u8(at + 1),
    checksum: p.u16(at + 2),
  };
}

export function readVrrp(p: PacketBytes, at: number, end: number): VrrpLayer | string {
  if (end - at < 8) return p.cut(`VRRP packet of ${end - at} bytes`);
  const type = p.u8(at) & 0xf;
  if (type !== 1) return 'Unrecognized VRRPv2 type field.';
  const addressCount = p.u8(at + 3);
  if (addressCount < 1) return 'VRRPv2 number of IP addresses is not valid.';
  if (end - at < 8 + addressCount * 4)
    return p.cut('VRRPv2 packet too short for the advertised IP address count');
  return {
    kind: 'VRRP',
    ...whole(at, end),
    version: p.u8(at) >> 4,
    type,
    virtualRouterId: p.u8(at + 1),
    priority: p.u8(at + 2),
    addressCount,
    authType: p.u8(at + 4),
    advertisementInterval: p.u8(at + 5),
    checksum: p.u16(at + 6),
  };
}

export function readIgmp(p: PacketBytes, at: number, end: number): IgmpLayer | string {
  if (end - at < 8) return 'IGMP Packet too small';
  return {
    kind: 'IGMP',
    ...whole(at, end),
    type: p.u8(at),
    maxResponseMs: igmpTimeMs(p.u8(at + 1)),
    checksum: p.u16(at + 2),
  };
}

/** A layer that is all header. */
function whole(at: number, end: number): LayerSpan {
  return { at, payloadAt: end, payloadEnd: end };
}

/** The response time of IGMP: tenths of a second, as a number or as mantissa and exponent kept in one byte. */
function igmpTimeMs(code: number): number {
  if (code < 0x80) return code * 100;
  const mantissa = ((code & 0x70) >> 4) | 0x10;
  return ((mantissa << ((code & 0xf) + 3)) & 0xff) * 100;
}
