/** An address that a service listens on or that stands behind one. */
export interface ServiceAddress {
  ip: string;
  port: number;
  /** Upper case; empty when the agent does not say (before 1.20). */
  protocol: string;
  /** Serves only clients of the node's own cluster scope. */
  internal: boolean;
}

export interface BackendRow {
  address: ServiceAddress;
  /** Empty before 1.17. */
  state: string;
  preferred: boolean;
}

/** A service as lists show it. */
export interface ServiceRow {
  id: number;
  frontend: ServiceAddress;
  type: string;
  /** The cluster that a remote service belongs to; empty for a local one. */
  cluster: string;
  backends: BackendRow[];
}
