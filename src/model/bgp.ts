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
  /** In the words of agents before 1.20. */
  oldAttributes: string;
}

/** What a statement matches; `type` says how, where the agent tells (1.20). */
export interface Matched<T> {
  type: string;
  values: T[];
}

/** Prefixes inside of one, with lengths between two. */
export interface PrefixLengths {
  cidr: string;
  min: number;
  max: number;
}

/** One policy with its statements. */
export interface RoutePolicyRow {
  router: number;
  name: string;
  type: string;
  statements: {
    peers: Matched<string>;
    families: string[];
    prefixes: Matched<PrefixLengths>;
    action: string;
    /** Negative: it is left alone. */
    localPreference: number;
    communities: string[];
    largeCommunities: string[];
  }[];
}
