import { formatIp, formatIpv4, formatMac } from '../../lib/address.ts';
import { ipProtocolName } from '../../model/ip-protocol.ts';
import {
  type Dissection,
  type HeaderOption,
  type Layer,
  type LayerSpan,
  MPTCP,
  MPTCP_MESSAGES,
} from '../../model/packet.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { destinationAddress, showsBrokenPackets, sourceAddress } from './packet.ts';
import { etherTypeName, icmpName, igmpTypeName, vrrpTypeName } from './packet-names.ts';

/** Name of the service that a port is registered for, if any. */
export type PortNames = (protocol: 'tcp' | 'udp' | 'sctp', port: number) => string | undefined;

/** What the words for a packet's layers depend on. */
export interface PacketWords {
  ports: PortNames;
  release: Release;
}

/** One line per layer, as `-vv` prints a packet, and what is wrong with it. */
export function renderLayers(packet: Dissection, words: PacketWords): string {
  if (packet.data.length === 0) return '';
  let text = '';
  for (const layer of distinct(packet.layers)) text += `${renderLayer(packet.data, layer, words)}\n`;
  if (packet.truncated) text += '  Packet has been truncated\n';
  if (packet.error !== undefined) text += `  Failed to decode layer: ${packet.error}\n`;
  else if (packet.undecoded !== undefined && showsBrokenPackets(words.release))
    text += `  Failed to decode layer: No decoder for layer type ${packet.undecoded}\n`;
  return packet.overlay ? text + renderLayers(packet.overlay, words) : text;
}

/** The reference decodes into one object per kind of layer, so a nested header is shown in place of the outer one. */
function distinct(layers: readonly Layer[]): Layer[] {
  const last = new Map(layers.map((layer) => [layer.kind, layer]));
  return layers.map((layer) => last.get(layer.kind) ?? layer);
}

/** Offset and bytes, sixteen a line, with their characters beside them. */
export function renderHexDump(data: Uint8Array): string {
  let text = '';
  for (let at = 0; at < data.length; at += 16) {
    let hex = '';
    let characters = '';
    for (let i = 0; i < 16; i++) {
      const byte = data[at + i];
      hex += byte === undefined ? '  ' : byte.toString(16).padStart(2, '0');
      hex += i === 7 || i === 15 ? '  ' : ' ';
      if (byte !== undefined) characters += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
    }
    text += `${at.toString(16).padStart(8, '0')}  ${hex}|${characters}|\n`;
  }
  return text;
}

/** A flow between two ends, as the JSON form has it per level. */
interface Ends {
  src: string;
  dst: string;
}

/** The `summary` object of the JSON form; undefined when there is nothing to say. */
export function packetSummary(packet: Dissection, words: PacketWords): Record<string, unknown> | undefined {
  if (packet.data.length === 0) return undefined;
  if (packet.error !== undefined && !showsBrokenPackets(words.release)) return undefined;
  const outer = levels(packet.data, packet.layers, words);
  const { overlay } = packet;
  const head = overlay?.layers[0];
  if (!overlay || overlay.error !== undefined || !head) return outer;
  const { ethernet, ipv4, ipv6, udp, l2, l3, l4 } = outer;
  const name = head.kind === 'Geneve' ? 'geneve' : 'vxlan';
  const tunnel = { ethernet, ipv4, ipv6, udp, [name]: renderLayer(packet.data, head, words), l2, l3, l4 };
  return { ...levels(packet.data, overlay.layers.slice(1), words), tunnel };
}

type Levels = Partial<Record<(typeof LEVELS)[number], string | Ends>>;

const LEVELS = [
  'ethernet',
  'ipv4',
  'ipv6',
  'tcp',
  'udp',
  'sctp',
  'icmpv4',
  'icmpv6',
  'vrrp',
  'igmp',
  'l2',
  'l3',
  'l4',
] as const;

