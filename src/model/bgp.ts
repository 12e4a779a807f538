/** A capability of a BGP speaker. */
export interface Capability {
  code: number;
  /** Set for one that tells a family: those count as different capabilities. */
  family?: string;
  name: string;
  /** Lines that tell what it holds. */
  details: string[];
}

/** A BGP peer as lists show it. */
export interface PeerRow {
  localAs: number;
  peerAs: number;
  address: string;
  port: number;
  state: string;
  uptimeNs: number;
  families: { afi: string; safi: string; received: number; advertised: number }[];
  /** What each side can do; what could not be decoded is left out. */
  local: Capability[];
  remote: Capability[];
}

/** One path of a route. */
export interface RouteRow {
  router: number;
  neighbor: string;
  prefix: string;
  destination: string;
  nextHop: string;
  ageNs: number;
  attributes: string;
}

/** One policy with its statements. */
export interface RoutePolicyRow {
  router: number;
  name: string;
  type: string;
  statements: {
    peers: string;
    families: string[];
    prefixes: string;
    action: string;
    actions: string[];
  }[];
}
