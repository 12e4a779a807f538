/** Types of maps by the kernel's number (linux/bpf.h). */
export const MAP_TYPES = [
  'unspec',
  'hash',
  'array',
  'prog_array',
  'perf_event_array',
  'percpu_hash',
  'percpu_array',
  'stack_trace',
  'cgroup_array',
  'lru_hash',
  'lru_percpu_hash',
  'lpm_trie',
  'array_of_maps',
  'hash_of_maps',
  'devmap',
  'sockmap',
  'cpumap',
  'xskmap',
  'sockhash',
  'cgroup_storage',
  'reuseport_sockarray',
  'percpu_cgroup_storage',
  'queue',
  'stack',
  'sk_storage',
  'devmap_hash',
  'struct_ops',
  'ringbuf',
  'inode_storage',
  'task_storage',
  'bloom_filter',
  'user_ringbuf',
  'cgrp_storage',
  'arena',
] as const;

/** Flags of a map by bit. */
const MAP_FLAGS = [
  'no_prealloc',
  'no_common_lru',
  'numa_node',
  'rdonly',
  'wronly',
  'stack_build_id',
  'zero_seed',
  'rdonly_prog',
  'wronly_prog',
  'clone',
  'mmapable',
  'preserve_elems',
  'inner_map',
  'link',
  'path_fd',
  'vtype_btf_obj_fd',
  'token_fd',
  'segv_on_fault',
  'no_user_conv',
] as const;

/** Types of programs by the kernel's number. */
const PROGRAM_TYPES = [
  'unspec',
  'socket_filter',
  'kprobe',
  'sched_cls',
  'sched_act',
  'tracepoint',
  'xdp',
  'perf_event',
  'cgroup_skb',
  'cgroup_sock',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'sock_ops',
  'sk_skb',
  'cgroup_device',
  'sk_msg',
  'raw_tracepoint',
  'cgroup_sock_addr',
  'lwt_seg6local',
  'lirc_mode2',
  'sk_reuseport',
  'flow_dissector',
  'cgroup_sysctl',
  'raw_tracepoint_writable',
  'cgroup_sockopt',
  'tracing',
  'struct_ops',
  'ext',
  'lsm',
  'sk_lookup',
  'syscall',
  'netfilter',
] as const;

/** Types of links by the kernel's number. */
const LINK_TYPES = [
  'unspec',
  'raw_tracepoint',
  'tracing',
  'cgroup',
  'iter',
  'netns',
  'xdp',
  'perf_event',
  'kprobe_multi',
  'struct_ops',
  'netfilter',
  'tcx',
  'uprobe_multi',
  'netkit',
  'sockmap',
] as const;

/** struct bpf_map_info, as far as it is used here. */
export interface MapInfo {
  type: string;
  id: number;
  /** At most 15 bytes: the kernel cuts longer names. */
  name: string;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  btfId: number;
  btfKeyTypeId: number;
  btfValueTypeId: number;
}

/** struct bpf_prog_info, as far as it is used here. */
export interface ProgramInfo {
  type: string;
  id: number;
  name: string;
  /** Hash of the instructions, in hex. */
  tag: string;
}

/** struct bpf_link_info, as far as it is used here. */
export interface LinkInfo {
  type: string;
  id: number;
  programId: number;
  /** Device of an xdp, tcx or netkit link. */
  ifindex: number | undefined;
  /** Cgroup of a cgroup link. */
  cgroupId: bigint | undefined;
  attachType: number | undefined;
}

const nameAt = (raw: Buffer, at: number) =>
  raw
    .subarray(at, at + 16)
    .toString('latin1')
    .replace(/\0.*$/s, '');

const typeName = (names: readonly string[], type: number) => names[type] ?? `type ${type}`;

/** Field at `at`, 0 where the kernel's struct is shorter (an older kernel). */
const u32 = (raw: Buffer, at: number) => (at + 4 <= raw.length ? raw.readUInt32LE(at) : 0);

export function decodeMapInfo(raw: Buffer): MapInfo {
  return {
    type: typeName(MAP_TYPES, u32(raw, 0)),
    id: u32(raw, 4),
    keySize: u32(raw, 8),
    valueSize: u32(raw, 12),
    maxEntries: u32(raw, 16),
    flags: u32(raw, 20),
    name: nameAt(raw, 24),
    btfId: u32(raw, 64),
    btfKeyTypeId: u32(raw, 68),
    btfValueTypeId: u32(raw, 72),
  };
}

export function decodeProgramInfo(raw: Buffer): ProgramInfo {
  return {
    type: typeName(PROGRAM_TYPES, u32(raw, 0)),
    id: u32(raw, 4),
    tag: raw.subarray(8, 16).toString('hex'),
    name: nameAt(raw, 64),
  };
}

export function decodeLinkInfo(raw: Buffer): LinkInfo {
  const type = typeName(LINK_TYPES, u32(raw, 0));
  const onDevice = type === 'xdp' || type === 'tcx' || type === 'netkit';
  const onCgroup = type === 'cgroup' && raw.length >= 28;
  return {
    type,
    id: u32(raw, 4),
    programId: u32(raw, 8),
    ifindex: onDevice ? u32(raw, 16) : undefined,
    cgroupId: onCgroup ? raw.readBigUInt64LE(16) : undefined,
    attachType: onCgroup ? u32(raw, 24) : type === 'tcx' || type === 'netkit' ? u32(raw, 20) : undefined,
  };
}

/** Words of a map's flags, in the order of their bits. */
export function mapFlagWords(flags: number): string[] {
  const words: string[] = [];
  for (let bit = 0; bit < 32; bit++)
    if ((flags >>> bit) & 1) words.push(MAP_FLAGS[bit] ?? `0x${(2 ** bit).toString(16)}`);
  return words;
}
