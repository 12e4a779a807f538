/** Identities and tunnel endpoints by prefix (`bpf ipcache`). */
import { prefix4, setMember } from './common.ts';
import { mapLayout } from './map-layout.ts';
import { ipByFlag, ipOfFamily, ipv4, struct, u8, u16, u32 } from './struct.ts';

/** Bits of a prefix length that stand before those of the address. */
export const IPCACHE_STATIC_BITS = 32;
/** Flags of an entry by bit. */
export const IPCACHE_FLAGS = ['skiptunnel', 'hastunnel', 'ipv6tunnel', 'remotecluster'];

export const ipcacheKey = struct(24, { prefixLength: u32(0), clusterId: u16(4), ip: ipOfFamily(8, 7) });
/** Of 1.14, where a cluster's number had one byte. */
export const ipcacheKey114 = struct(24, { prefixLength: u32(0), clusterId: u8(6), ip: ipOfFamily(8, 7) });
export const remoteEndpoint = struct(24, {
  identity: u32(0),
  // Bit 2 of the flags: ipv6tunnel.
  tunnelEndpoint: ipByFlag(4, 23, 4),
  encryptKey: u8(22),
  flags: u8(23),
});
export const remoteEndpoint117 = struct(12, {
  identity: u32(0),
  tunnelEndpoint: ipv4(4),
  encryptKey: u8(10),
  flags: u8(11),
});

/** From the last patches of 1.12 on; the first of 1.13 and 1.14 had a node's number before the key. */
export const remoteEndpoint115 = struct(12, {
  identity: u32(0),
  tunnelEndpoint: ipv4(4),
  encryptKey: u8(10),
});

export const remoteEndpoint111 = struct(12, {
  identity: u32(0),
  tunnelEndpoint: ipv4(4),
  encryptKey: u8(8),
});

const pins = ['cilium_ipcache'];
export const IPCACHE = mapLayout(
  'ipcache',
  { pins: ['cilium_ipcache_v2'], key: ipcacheKey, value: remoteEndpoint },
  { pins, key: ipcacheKey, value: remoteEndpoint117, since: '1.16' },
  { pins, key: ipcacheKey, value: remoteEndpoint115, since: '1.15' },
  { pins, key: ipcacheKey114, value: remoteEndpoint115, since: '1.14' },
  { pins, key: ipcacheKey, value: remoteEndpoint115, since: '1.13' },
  { pins, key: ipcacheKey, value: remoteEndpoint111, since: '1.13-dev' },
  { pins, key: ipcacheKey, value: remoteEndpoint115, since: '1.12' },
  { pins, key: ipcacheKey, value: remoteEndpoint111 },
);
export const WORLD_CIDRS = mapLayout('ipcache', {
  pins: ['cilium_world_cidrs4'],
  key: prefix4,
  value: setMember,
});
