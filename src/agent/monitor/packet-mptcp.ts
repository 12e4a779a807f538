import { MPTCP_MESSAGES } from '../../model/packet.ts';
import type { PacketBytes } from './packet-bytes.ts';

/**
 * What is wrong with the Multipath TCP option at `at`, in a header that ends at `to`; undefined where nothing is. The
 * lengths that a message may have are those that the packet library of the reference knows.
 */
export function mptcpFault(p: PacketBytes, at: number, to: number): string | undefined {
  const left = to - at;
  // The library reads before it looks: what it panics with is its reason.
  if (left < 2) return `panic: runtime error: index out of range [1] with length ${left}`;
  const length = p.u8(at + 1);
  if (length === 0) return 'MPTCP bad option length 0';
  if (left < 3) return `panic: runtime error: index out of range [2] with length ${left}`;
  const message = MPTCP_MESSAGES[p.u8(at + 2) >> 4];
  if (message !== undefined && !LENGTHS[message](p, at).includes(length))
    return `${message === 'REMOVE_ADDR' ? 'Rem_ADDR' : message} bad option length ${length}`;
  if (length > left) return `panic: runtime error: slice bounds out of range [${length}:${left}]`;
  return undefined;
}

/** The lengths that the message at a place may have. */
type Lengths = (p: PacketBytes, at: number) => readonly number[];

const LENGTHS: Readonly<Record<(typeof MPTCP_MESSAGES)[number], Lengths>> = {
  MP_CAPABLE: () => [4, 12, 20, 22, 24],
  MP_JOIN: () => [12, 16, 24],
  DSS: dssLengths,
  ADD_ADDR: addAddressLengths,
  REMOVE_ADDR: () => Array.from({ length: 252 }, (_, i) => i + 4),
  MP_PRIO: () => [3, 4],
  MP_FAIL: () => [12],
  MP_FASTCLOSE: () => [12],
  MP_TCPRST: () => [4],
};

/** An acknowledgement of 4 or 8 bytes, a mapping of 10 or 14 with or without a checksum. */
function dssLengths(p: PacketBytes, at: number): readonly number[] {
  const flags = p.u8(at + 3);
  const acknowledgement = flags & 1 ? (flags & 2 ? 8 : 4) : 0;
  const mapping = flags & 4 ? (flags & 8 ? 14 : 10) : 0;
  const length = 4 + acknowledgement + mapping;
  return mapping > 0 ? [length, length + 2] : [length];
}

/** An IPv4 or IPv6 address with or without a port, and before an echo of version 1 eight bytes of a hash. */
function addAddressLengths(p: PacketBytes, at: number): readonly number[] {
  const hash = (p.u8(at + 2) & 0xf) === 0 ? 8 : 0;
  return [8, 10, 20, 22].map((length) => length + hash);
}
