import { ipProtocolName } from '../../model/ip-protocol.ts';
import type { EthernetLayer, HeaderOption, HopByHop, Ipv4Layer, Ipv6Layer } from '../../model/packet.ts';
import type { PacketBytes } from './packet-bytes.ts';

// Each reader returns the layer that begins at `at`, or the reason why there is none.

export function readEthernet(p: PacketBytes, at: number, end: number): EthernetLayer | string {
  if (end - at < 14) return 'Ethernet packet too small';
  const type = p.u16(at + 12);
  const payloadAt = at + 14;
  if (type >= 0x600) return { kind: 'Ethernet', at, payloadAt, payloadEnd: end, etherType: type, length: 0 };
  if (payloadAt + type > end) p.truncated = true;
  const payloadEnd = Math.min(end, payloadAt + type);
  return { kind: 'Ethernet', at, payloadAt, payloadEnd, etherType: 0, length: type };
}

export function readIpv4(p: PacketBytes, at: number, end: number): Ipv4Layer | string {
  const available = end - at;
  if (available < 20) return p.cut(`Invalid ip4 header. Length ${available} less than 20`);
  // A length of 0 is what segmentation offload leaves.
  const length = p.u16(at + 2) || available & 0xffff;
  const headerWords = p.u8(at) & 0xf;
  if (length < 20) return `Invalid (too small) IP length (${length} < 20)`;
  if (headerWords < 5) return `Invalid (too small) IP header length (${headerWords} < 5)`;
  if (headerWords * 4 > length) return `Invalid IP header length > IP length (${headerWords} > ${length})`;
  if (length > available) p.truncated = true;
  if (headerWords * 4 > available) return 'Not all IP header bytes available';
  const payloadAt = at + headerWords * 4;
  const options: HeaderOption[] = [];
  const padding = readIpv4Options(p, at + 20, payloadAt, options);
  if (typeof padding === 'string') return padding;
  const fragment = p.u16(at + 6);
  return {
    kind: 'IPv4',
    at,
    payloadAt,
    payloadEnd: Math.min(end, at + length),
    version: p.u8(at) >> 4,
    headerWords,
    tos: p.u8(at + 1),
    length,
    id: p.u16(at + 4),
    flags: fragment >> 13,
    fragmentOffset: fragment & 0x1fff,
    ttl: p.u8(at + 8),
    protocol: p.u8(at + 9),
    checksum: p.u16(at + 10),
    options,
    padding,
  };
}

function readIpv4Options(p: PacketBytes, from: number, to: number, options: HeaderOption[]): number | string {
  for (let at = from; at < to; ) {
    const type = p.u8(at);
    if (type <= 1) {
      options.push({ type, length: 1, dataAt: at + 1, dataEnd: at + 1 });
      at++;
      if (type === 0) return to - at;
      continue;
    }
    if (to - at < 2) return p.cut(`Invalid ip4 option length. Length ${to - at} less than 2`);
    const length = p.u8(at + 1);
    if (length > to - at)
      return p.cut(`IP option length exceeds remaining IP header size, option type ${type} length ${length}`);
    if (length <= 2) return `Invalid IP option type ${type} length ${length}. Must be greater than 2`;
    options.push({ type, length, dataAt: at + 2, dataEnd: at + length });
    at += length;
  }
  return 0;
}

export function readIpv6(p: PacketBytes, at: number, end: number): Ipv6Layer | string {
  if (end - at < 40) return p.cut(`Invalid ip6 header. Length ${end - at} less than 40`);
  const length = p.u16(at + 4);
  const nextHeader = p.u8(at + 6);
  let payloadAt = at + 40;
  let hopByHop: HopByHop | undefined;
  let payloadLength = length;
  if (nextHeader === 0) {
    const extension = readHopByHop(p, payloadAt, end);
    if (typeof extension === 'string') return extension;
    hopByHop = extension;
    const jumbo = jumboLength(p, extension);
    if (typeof jumbo === 'string') return jumbo;
    if (jumbo !== undefined && length !== 0) return 'IPv6 has jumbo length and IPv6 length is not 0';
    if (jumbo === undefined && length === 0)
      return 'IPv6 length 0, but HopByHop header does not have jumbogram option';
    if (jumbo === undefined) payloadAt = extension.payloadAt;
    else payloadLength = jumbo;
  } else if (length === 0) {
    return `IPv6 length 0, but next header is ${ipProtocolName(nextHeader)}, not HopByHop`;
  }
  if (payloadLength > end - payloadAt) p.truncated = true;
  return {
    kind: 'IPv6',
    at,
    payloadAt,
    payloadEnd: Math.min(end, payloadAt + payloadLength),
    version: p.u8(at) >> 4,
    trafficClass: (p.u16(at) >> 4) & 0xff,
    flowLabel: p.u24(at + 1) & 0xfffff,
    length,
    nextHeader,
    hopLimit: p.u8(at + 7),
    hopByHop,
  };
}

function readHopByHop(p: PacketBytes, at: number, end: number): HopByHop | string {
  const available = end - at;
  if (available < 2) return p.cut(`Invalid ip6-extension header. Length ${available} less than 2`);
  const headerLength = p.u8(at + 1);
  const length = headerLength * 8 + 8;
  if (available < length)
    return `Invalid ip6-extension header. Length ${available} less than specified length ${length}`;
  const options: HeaderOption[] = [];
  for (let next = at + 2; next < at + length; ) {
    if (end - next < 2) return p.cut('IPv6 header option too small');
    const type = p.u8(next);
    if (type === 0) {
      options.push({ type, length: 0, dataAt: next + 1, dataEnd: next + 1 });
      next++;
      continue;
    }
    const size = p.u8(next + 1);
    if (end - next < size + 2) return p.cut('IPv6 header TLV option too small');
    options.push({ type, length: size, dataAt: next + 2, dataEnd: next + 2 + size });
    next += size + 2;
  }
  return {
    at,
    payloadAt: at + length,
    payloadEnd: end,
    nextHeader: p.u8(at),
    headerLength,
    options,
  };
}

function jumboLength(p: PacketBytes, extension: HopByHop): number | string | undefined {
  const option = extension.options.find((o) => o.type === 0xc2);
  if (!option) return undefined;
  if (option.length !== 4) return 'Jumbo length TLV data must have length 4';
  const length = p.u32(option.dataAt);
  return length <= 0xffff ? `Jumbo length cannot be less than ${0x10000}` : length;
}
