/** A node of the cluster as lists show it. */
export interface NodeRow {
  name: string;
  ipv4: string;
  /** From which its pods get their addresses. */
  ipv4Range: string;
  ipv6: string;
  ipv6Range: string;
  source: string;
}

/** The number that the datapath knows a node by. */
export interface NodeIdRow {
  id: number;
  ips: string[];
}
