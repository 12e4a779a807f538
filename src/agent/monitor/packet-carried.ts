import type { Layer } from '../../model/packet.ts';
import type { PacketBytes } from './packet-bytes.ts';

/**
 * Name of what a layer carries when that is nothing that is decoded here, as the packet library of the reference has
 * it; undefined where the library knows nothing of it either.
 */
export function carriedName(bytes: PacketBytes, layer: Layer): string | undefined {
  switch (layer.kind) {
    case 'Ethernet':
      return ETHERNET[layer.etherType];
    case 'Geneve':
      return ETHERNET[layer.protocol];
    case 'IPv4':
      return layer.flags & 1 || layer.fragmentOffset !== 0 ? 'Fragment' : IP[layer.protocol];
    case 'IPv6':
      return IP[layer.hopByHop?.nextHeader ?? layer.nextHeader];
    case 'TCP':
      return TCP[layer.destinationPort] ?? TCP[layer.sourcePort] ?? 'Payload';
    case 'UDP':
      return UDP[layer.destinationPort] ?? UDP[layer.sourcePort] ?? 'Payload';
    case 'ICMPv6':
      return icmpv6(layer.type, layer.payloadEnd - layer.payloadAt);
    default:
      return bytes.data.length > 0 ? 'Payload' : undefined;
  }
}

const ETHERNET: Readonly<Record<number, string>> = {
  0: 'LLC',
  2054: 'ARP',
  8192: 'CiscoDiscovery',
  33024: 'Dot1Q',
  34827: 'PPP',
  34887: 'MPLS',
  34888: 'MPLS',
  34915: 'PPPoE',
  34916: 'PPPoE',
  34958: 'EAPOL',
  34984: 'Dot1Q',
  35006: 'ERSPANII',
  35020: 'LinkLayerDiscovery',
  36864: 'EthernetCTP',
};

const IP: Readonly<Record<number, string>> = {
  0: 'IPv6HopByHop',
  2: 'IGMP',
  27: 'RUDP',
  43: 'IPv6Routing',
  44: 'IPv6Fragment',
  47: 'GRE',
  50: 'IPSecESP',
  51: 'IPSecAH',
  59: 'Payload',
  60: 'IPv6Destination',
  89: 'OSPF',
  97: 'EtherIP',
  112: 'VRRP',
  136: 'UDPLite',
  137: 'MPLS',
};

const TCP: Readonly<Record<number, string>> = {
  53: 'DNS',
  443: 'TLS',
  502: 'ModbusTCP',
  636: 'TLS',
  989: 'TLS',
  990: 'TLS',
  992: 'TLS',
  993: 'TLS',
  994: 'TLS',
  995: 'TLS',
  5061: 'TLS',
};

const UDP: Readonly<Record<number, string>> = {
  53: 'DNS',
  67: 'DHCPv4',
  68: 'DHCPv4',
  123: 'NTP',
  546: 'DHCPv6',
  547: 'DHCPv6',
  623: 'RMCP',
  1812: 'RADIUS',
  2152: 'GTPv1U',
  3784: 'BFD',
  4789: 'VXLAN',
  5060: 'SIP',
  6081: 'Geneve',
  6343: 'SFlow',
};

function icmpv6(type: number, payload: number): string {
  if (type === 130) return payload > 20 ? 'MLDv2MulticastListenerQuery' : 'MLDv1MulticastListenerQuery';
  return ICMPV6[type] ?? 'Payload';
}

const ICMPV6: Readonly<Record<number, string>> = {
  128: 'ICMPv6Echo',
  129: 'ICMPv6Echo',
  131: 'MLDv1MulticastListenerReport',
  132: 'MLDv1MulticastListenerDone',
  133: 'ICMPv6RouterSolicitation',
  134: 'ICMPv6RouterAdvertisement',
  135: 'ICMPv6NeighborSolicitation',
  136: 'ICMPv6NeighborAdvertisement',
  137: 'ICMPv6Redirect',
  143: 'MLDv2MulticastListenerReport',
};
