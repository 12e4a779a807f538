/** What the cilium-health daemon knows of the way to each node. */
export interface ClusterHealth {
  /** Name of the node it runs on; undefined when it does not say. */
  self: string | undefined;
  timestamp: string;
  /** From 1.18 on; empty before. */
  probeInterval: string;
  nodes: NodeHealth[];
}

/** The ways to one node: to itself and to the health endpoint behind it. */
export interface NodeHealth {
  name: string;
  /** The node itself, then its other addresses. A path that was never probed is null. */
  host: AddressHealth | undefined;
  /** The health endpoint behind it. */
  endpoint: AddressHealth | undefined;
}

/** The ways to the addresses of one end. */
export interface AddressHealth {
  primary: PathHealth | null;
  secondary: (PathHealth | null)[];
}

/** The way to one address. A probe that is off is undefined. */
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
  /** How the whole module is, on its first report (1.15). */
  moduleLevel?: string;
}

/** How a path does; one that was never probed counts as unreachable, a missing probe as unknown. */
export type Reach = 'reachable' | 'unreachable' | 'unknown';

/** All paths to an address, the primary one first. */
export function pathsOf(address: AddressHealth | undefined): (PathHealth | null)[] {
  return address ? [address.primary, ...address.secondary] : [];
}

/** Whether every probe of a path succeeded. */
export function reachOf(path: PathHealth | null): Reach {
  if (!path) return 'unreachable';
  if (path.icmp?.error || path.http?.error) return 'unreachable';
  return path.icmp && path.http ? 'reachable' : 'unknown';
}

/** Whether no probe of the node or of its health endpoint has failed. */
export function isHealthyNode(node: NodeHealth): boolean {
  return [...pathsOf(node.host), ...pathsOf(node.endpoint)].every((path) => reachOf(path) !== 'unreachable');
}
