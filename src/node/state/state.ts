import type { Family, IpLink, IpNeighbour, IpRoute, IpRule } from '../../model/ip.ts';
import type { XfrmPolicy, XfrmState } from './xfrm.ts';

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
  /** Where on the device, in the words of tc; a parent is a qdisc or one of its classes. */
  place: 'ingress' | 'egress' | `parent ${string}`;
  /** What holds it: `clsact`, which agents make, or another qdisc. */
  qdisc: string;
  /** Number of the block that it is in, where several devices share one. */
  block?: number;
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
  /** `driver`, `generic` or `offload`: each is taken off by itself. */
  mode: string;
  programName: string;
}

/** What is mounted on a folder. */
export interface Mount {
  /** The kernel's number of it, and of the mount that its target lies in. */
  id: number;
  parent: number;
  target: string;
  type: string;
  /** Folder of the file system that is shown there. */
  root: string;
  options: string;
}

/** A file, folder, socket or pin. */
export interface NodeFile {
  path: string;
  /** A `mount` is what something of its own file system is mounted on, within the pins. */
  kind: 'file' | 'folder' | 'socket' | 'link' | 'pin' | 'mount';
  /** Bytes; of the whole tree for a folder. */
  size: number;
  /** What of a state folder could not be recorded, and so not be brought back. */
  unkept?: string;
}

/** All of a node that Cilium may have touched. Absent lists mean that the tool to read them is missing. */
export interface NodeState {
  nodeName: string;
  links: IpLink[];
  /** Entries that somebody made; those that the kernel learns come and go. */
  neighbours: IpNeighbour[];
  routes: { family: Family; route: IpRoute }[];
  rules: { family: Family; rule: IpRule }[];
  firewall: FirewallTable[];
  /** Sets in the form of `ipset save`. */
  ipsets: { name: string; saved: string }[];
  tcFilters: TcFilter[];
  /** Devices whose filters could not all be read: their qdisc may hold more than is known. */
  tcUnknown: string[];
  /** Devices with a qdisc that leads to a block, which devices may share. */
  tcShared: string[];
  bpfLinks: BpfLink[];
  /** The kernel does not list BPF links: a device may have programs that are not known. */
  bpfUnknown: boolean;
  /** What links carry and could not be read. */
  linksUnknown: ('addresses' | 'routes' | 'neighbours')[];
  cgroupPrograms: CgroupProgram[];
  xdpPrograms: XdpProgram[];
  netns: string[];
  xfrm: { policies: XfrmPolicy[]; states: XfrmState[] };
  /** Mount points of this mount namespace, in the order in which they were mounted. */
  mounts: Mount[];
  /** The run-time folder as it is named, and as it is where its links lead. */
  runStates: string[];
  files: NodeFile[];
  /** What could not be read, for the reader of the plan. */
  notes: string[];
}
