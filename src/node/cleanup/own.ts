import { knownMap } from '../../bpf/layouts/catalogue.ts';
import type { Action } from '../../model/cleanup.ts';
import type { IpLink } from '../../model/ip.ts';

/*
 * What Cilium names its things, 1.9 to 1.20, from its sources. A prefix is no evidence: other tools, forks and people use
 * the same ones.
 */

/** Programs that agents from 1.11 on load. */
const PROGRAMS = [
  ...['container', 'netdev', 'host', 'overlay', 'network', 'wireguard'].flatMap((place) => [
    `cil_from_${place}`,
    `cil_to_${place}`,
  ]),
  ...['cil_lxc_policy', 'cil_lxc_policy_egress', 'cil_host_policy', 'cil_xdp_entry', 'cil_sock_release'],
  ...['4', '6'].flatMap((version) => [
    ...['connect', 'post_bind', 'pre_bind', 'sendmsg', 'recvmsg', 'getpeername'].map(
      (hook) => `cil_sock${version}_${hook}`,
    ),
    `cil_sock_udp_destroy_v${version}`,
    `cil_sock_tcp_destroy_v${version}`,
  ]),
  'cil_sock_udp_destroy',
];
/** Object files of older agents, of which tc keeps the name; those of the host have the device's in theirs. */
const OBJECT_FILE =
  /^bpf_(?:lxc|network|overlay|sock|sockops|xdp|wireguard|(?:host|netdev)(?:_[\w.-]+)?)\.o(?::\[[\w/-]+\])?$/;
/** The kernel keeps this much of a program's name. */
const KERNEL_NAME = 15;

/** Whether a program has a name of Cilium's; tc adds the device to it. */
export function isOwnProgram(name: string): boolean {
  const base = name.split('-')[0] ?? '';
  return OBJECT_FILE.test(name) || PROGRAMS.some((own) => base === own || name === own.slice(0, KERNEL_NAME));
}

/** Names like those of Cilium's programs, maps and so on; what has one and is unknown is told of. */
export const LOOKS_OWN = /^(?:cil|cilium)_/;

/** Pins of maps that have no layout here, because they hold programs, or are of agents before 1.9. */
const OTHER_PINS = new Set([
  ...[
    'cilium_calls_xdp',
    'cilium_ep_to_policy',
    'cilium_sock_ops',
    'cilium_sock_term_filter',
    'cilium_rootmap',
  ],
  ...[
    'cilium_proxy4',
    'cilium_proxy6',
    'cilium_lb4_services',
    'cilium_lb6_services',
    'cilium_reserved_policy',
  ],
  ...['cilium_lb4_rr_seq', 'cilium_lb6_rr_seq', 'cilium_lb4_rr_seq_v2', 'cilium_lb6_rr_seq_v2'],
  ...[
    'cilium_nodeport_nat_buffer',
    'cilium_tail_call_buffer4',
    'cilium_tail_call_buffer6',
    'cilium_maglev_inner',
  ],
  ...[
    'cilium_lb4_maglev_inner',
    'cilium_lb6_maglev_inner',
    'cilium_mcast_subscriber_v4_inner',
    'cilium_policy',
  ],
]);

/** Whether a pin of this name is of a map that an agent makes. */
export function isOwnPin(name: string): boolean {
  return OTHER_PINS.has(name) || knownMap(name) !== undefined;
}

/** IP sets of the nodes' addresses. */
export const OWN_IPSETS: readonly string[] = ['cilium_node_set_v4', 'cilium_node_set_v6'];

/** Where the health endpoint lived, up to 1.12 under this name. */
export const OWN_NETNS = 'cilium-health';

/** The node's own links, and the kinds that each may have. */
const OWN_LINKS: ReadonlyMap<string, readonly string[]> = new Map([
  ['cilium_host', ['veth', 'netkit', 'ipvlan', 'dummy']],
  ['cilium_net', ['veth', 'netkit', 'dummy']],
  ['cilium_vxlan', ['vxlan']],
  ['cilium_geneve', ['geneve']],
  ['cilium_wg0', ['wireguard', 'tun']],
  ['cilium_ipip4', ['ipip']],
  ['cilium_ipip6', ['ip6tnl']],
  ['cilium_tunl', ['ipip']],
  ['cilium_ip6tnl', ['ip6tnl']],
  ['cilium_sit', ['sit']],
]);

/** Whether the name of a device is one that only Cilium uses for the node's own links. */
export function isOwnLinkName(name: string): boolean {
  return OWN_LINKS.has(name);
}

/** Cilium names a pod's end `lxc` and ten or twelve digits of a hash; `lxcbr0` and `lxcdeadbeef` are not its. */
export function isPodLinkName(name: string): boolean {
  return /^lxc(?:_health|[0-9a-f]{10}|[0-9a-f]{12})$/.test(name);
}

/** Whether a link is the node's own. A link of another kind that has the name is somebody else's. */
export function isOwnLink({ ifname, linkinfo }: IpLink): boolean {
  return OWN_LINKS.get(ifname)?.includes(linkinfo?.info_kind ?? '') ?? false;
}

/** Whether a link is the host's end of a pod's link: those of other tools have a bridge, or addresses of their own. */
export function isPodLink({ ifname, linkinfo, master, addr_info = [] }: IpLink): boolean {
  return (
    isPodLinkName(ifname) &&
    ['veth', 'netkit'].includes(linkinfo?.info_kind ?? '') &&
    master === undefined &&
    addr_info.every(({ scope }) => scope === 'link')
  );
}

/** A step that runs a program; that the thing is gone already is no failure. */
export function command(words: string[], stdin?: string): Action {
  return { do: 'run', command: words, ...(stdin !== undefined && { stdin }) };
}
