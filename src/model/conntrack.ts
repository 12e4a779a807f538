/** One tracked connection, the packet's way: who opened it to whom. */
export interface Connection {
  protocol: number;
  direction: 'IN' | 'OUT' | 'SVC';
  related: boolean;
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
}

/** One NAT entry: the packet as it was, and what one side of it is replaced with. */
export interface Translation extends Connection {
  service: boolean;
  toAddress: string;
  toPort: number;
  created: bigint;
  /** Since 1.13: whether the entry goes when its connection does. */
  needsCt?: bigint;
  /** Up to 1.12: whether the node itself opened the connection. */
  hostLocal?: bigint;
}
