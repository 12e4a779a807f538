/** A packet recorder as lists show it. */
export interface RecorderRow {
  id: number;
  /** Bytes of each packet; 0 for all of them. */
  captureLength: number;
  filters: { source: string; destination: string; protocol: string }[];
}

/** A mask that recorders share. */
export interface RecorderMaskRow {
  users: number;
  priority: number;
  source: string;
  destination: string;
  protocol: string;
  ipv6: boolean;
}
