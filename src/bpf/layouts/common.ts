/** Structs that maps of several features have. */
import { ipv4, ipv6, struct, u32, u64 } from './struct.ts';

export const index32 = struct(4, { index: u32(0) });
export const counter32 = struct(4, { value: u32(0) });
export const value64 = struct(8, { value: u64(0) });
/** Value of a map of maps. */
export const innerMap = struct(4, { mapId: u32(0) });
/** Key of a map of maps with one map per cluster. */
export const clusterIndex = struct(4, { clusterId: u32(0) });
/** Value of a map that is a set. */
export const setMember = struct(1, {});
export const prefix4 = struct(8, { prefixLength: u32(0), ip: ipv4(4) });
export const prefix6 = struct(20, { prefixLength: u32(0), ip: ipv6(4) });