function levels(data: Uint8Array, layers: readonly Layer[], words: PacketWords): Levels {
  const found: Levels = {};
  for (const layer of layers) {
    const key = LEVELS.find((level) => level === layer.kind.toLowerCase());
    if (key) found[key] = renderLayer(data, layer, words);
    if (layer.kind === 'Ethernet')
      found.l2 = { src: formatMac(data, layer.at + 6), dst: formatMac(data, layer.at) };
    else if (layer.kind === 'IPv4' || layer.kind === 'IPv6')
      found.l3 = { src: sourceAddress(data, layer), dst: destinationAddress(data, layer) };
    else if (layer.kind === 'TCP' || layer.kind === 'UDP' || layer.kind === 'SCTP')
      found.l4 = { src: String(layer.sourcePort), dst: String(layer.destinationPort) };
  }
  const ordered: Levels = {};
  for (const key of LEVELS) if (found[key] !== undefined) ordered[key] = found[key];
  return ordered;
}

/** A layer as `Kind\t{Field=value …}`. */
function renderLayer(data: Uint8Array, layer: Layer, words: PacketWords): string {
  return `${layer.kind}\t{${span(data, layer)} ${fields(data, layer, words)}}`;
}

function fields(data: Uint8Array, layer: Layer, { ports, release }: PacketWords): string {
  switch (layer.kind) {
    case 'Ethernet':
      return join({
        SrcMAC: formatMac(data, layer.at + 6),
        DstMAC: formatMac(data, layer.at),
        EthernetType: etherTypeName(layer.etherType),
        Length: layer.length,
      });
    case 'IPv4':
      return join({
        Version: layer.version,
        IHL: layer.headerWords,
        TOS: layer.tos,
        Length: layer.length,
        Id: layer.id,
        Flags: ['MF', 'DF', 'Evil']
          .filter((_, bit) => layer.flags & (1 << bit))
          .toReversed()
          .join('|'),
        FragOffset: layer.fragmentOffset,
        TTL: layer.ttl,
        Protocol: ipProtocolName(layer.protocol),
        Checksum: layer.checksum,
        SrcIP: sourceAddress(data, layer),
        DstIP: destinationAddress(data, layer),
        Options: list(layer.options.map((option) => ipv4Option(data, option))),
        Padding: byteList(data, layer.payloadAt - layer.padding, layer.payloadAt),
      });
    case 'IPv6':
      return join({
        Version: layer.version,
        TrafficClass: layer.trafficClass,
        FlowLabel: layer.flowLabel,
        Length: layer.length,
        NextHeader: ipProtocolName(layer.nextHeader),
        HopLimit: layer.hopLimit,
        SrcIP: sourceAddress(data, layer),
        DstIP: destinationAddress(data, layer),
        HopByHop: layer.hopByHop
          ? `{ ${span(data, layer.hopByHop)} ${join({
              NextHeader: ipProtocolName(layer.hopByHop.nextHeader),
              HeaderLength: layer.hopByHop.headerLength,
              ActualLength: layer.hopByHop.payloadAt - layer.hopByHop.at,
              Options: list(layer.hopByHop.options.map((option) => ipv6Option(data, option))),
            })}}`
          : 'nil',
      });
    case 'TCP':
      return join({
        SrcPort: port('tcp', layer.sourcePort, ports),
        DstPort: port('tcp', layer.destinationPort, ports),
        Seq: layer.seq,
        Ack: layer.ack,
        DataOffset: layer.dataOffset,
        ...Object.fromEntries(TCP_FLAGS.map((flag, bit) => [flag, (layer.flags & (1 << bit)) !== 0])),
        Window: layer.window,
        Checksum: layer.checksum,
        Urgent: layer.urgent,
        Options: list(layer.options.map((option) => tcpOption(data, option, atLeast(release, '1.17')))),
        Padding: byteList(data, layer.paddingAt, layer.payloadAt),
        ...(atLeast(release, '1.17') && {
          Multipath: layer.options.some((option) => option.type === MPTCP),
        }),
      });
    case 'UDP':
      return join({
        SrcPort: port('udp', layer.sourcePort, ports),
        DstPort: port('udp', layer.destinationPort, ports),
        Length: layer.length,
        Checksum: layer.checksum,
      });
    case 'SCTP':
      return join({
        SrcPort: port('sctp', layer.sourcePort, ports),
        DstPort: port('sctp', layer.destinationPort, ports),
        VerificationTag: layer.verificationTag,
        Checksum: layer.checksum,
      });
    case 'ICMPv4':
      return join({ TypeCode: icmpName(layer), Checksum: layer.checksum, Id: layer.id, Seq: layer.seq });
    case 'ICMPv6':
      return join({ TypeCode: icmpName(layer), Checksum: layer.checksum, TypeBytes: '[]' });
    case 'VRRP':
      return join({
        Version: layer.version,
        Type: vrrpTypeName(layer.type),
        VirtualRtrID: layer.virtualRouterId,
        Priority: layer.priority,
        CountIPAddr: layer.addressCount,
        AuthType: ['No Authentication', 'Reserved', 'Reserved'][layer.authType] ?? '',
        AdverInt: layer.advertisementInterval,
        Checksum: layer.checksum,
        IPAddress: list(
          Array.from({ length: layer.addressCount }, (_, i) => formatIpv4(data, layer.at + 8 + i * 4)),
        ),
      });
    case 'IGMP':
      return join({
        Type: igmpTypeName(layer.type),
        MaxResponseTime: tenths(layer.maxResponseMs),
        Checksum: layer.checksum,
        GroupAddress: formatIpv4(data, layer.at + 4),
        Version: 0,
      });
    case 'VXLAN':
      return join({
        ValidIDFlag: bit(layer.flags, 27),
        VNI: layer.vni,
        GBPExtension: bit(layer.flags, 31),
        GBPDontLearn: bit(layer.flags, 22),
        GBPApplied: bit(layer.flags, 23),
        GBPGroupPolicyID: layer.flags & 0xffff,
      });
    case 'Geneve':
      return join({
        Version: layer.version,
        OptionsLength: layer.optionsLength,
        OAMPacket: layer.oam,
        CriticalOption: layer.critical,
        Protocol: etherTypeName(layer.protocol),
        VNI: layer.vni,
        Options: list(
          layer.options.map(
            (option) =>
              `{${join({
                Class: option.class,
                Type: option.type,
                Flags: option.flags,
                Length: option.length,
                Data: byteList(data, option.dataAt, option.dataEnd),
              })}}`,
          ),
        ),
      });
  }
}

