import { formatIpv4, formatIpv6, formatMac, joinHostPort } from '../../lib/address.ts';
import type { Dissection, EthernetLayer, Layer } from '../../model/packet.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { etherTypeName, icmpName, igmpTypeName, vrrpTypeName } from './packet-names.ts';

/** Up to 1.16 the tools showed what they could decode of a packet; since then a layer that fails spoils the line. */
export function showsBrokenPackets(release: Release): boolean {
  return !atLeast(release, '1.17');
}

/**
 * One line about a packet: who talks to whom with what, the tunnel it travels in behind it. `[unknown]` for a packet
 * without bytes, `[error]` when a layer cannot be decoded.
 */
export function renderConnection(packet: Dissection, release: Release): string {
  if (packet.data.length === 0) return '[unknown]';
  if (showsBrokenPackets(release)) return talk(packet.data, packet.layers, '');
  if (packet.error !== undefined || packet.overlay?.error !== undefined) return '[error]';
  const { overlay } = packet;
  if (!overlay) return talk(packet.data, packet.layers, atLeast(release, '1.18') ? 'icmp ' : '');
  const outer = endpoints(packet.data, packet.layers);
  const from = joinHostPort(outer.source, outer.sourcePort);
  const to = joinHostPort(outer.destination, outer.destinationPort);
  const tunnel = overlay.layers[0]?.kind === 'Geneve' ? 'geneve' : 'vxlan';
  return `${talk(packet.data, overlay.layers.slice(1), 'icmp ')} [tunnel ${from} -> ${to} ${tunnel}]`;
}

/** `icmp` is the word for the protocol before an ICMP type, which came with 1.18. */
function talk(data: Uint8Array, layers: readonly Layer[], icmp: 'icmp ' | ''): string {
  const ends = endpoints(data, layers);
  const { source, destination } = ends;
  const top = layers.findLast((layer) => layer.kind in TRANSPORTS);
  switch (top?.kind) {
    case 'TCP':
    case 'UDP':
    case 'SCTP': {
      const from = joinHostPort(source, ends.sourcePort);
      const to = joinHostPort(destination, ends.destinationPort);
      const flags = top.kind === 'TCP' ? ` ${tcpFlags(top.flags)}` : '';
      return `${from} -> ${to} ${TRANSPORTS[top.kind]}${flags}`;
    }
    case 'ICMPv4':
    case 'ICMPv6':
      return `${source} -> ${destination} ${icmp}${icmpName(top)}`;
    case 'VRRP':
      return `${source} -> ${destination} vrrp ${vrrpTypeName(top.type)} ${top.virtualRouterId} ${top.priority}`;
    case 'IGMP':
      return `${source} -> ${destination} igmp ${igmpTypeName(top.type)} ${formatIpv4(data, top.at + 4)}`;
  }
  if (ends.known) return `${source} -> ${destination}`;
  const frame = layers.findLast((layer): layer is EthernetLayer => layer.kind === 'Ethernet');
  if (!frame) return '[unknown]';
  const type = etherTypeName(frame.etherType);
  return `${formatMac(data, frame.at + 6)} -> ${formatMac(data, frame.at)} ${type}`;
}

const TRANSPORTS: Readonly<Partial<Record<Layer['kind'], string>>> = {
  TCP: 'tcp',
  UDP: 'udp',
  SCTP: 'sctp',
  ICMPv4: 'icmp',
  ICMPv6: 'icmp',
  VRRP: 'vrrp',
  IGMP: 'igmp',
};

interface Endpoints {
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
  /** Whether there are addresses at all. */
  known: boolean;
}

/** Addresses and ports; of nested headers the innermost counts. */
function endpoints(data: Uint8Array, layers: readonly Layer[]): Endpoints {
  const ends = { source: '<nil>', destination: '<nil>', sourcePort: 0, destinationPort: 0, known: false };
  for (const layer of layers) {
    if (layer.kind === 'IPv4' || layer.kind === 'IPv6') {
      ends.source = sourceAddress(data, layer);
      ends.destination = destinationAddress(data, layer);
      ends.known = true;
    } else if (layer.kind === 'TCP' || layer.kind === 'UDP' || layer.kind === 'SCTP') {
      ends.sourcePort = layer.sourcePort;
      ends.destinationPort = layer.destinationPort;
    }
  }
  return ends;
}

/** Source address of an IP header. */
export function sourceAddress(data: Uint8Array, ip: { kind: 'IPv4' | 'IPv6'; at: number }): string {
  return ip.kind === 'IPv4' ? formatIpv4(data, ip.at + 12) : formatIpv6(data, ip.at + 8);
}

/** Destination address of an IP header. */
export function destinationAddress(data: Uint8Array, ip: { kind: 'IPv4' | 'IPv6'; at: number }): string {
  return ip.kind === 'IPv4' ? formatIpv4(data, ip.at + 16) : formatIpv6(data, ip.at + 24);
}

const FLAGS = [
  [2, 'SYN'],
  [16, 'ACK'],
  [4, 'RST'],
  [1, 'FIN'],
] as const;

function tcpFlags(flags: number): string {
  // Two of the sixteen combinations are nearly all traffic.
  if ((flags & 0x17) === 16) return 'ACK';
  return FLAGS.filter(([bit]) => flags & bit)
    .map(([, name]) => name)
    .join(', ');
}
