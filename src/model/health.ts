/** What the cilium-health daemon knows of the way to each node. */
export interface ClusterHealth {
  /** Name of the node it runs on; undefined when it does not say. */
  self: string | undefined;
  timestamp: string;
  /** From 1.18 on; empty before. */
  probeInterval: string;
  nodes: NodeHealth[];
}

export interface NodeHealth {
  name: string;
  /** The node itself, then its other addresses. A path that was never probed is null. */
  host: AddressHealth | undefined;
  /** The health endpoint behind it. */
  endpoint: AddressHealth | undefined;
}

export interface AddressHealth {
  primary: PathHealth | null;
  secondary: (PathHealth | null)[];
}

export interface PathHealth {
  address: string;
  icmp: ProbeHealth | undefined;
  http: ProbeHealth | undefined;
}

/** One probe: an empty error is success. */
export interface ProbeHealth {
  error: string;
  latencyNs: number;
  lastProbed: string;
}

/** One report of the agent's own modules. */
export interface ModuleReport {
  /** Module and component, from the root down. */
  path: string[];
  /** OK, Degraded or Stopped. */
  level: string;
  message: string;
  error: string;
  updated: string;
  count: number;
}