const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'];

function join(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function span(data: Uint8Array, layer: LayerSpan & { kind?: string }): string {
  // The reference leaves both empty for IGMP.
  if (layer.kind === 'IGMP') return 'Contents=[] Payload=[]';
  // Of an IPv6 header the extension that is shown within it is no part.
  const headerEnd = layer.kind === 'IPv6' ? layer.at + 40 : layer.payloadAt;
  const contents = byteList(data, layer.at, headerEnd);
  return `Contents=${contents} Payload=${byteList(data, layer.payloadAt, layer.payloadEnd)}`;
}

/** Up to four elements are shown, of more only their number. */
function list(items: readonly (string | number)[]): string {
  return items.length > 4 ? `[..${items.length}..]` : `[${items.join(', ')}]`;
}

function byteList(data: Uint8Array, from: number, to: number): string {
  return to - from > 4 ? `[..${to - from}..]` : `[${data.subarray(from, to).join(', ')}]`;
}

function port(protocol: 'tcp' | 'udp' | 'sctp', number: number, ports: PortNames): string {
  const name = ports(protocol, number);
  return name === undefined ? String(number) : `${number}(${name})`;
}

function bit(flags: number, index: number): boolean {
  return ((flags >>> index) & 1) === 1;
}

/** Milliseconds as Go writes a duration; IGMP's go up to 25.5 s in tenths of a second. */
function tenths(ms: number): string {
  if (ms === 0) return '0s';
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}

function ipv4Option(data: Uint8Array, { type, dataAt, dataEnd }: HeaderOption): string {
  return `IPv4Option(${type}:[${data.subarray(dataAt, dataEnd).join(' ')}])`;
}

function ipv6Option(data: Uint8Array, option: HeaderOption): string {
  return `{${join({
    OptionType: option.type,
    OptionLength: option.length,
    ActualLength: option.type === 0 ? 1 : option.length + 2,
    OptionData: byteList(data, option.dataAt, option.dataEnd),
    OptionAlignment: '[0 0]',
  })}}`;
}

const TCP_OPTIONS: Readonly<Record<number, string>> = {
  0: 'EndList',
  1: 'NOP',
  2: 'MSS',
  3: 'WindowScale',
  4: 'SACKPermitted',
  5: 'SACK',
  6: 'Echo',
  7: 'EchoReply',
  8: 'Timestamps',
  9: 'PartialOrderConnectionPermitted',
  10: 'PartialOrderServiceProfile',
  11: 'CC',
  12: 'CCNew',
  13: 'CCEcho',
  14: 'AltChecksum',
  15: 'AltChecksumData',
  30: 'MultipathTCP',
};

/** `knowsMptcp`: the tools of a release that read what Multipath TCP says. */
function tcpOption(data: Uint8Array, option: HeaderOption, knowsMptcp: boolean): string {
  const { type, dataAt } = option;
  const bytes = Buffer.from(data.subarray(dataAt, option.dataEnd));
  if (type === MPTCP && knowsMptcp) return mptcpOption(bytes);
  const hex = bytes.length > 0 ? ` 0x${bytes.toString('hex')}` : '';
  const name = TCP_OPTIONS[type] ?? `Unknown(${type})`;
  if (type === 2 && bytes.length >= 2) return `TCPOption(${name}:${bytes.readUInt16BE(0)}${hex})`;
  if (type === 8 && bytes.length === 8)
    return `TCPOption(${name}:${bytes.readUInt32BE(0)}/${bytes.readUInt32BE(4)}${hex})`;
  return `TCPOption(${name}:${hex})`;
}

/** What an option of Multipath TCP says, from its bytes behind type and length. */
function mptcpOption(bytes: Uint8Array): string {
  const [first = 0, second = 0] = bytes;
  const bits = first & 0xf;
  const name = MPTCP_MESSAGES[first >> 4];
  if (name === undefined) return `TCPOption(${TCP_OPTIONS[MPTCP]}:)`;
  const isFlagged = (bits & 1) === 1;
  switch (name) {
    case 'MP_CAPABLE':
      return `MPTCPOption(${name} Version ${bits})`;
    case 'MP_JOIN':
      // The third message of a join has neither.
      return bytes.length === 22
        ? `MPTCPOption(${name} Backup false;Address ID 0)`
        : `MPTCPOption(${name} Backup ${isFlagged};Address ID ${second})`;
    case 'ADD_ADDR': {
      const end = bytes.length - (bits === 0 ? 8 : 0);
      const portAt = end - ((end - 2) % 4);
      const address = formatIp(bytes.subarray(2, portAt));
      const port = portAt < end ? ((bytes[portAt] ?? 0) << 8) | (bytes[portAt + 1] ?? 0) : 0;
      return `MPTCPOption(${name} Address ID ${second};Address ${address};Port ${port})`;
    }
    case 'REMOVE_ADDR':
      return `MPTCPOption(${name} Address ID [${bytes.subarray(1).join(' ')}])`;
    case 'MP_PRIO':
      return `MPTCPOption(${name} Backup ${isFlagged};Address ID ${second})`;
    case 'MP_TCPRST':
      return `MPTCPOption(${name} Transient ${isFlagged}; Reason ${second})`;
    default:
      return `MPTCPOption(${name})`;
  }
}
