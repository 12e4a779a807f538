/** A network link with its addresses, as `ip -d -j addr` and `ip -d -j link` name its fields. */
export interface IpLink {
  ifindex: number;
  ifname: string;
  address?: string;
  mtu?: number;
  flags?: string[];
  /** The link on which this one stands, or the other end of a pair, in this network namespace. */
  link?: string;
  link_netnsid?: number;
  /** The bridge, bond or VRF that this one belongs to. */
  master?: string;
  ifalias?: string;
  linkinfo?: { info_kind?: string; info_data?: Record<string, unknown> };
  /** The program in front of the network stack. */
  xdp?: { prog?: { id?: number } };
  addr_info?: IpAddress[];
  /** The rest of what ip prints. */
  [field: string]: unknown;
}

/** An address of a link, as `ip -d -j addr` names its fields. */
export interface IpAddress {
  family: string;
  local: string;
  prefixlen: number;
  scope?: string;
  /** The rest of what ip prints, such as label and broadcast. */
  [field: string]: unknown;
}

/** A route, as `ip -d -j route show table all` names its fields. */
export interface IpRoute {
  dst: string;
  type?: string;
  gateway?: string;
  dev?: string;
  table?: string;
  protocol?: string;
  scope?: string;
  prefsrc?: string;
  metric?: number;
  flags?: string[];
  /** Metrics that path MTU discovery must not change. ip tells them in text only. */
  locked?: string[];
  /** The rest of what ip prints, such as metrics and nexthops. */
  [field: string]: unknown;
}

/** A policy rule, as `ip -d -j rule` names its fields. */
export interface IpRule {
  priority: number;
  src?: string;
  srclen?: number;
  dst?: string;
  dstlen?: number;
  fwmark?: string;
  fwmask?: string;
  iif?: string;
  oif?: string;
  table?: string;
  protocol?: string;
  /** The rest of what ip prints, such as not, ipproto and ports. */
  [field: string]: unknown;
}

/** A permanent entry of the table of neighbours, as `ip -d -j neigh` names its fields. */
export interface IpNeighbour {
  dst: string;
  dev: string;
  lladdr?: string;
  state?: string[];
  /** The rest of what ip prints, such as proxy and extern_learn. */
  [field: string]: unknown;
}

export type Family = 4 | 6;
