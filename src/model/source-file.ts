import { atLeast, NEWEST_RELEASE, type Release } from './release.ts';

const PROGRAMS: Readonly<Record<number, string>> = {
  1: 'bpf_host.c',
  2: 'bpf_lxc.c',
  3: 'bpf_overlay.c',
  4: 'bpf_xdp.c',
  5: 'bpf_sock.c',
  7: 'bpf_wireguard.c',
};

/** Number 6 was freed with 1.20. */
const PROGRAMS_1_19: Readonly<Record<number, string>> = { ...PROGRAMS, 6: 'bpf_network.c' };

const HEADERS: Readonly<Record<number, string>> = {
  101: 'drop.h',
  102: 'srv6.h',
  103: 'icmp6.h',
  104: 'nodeport.h',
  105: 'lb.h',
  106: 'mcast.h',
  107: 'ipv4.h',
  108: 'conntrack.h',
  109: 'local_delivery.h',
  110: 'trace.h',
  111: 'encap.h',
  112: 'host_firewall.h',
  113: 'nodeport_egress.h',
  114: 'ipv6.h',
  115: 'classifiers.h',
};

/** The numbers of headers were reassigned with 1.19. */
const HEADERS_1_18: Readonly<Record<number, string>> = {
  101: 'arp.h',
  102: 'drop.h',
  103: 'srv6.h',
  104: 'icmp6.h',
  105: 'nodeport.h',
  106: 'lb.h',
  107: 'mcast.h',
  108: 'ipv4.h',
  109: 'conntrack.h',
  110: 'local_delivery.h',
  111: 'trace.h',
  112: 'encap.h',
  113: 'encrypt.h',
  114: 'host_firewall.h',
  115: 'nodeport_egress.h',
  116: 'ipv6.h',
  117: 'classifiers.h',
};

const FILES_1_20 = { ...PROGRAMS, ...HEADERS };
const FILES_1_19 = { ...PROGRAMS_1_19, ...HEADERS };
const FILES_1_18 = { ...PROGRAMS_1_19, ...HEADERS_1_18 };
const FILES_1_17 = { ...FILES_1_18, 110: 'l3.h' };

const FILES_1_14: Readonly<Record<number, string>> = {
  1: 'bpf_host.c',
  2: 'bpf_lxc.c',
  3: 'bpf_overlay.c',
  4: 'bpf_xdp.c',
  101: 'arp.h',
  102: 'drop.h',
  103: 'srv6.h',
  104: 'icmp6.h',
  105: 'nodeport.h',
  106: 'encrypt.h',
};

/** 1.12 knew programs only. */
const FILES_1_12: Readonly<Record<number, string>> = {
  1: 'bpf_network.c',
  2: 'bpf_sock.c',
  3: 'bpf_host.c',
  4: 'bpf_overlay.c',
  5: 'bpf_xdp.c',
  6: 'bpf_alignchecker.c',
  7: 'cilium-probe-kernel-hz.c',
  8: 'bpf_lxc.c',
};

/**
 * Name of the datapath's source file that events and metrics give by number, in the words of a release for one without a
 * name. The numbers are those of the newest release unless `release` says otherwise. 1.13 prints the number.
 */
export function sourceFileName(id: number, release: Release = NEWEST_RELEASE): string {
  if (atLeast(release, '1.15')) return filesOf(release)[id] ?? `unknown(${id})`;
  if (atLeast(release, '1.14')) return FILES_1_14[id] ?? `<unknown-id-${id}>`;
  return release === '1.12' ? (FILES_1_12[id] ?? 'unknown') : String(id);
}

function filesOf(release: Release): Readonly<Record<number, string>> {
  if (atLeast(release, '1.20')) return FILES_1_20;
  if (atLeast(release, '1.19')) return FILES_1_19;
  return atLeast(release, '1.18') ? FILES_1_18 : FILES_1_17;
}

/** Number of a source file in metrics of 1.20; 0 for one that has none. */
export function sourceFileId(name: string): number {
  const found = Object.entries(FILES_1_20).find(([, known]) => known === name);
  return Number(found?.[0] ?? 0);
}
