/** A BGP peer as lists show it. */
export interface PeerRow {
  localAs: number;
  peerAs: number;
  address: string;
  port: number;
  state: string;
  uptimeNs: number;
  families: { afi: string; safi: string; received: number; advertised: number }[];
  /** Capabilities as they go over the wire, in base64. */
  local: string[];
  remote: string[];
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
