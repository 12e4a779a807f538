import { PROTOCOL_NUMBER } from '../../../model/protocol.ts';

/** A block of ports whose first `prefix` bits are those of `port`; prefix 0 is every port. */
export interface PortBlock {
  port: number;
  prefix: number;
}

/** Number of a protocol by its name in any case, or undefined. */
export function protocolNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  if (upper === 'ICMPV4') return 1;
  if (upper === 'ICMPV6') return 58;
  return Object.entries(PROTOCOL_NUMBER).find(([known]) => known.toUpperCase() === upper)?.[1];
}

/** The fewest aligned blocks that cover `start`..`end`, ascending. An end at or below the start means one port. */
export function portBlocks(start: number, end: number): PortBlock[] {
  if (start === 0 && (end === 0 || end === 0xffff)) return [{ port: 0, prefix: 0 }];
  if (end <= start) return [{ port: start, prefix: 16 }];
  const blocks: PortBlock[] = [];
  let at = start;
  while (at <= end) {
    let size = at === 0 ? 1 << 16 : at & -at;
    while (at + size - 1 > end) size >>= 1;
    blocks.push({ port: at, prefix: 16 - Math.log2(size) });
    at += size;
  }
  return blocks;
}
