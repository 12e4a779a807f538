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
  'link',
  'netns',
  'mount',
  'file',
  'folder',
] as const;
export type Kind = (typeof KINDS)[number];

/** One step of removing or restoring, as data: the plan can be read, kept and applied later. */
export type Action =
  | { do: 'run'; command: string[]; stdin?: string }
  | { do: 'detach-link'; id: number }
  | { do: 'unlink'; path: string }
  | { do: 'rmdir'; path: string }
  | { do: 'remove-tree'; path: string }
  | { do: 'rename'; from: string; to: string }
  /** Brings a file back from the undo file. */
  | { do: 'write'; path: string; mode: number; base64: string }
  | { do: 'symlink'; path: string; target: string }
  /** Brings a folder back from the copy beside the undo file. */
  | { do: 'copy-back'; path: string; copy: string };

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
  /** Absent when it cannot be brought back. */
  restore?: Action[];
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
  /** `gone`: something else had removed it before. */
  result: 'done' | 'gone' | 'failed';
  error?: string;
}
