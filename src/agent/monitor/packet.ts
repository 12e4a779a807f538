import type { Dissection, Layer, PacketKind } from '../../model/packet.ts';
import { atLeast, NEWEST_RELEASE, type Release } from '../../model/release.ts';
import { PacketBytes } from './packet-bytes.ts';
import { carriedName } from './packet-carried.ts';
import { readEthernet, readIpv4, readIpv6 } from './packet-network.ts';
import {
  readIcmpv4,
  readIcmpv6,
  readIgmp,
  readSctp,
  readTcp,
  readUdp,
  readVrrp,
} from './packet-transport.ts';
import { readGeneve, readVxlan } from './packet-tunnel.ts';

/** A layer that can be decoded, or undefined where decoding stops. */
type LayerKind = Layer['kind'] | undefined;

/** Layers are followed no deeper than this: a packet of packets of packets is an attack. */
const MAX_LAYERS = 32;

const INNER: ReadonlySet<LayerKind> = new Set<LayerKind>(['VXLAN', 'Geneve']);

/** Layers that the tools of older releases do not know. */
const SINCE: Readonly<Partial<Record<Layer['kind'], Release>>> = { SCTP: '1.13', VRRP: '1.19', IGMP: '1.19' };

/**
 * Dissects a packet as the tools of a release do, and the packet inside it when the event says that it is a tunnel's.
 */
export function dissect(data: Uint8Array, kind: PacketKind, release = NEWEST_RELEASE): Dissection {
  const first = !kind.l3Device ? 'Ethernet' : kind.ipv6 ? 'IPv6' : 'IPv4';
  const outer = decodeLayers(data, first, { from: 0, to: data.length, inTunnel: false }, release);
  if (!(kind.vxlan || kind.geneve)) return outer;
  const udp = outer.layers.findLast((layer) => layer.kind === 'UDP');
  const from = udp?.payloadAt ?? data.length;
  const to = udp?.payloadEnd ?? data.length;
  outer.overlay = decodeLayers(data, kind.vxlan ? 'VXLAN' : 'Geneve', { from, to, inTunnel: true }, release);
  return outer;
}

function decodeLayers(
  data: Uint8Array,
  first: LayerKind,
  { from, to, inTunnel }: { from: number; to: number; inTunnel: boolean },
  release: Release,
): Dissection {
  const layers: Layer[] = [];
  const packet: Dissection = {
    data,
    layers,
    truncated: false,
    error: undefined,
    undecoded: undefined,
    overlay: undefined,
  };
  const bytes = new PacketBytes(data, release);
  let kind = first;
  let at = from;
  let end = to;
  while (kind !== undefined && layers.length < MAX_LAYERS) {
    const layer = READERS[kind](bytes, at, end);
    if (typeof layer === 'string') {
      packet.error = layer;
      break;
    }
    layers.push(layer);
    const next = nextLayer(layer);
    at = layer.payloadAt;
    end = layer.payloadEnd;
    if (at >= end) break;
    const known = next && !(INNER.has(next) && !inTunnel) && atLeast(release, SINCE[next] ?? release);
    kind = known ? next : undefined;
    if (!known) packet.undecoded = next ?? carriedName(bytes, layer);
  }
  packet.truncated = bytes.truncated;
  return packet;
}

const READERS: Readonly<
  Record<Layer['kind'], (bytes: PacketBytes, at: number, end: number) => Layer | string>
> = {
  Ethernet: readEthernet,
  IPv4: readIpv4,
  IPv6: readIpv6,
  TCP: readTcp,
  UDP: readUdp,
  SCTP: readSctp,
  ICMPv4: readIcmpv4,
  ICMPv6: readIcmpv6,
  VRRP: readVrrp,
  IGMP: readIgmp,
  VXLAN: readVxlan,
  Geneve: readGeneve,
};

/** The layer that a layer says it carries. */
function nextLayer(layer: Layer): LayerKind {
  switch (layer.kind) {
    case 'Ethernet':
      return ETHER_TYPES[layer.etherType];
    case 'IPv4':
      return layer.flags & 1 || layer.fragmentOffset !== 0 ? undefined : IP_PROTOCOLS[layer.protocol];
    case 'IPv6':
      return IP_PROTOCOLS[layer.hopByHop?.nextHeader ?? layer.nextHeader];
    case 'UDP':
      return layer.destinationPort in UDP_PORTS
        ? UDP_PORTS[layer.destinationPort]
        : UDP_PORTS[layer.sourcePort];
    case 'VXLAN':
      return 'Ethernet';
    case 'Geneve':
      return ETHER_TYPES[layer.protocol];
    default:
      return undefined;
  }
}

const ETHER_TYPES: Readonly<Record<number, LayerKind>> = {
  2048: 'IPv4',
  25944: 'Ethernet',
  34525: 'IPv6',
  65535: 'IPv4',
};

const IP_PROTOCOLS: Readonly<Record<number, LayerKind>> = {
  1: 'ICMPv4',
  2: 'IGMP',
  4: 'IPv4',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  58: 'ICMPv6',
  94: 'IPv4',
  112: 'VRRP',
  132: 'SCTP',
};

/** Well-known ports decide what UDP carries; the ones with no layer here keep the source port from being asked. */
const UDP_PORTS: Readonly<Record<number, LayerKind>> = {
  53: undefined,
  67: undefined,
  68: undefined,
  123: undefined,
  546: undefined,
  547: undefined,
  623: undefined,
  666: undefined,
  1000: undefined,
  1812: undefined,
  2123: undefined,
  2152: undefined,
  2222: undefined,
  3784: undefined,
  3868: undefined,
  4789: 'VXLAN',
  5060: undefined,
  5082: undefined,
  5083: undefined,
  6081: 'Geneve',
  6343: undefined,
  44818: undefined,
};
