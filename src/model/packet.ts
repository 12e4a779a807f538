/** Where a layer lies in its packet: the header from `at`, what it carries from `payloadAt` up to `payloadEnd`. */
export interface LayerSpan {
  at: number;
  payloadAt: number;
  payloadEnd: number;
}

export interface EthernetLayer extends LayerSpan {
  kind: 'Ethernet';
  /** 0 for a frame that carries a length (802.3, LLC) instead of a type. */
  etherType: number;
  /** 0 unless the frame is an 802.3 one. */
  length: number;
}

export interface Ipv4Layer extends LayerSpan {
  kind: 'IPv4';
  version: number;
  /** Header length in words of 32 bits. */
  headerWords: number;
  tos: number;
  length: number;
  id: number;
  /** Bit 0 more fragments, bit 1 don't fragment, bit 2 reserved. */
  flags: number;
  fragmentOffset: number;
  ttl: number;
  protocol: number;
  checksum: number;
  options: readonly HeaderOption[];
  /** Bytes after the end-of-options mark. */
  padding: number;
}

export interface Ipv6Layer extends LayerSpan {
  kind: 'IPv6';
  version: number;
  trafficClass: number;
  flowLabel: number;
  length: number;
  nextHeader: number;
  hopLimit: number;
  hopByHop: HopByHop | undefined;
}

/** The hop-by-hop extension of an IPv6 header; other extensions are not followed. */
export interface HopByHop extends LayerSpan {
  nextHeader: number;
  headerLength: number;
  options: readonly HeaderOption[];
}

/** A type-length-value option; `length` is what the packet says, the data lies from `dataAt` to `dataEnd`. */
export interface HeaderOption {
  type: number;
  length: number;
  dataAt: number;
  dataEnd: number;
}

export interface TcpLayer extends LayerSpan {
  kind: 'TCP';
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  /** Header length in words of 32 bits. */
  dataOffset: number;
  /** FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128, NS 256. */
  flags: number;
  window: number;
  checksum: number;
  urgent: number;
  options: readonly HeaderOption[];
  paddingAt: number;
}

export interface UdpLayer extends LayerSpan {
  kind: 'UDP';
  sourcePort: number;
  destinationPort: number;
  length: number;
  checksum: number;
}

export interface SctpLayer extends LayerSpan {
  kind: 'SCTP';
  sourcePort: number;
  destinationPort: number;
  verificationTag: number;
  checksum: number;
}

export interface Icmpv4Layer extends LayerSpan {
  kind: 'ICMPv4';
  type: number;
  code: number;
  checksum: number;
  id: number;
  seq: number;
}

export interface Icmpv6Layer extends LayerSpan {
  kind: 'ICMPv6';
  type: number;
  code: number;
  checksum: number;
}

export interface VrrpLayer extends LayerSpan {
  kind: 'VRRP';
  version: number;
  type: number;
  virtualRouterId: number;
  priority: number;
  addressCount: number;
  authType: number;
  advertisementInterval: number;
  checksum: number;
}

export interface IgmpLayer extends LayerSpan {
  kind: 'IGMP';
  type: number;
  maxResponseMs: number;
  checksum: number;
}

export interface VxlanLayer extends LayerSpan {
  kind: 'VXLAN';
  /** The first four bytes of the header. */
  flags: number;
  vni: number;
}

export interface GeneveLayer extends LayerSpan {
  kind: 'Geneve';
  version: number;
  optionsLength: number;
  oam: boolean;
  critical: boolean;
  protocol: number;
  vni: number;
  options: readonly GeneveOption[];
}

export interface GeneveOption extends HeaderOption {
  class: number;
  flags: number;
}

export type Layer =
  | EthernetLayer
  | Ipv4Layer
  | Ipv6Layer
  | TcpLayer
  | UdpLayer
  | SctpLayer
  | Icmpv4Layer
  | Icmpv6Layer
  | VrrpLayer
  | IgmpLayer
  | VxlanLayer
  | GeneveLayer;

/** What was recognised of a packet's bytes, from the outside in. */
export interface Dissection {
  data: Uint8Array;
  layers: readonly Layer[];
  /** The captured bytes end before the packet does. */
  truncated: boolean;
  /** Why a layer could not be decoded; decoding stops there. */
  error: string | undefined;
  /** What the last layer carries, where that is something that is not decoded here. */
  undecoded: string | undefined;
  /** The packet inside a VXLAN or Geneve tunnel, beginning with the tunnel's header. */
  overlay: Dissection | undefined;
}

/** How the bytes of a packet begin and what they carry, which only the event knows. */
export interface PacketKind {
  /** The device has no Ethernet header. */
  l3Device: boolean;
  ipv6: boolean;
  vxlan: boolean;
  geneve: boolean;
}

/** The option of TCP that carries Multipath TCP, which the tools know since 1.17. */
export const MPTCP = 30;

/** Messages of Multipath TCP, by subtype. */
export const MPTCP_MESSAGES = [
  'MP_CAPABLE',
  'MP_JOIN',
  'DSS',
  'ADD_ADDR',
  'REMOVE_ADDR',
  'MP_PRIO',
  'MP_FAIL',
  'MP_FASTCLOSE',
  'MP_TCPRST',
] as const;
