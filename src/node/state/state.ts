/** A network link with its addresses, as `ip -d -j addr` names its fields. */
export interface IpLink {
  ifindex: number;
  ifname: string;
  address?: string;
  mtu?: number;
  flags?: string[];
  link?: string;
  link_netnsid?: number;
  ifalias?: string;
  linkinfo?: { info_kind?: string; info_data?: Record<string, unknown> };
  /** The program in front of the network stack. */
  xdp?: { prog?: { id?: number } };
  addr_info?: { family: string; local: string; prefixlen: number; scope?: string }[];
}

/** A route, as `ip -j route show table all` names its fields. */
export interface IpRoute {
  dst: string;
  type?: string;
  gateway?: string;
  dev?: string;
  table?: string;
  protocol?: string;
  scope?: string;
  prefsrc?: string;
  metric?: number;
  flags?: string[];
  /** The rest of what ip prints, such as mtu and nexthops. */
  [field: string]: unknown;
}

/** A policy rule, as `ip -j rule` names its fields. */
export interface IpRule {
  priority: number;
  src?: string;
  srclen?: number;
  dst?: string;
  dstlen?: number;
  fwmark?: string;
  fwmask?: string;
  iif?: string;
  oif?: string;
  table?: string;
  protocol?: string;
  /** The rest of what ip prints, such as not, ipproto and ports. */
  [field: string]: unknown;
}

export type Family = 4 | 6;

/** One table of one iptables variant, with the lines that iptables-save prints of it. */
export interface FirewallTable {
  /** Prefix of the program that owns it: `iptables-legacy`, `ip6tables-nft` … */
  program: string;
  table: string;
  chains: string[];
  /** `-A CHAIN …`, in order. */
  rules: string[];
}

/** A filter of tc's classifier, of any kind. */
export interface TcFilter {
  device: string;
  direction: 'ingress' | 'egress';
  /** `bpf`, `u32`, `flower` … */
  kind: string;
  /** Number of its chain; 0 is where packets begin. */
  chain: number;
  protocol: string;
  pref: number;
  /** Of the filter within its chain. */
  handle: string;
  /** The kernel's name of the program and the one that tc keeps; none for other kinds. */
  programNames: string[];
}

/** A BPF link: what keeps a program attached to a cgroup, a device or a tracepoint. */
export interface BpfLink {
  id: number;
  type: string;
  programId: number;
  programName: string;
  /** Device of an xdp, tcx or netkit link. */
  ifindex: number | undefined;
}

/** A program attached to a cgroup without a link. */
export interface CgroupProgram {
  cgroup: string;
  programId: number;
  programName: string;
  attachType: string;
}

/** An XDP program attached to a device without a BPF link. */
export interface XdpProgram {
  device: string;
  programName: string;
}

/** A file, folder, socket or pin. */
export interface NodeFile {
  path: string;
  kind: 'file' | 'folder' | 'socket' | 'link' | 'pin';
  /** Bytes; of the whole tree for a folder. */
  size: number;
}

/** All of a node that Cilium may have touched. Absent lists mean that the tool to read them is missing. */
export interface NodeState {
  nodeName: string;
  links: IpLink[];
  routes: { family: Family; route: IpRoute }[];
  rules: { family: Family; rule: IpRule }[];
  firewall: FirewallTable[];
  /** Sets in the form of `ipset save`. */
  ipsets: { name: string; saved: string }[];
  tcFilters: TcFilter[];
  /** Devices whose filters could not all be read: their qdisc may hold more than is known. */
  tcUnknown: string[];
  bpfLinks: BpfLink[];
  cgroupPrograms: CgroupProgram[];
  xdpPrograms: XdpProgram[];
  netns: string[];
  /** Mount points below Cilium's folders. */
  mounts: { target: string; type: string }[];
  files: NodeFile[];
  /** What could not be read, for the reader of the plan. */
  notes: string[];
}
