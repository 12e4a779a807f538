import type { GeneveLayer, GeneveOption, VxlanLayer } from '../../model/packet.ts';
import type { PacketBytes } from './packet-bytes.ts';

// Each reader returns the header that begins at `at`, or the reason why there is none.

export function readVxlan(p: PacketBytes, at: number, end: number): VxlanLayer | string {
  if (end - at < 8) return 'vxlan packet too small';
  return {
    kind: 'VXLAN',
    at,
    payloadAt: at + 8,
    payloadEnd: end,
    flags: p.u32(at),
    vni: p.u24(at + 4),
  };
}

export function readGeneve(p: PacketBytes, at: number, end: number): GeneveLayer | string {
  if (end - at < 8) return p.cut('geneve packet too short');
  const optionsLength = (p.u8(at) & 0x3f) * 4;
  if (end - at < optionsLength + 8) return p.cut('geneve packet too short');
  const options: GeneveOption[] = [];
  let next = at + 8;
  while (next < at + 8 + optionsLength) {
    const length = (p.u8(next + 3) & 0x1f) * 4 + 4;
    if (end - next < length) return p.cut('geneve option too small');
    options.push({
      class: p.u16(next),
      type: p.u8(next + 2),
      flags: p.u8(next + 3) >> 5,
      length,
      dataAt: next + 4,
      dataEnd: next + length,
    });
    next += length;
  }
  return {
    kind: 'Geneve',
    at,
    payloadAt: next,
    payloadEnd: end,
    version: p.u8(at) >> 6,
    optionsLength,
    oam: (p.u8(at + 1) & 0x80) !== 0,
    critical: (p.u8(at + 1) & 0x40) !== 0,
    protocol: p.u16(at + 2),
    vni: p.u24(at + 4),
    options,
  };
}
