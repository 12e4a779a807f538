import type { Release } from '../../model/release.ts';

/** A packet's bytes in network order; what lies beyond them reads as 0. */
export class PacketBytes {
  /** Set when a layer finds that the packet was longer than what was captured. */
  truncated = false;

  constructor(
    readonly data: Uint8Array,
    /** The release whose tools read the packet. */
    readonly release: Release,
  ) {}

  u8(at: number): number {
    return this.data[at] ?? 0;
  }

  u16(at: number): number {
    return (this.u8(at) << 8) | this.u8(at + 1);
  }

  u24(at: number): number {
    return (this.u16(at) << 8) | this.u8(at + 2);
  }

  u32(at: number): number {
    return this.u16(at) * 0x10000 + this.u16(at + 2);
  }

  /** Notes that the packet is cut short and returns the reason why its layer cannot be decoded. */
  cut(reason: string): string {
    this.truncated = true;
    return reason;
  }
}
