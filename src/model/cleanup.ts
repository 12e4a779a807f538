import type { Family, IpLink, IpNeighbour, IpRoute, IpRule } from './ip.ts';

/** Kinds of things on a node, in the order in which they are removed. */
export const KINDS = [
  'tc-filter',
  'xdp',
  'pin',
  'bpf-link',
  'cgroup-program',
  'rule',
  'route',
  'iptables',
  'ipset',
  'xfrm',
  'link',
  'netns',
  'mount',
  'file',
  'folder',
] as const;
export type Kind = (typeof KINDS)[number];

/** One step of removing, as data: the plan can be read and applied later. */
export type Action =
  | { do: 'run'; command: string[]; stdin?: string }
  /** Takes rules (`-D`) and chains (`-F`, `-X`) out of a table: all at once, or each by itself where that is refused. */
  | { do: 'firewall'; program: string; table: string; lines: string[] }
  | { do: 'detach-link'; id: number }
  | { do: 'unlink'; path: string }
  | { do: 'rmdir'; path: string }
  | { do: 'remove-tree'; path: string }
  /** Unless something else lies on it by then. */
  | { do: 'unmount'; target: string; type: string }
  | { do: 'rename'; from: string; to: string };

/**
 * One thing that undo brings back, as what it was and not as commands: what stands already is left, and what came back
 * is compared with it.
 */
export type Restore =
  | { bring: 'rule'; family: Family; rule: IpRule }
  /** The kernel's rule for local addresses, at the priority to which Cilium moves it. */
  | { bring: 'local-rule'; family: Family; rule: IpRule }
  | { bring: 'route'; family: Family; route: IpRoute }
  /** A link, or both ends of a pair. */
  | { bring: 'link'; ends: LinkEnd[] }
  | {
      bring: 'firewall';
      program: string;
      table: string;
      chains: string[];
      inside: string[];
      feeders: Feeder[];
    }
  /** The lines of `ipset save`. */
  | { bring: 'ipset'; name: string; lines: string[] }
  /** The lines of `ip xfrm policy`. */
  | { bring: 'xfrm-policy'; lines: string[] }
  | { bring: 'mount'; target: string; type: string }
  | { bring: 'rename'; from: string; to: string }
  /** Files and folders, each folder before what is in it. */
  | { bring: 'files'; entries: FileEntry[] };

/** A link with what hangs on it. */
export interface LinkEnd {
  link: IpLink;
  neighbours: IpNeighbour[];
}

/** A rule of the firewall outside of Cilium's chains that leads to them. */
export interface Feeder {
  chain: string;
  rule: string;
  /** The rules before it in its chain, nearest last, and those behind it, nearest first: they tell its place. */
  before: string[];
  after: string[];
}

/** A file of any kind with its contents, owner and mode. */
export interface FileEntry {
  path: string;
  kind: 'file' | 'folder' | 'link' | 'fifo' | 'socket';
  mode: number;
  uid: number;
  gid: number;
  mtimeMs: number;
  /** Contents of a small file. */
  base64?: string;
  /** Where the contents of a larger one are kept. */
  copy?: string;
  /** Of a symbolic link. */
  target?: string;
}

/** One thing to remove. */
export interface Item {
  /** Unique and the same in every run: `link cilium_host`. */
  id: string;
  kind: Kind;
  /** For people. */
  what: string;
  /** Why it is Cilium's. */
  why: string;
  remove: Action[];
  /** Absent when it cannot be brought back, and for files, which are read when they are recorded. */
  restore?: Restore[];
  /** The parts of a compound item, such as the rules of a table. */
  details?: string[];
}

/** Everything that would be removed from a node. */
export interface Plan {
  node: string;
  items: Item[];
  /** What could not be looked at. */
  notes: string[];
  /** What is Cilium's and stays, each with the reason. */
  leftAlone: string[];
}

/** How one item ended. */
export interface Outcome {
  id: string;
  what: string;
  /** `gone`: something else had removed it before. `there`: it stands, and nothing was to be brought back. */
  result: 'done' | 'gone' | 'there' | 'failed';
  error?: string;
}
