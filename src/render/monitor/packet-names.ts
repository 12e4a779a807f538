const ETHER_TYPES: Readonly<Record<number, string>> = {
  0: 'LLC',
  1810: 'MDP',
  2048: 'IPv4',
  2054: 'ARP',
  8192: 'CiscoDiscovery',
  25944: 'TransparentEthernetBridging',
  33024: 'Dot1Q',
  34525: 'IPv6',
  34827: 'PPP',
  34887: 'MPLSUnicast',
  34888: 'MPLSMulticast',
  34915: 'PPPoEDiscovery',
  34916: 'PPPoESession',
  34958: 'EAPOL',
  34984: 'Dot1Q',
  35006: 'ERSPAN Type II',
  35020: 'LinkLayerDiscovery',
  36864: 'EthernetCTP',
  65535: 'Raw',
};

/** Name of an Ethernet type. */
export function etherTypeName(type: number): string {
  return ETHER_TYPES[type] ?? 'UnknownEthernetType';
}

/** An ICMP type and, where the type gives them a meaning, its codes. */
type IcmpTypes = Readonly<Record<number, readonly [name: string, codes?: readonly string[]]>>;

const ICMPV4_TYPES: IcmpTypes = {
  0: ['EchoReply'],
  3: [
    'DestinationUnreachable',
    [
      'Net',
      'Host',
      'Protocol',
      'Port',
      'FragmentationNeeded',
      'SourceRoutingFailed',
      'NetUnknown',
      'HostUnknown',
      'SourceIsolated',
      'NetAdminProhibited',
      'HostAdminProhibited',
      'NetTOS',
      'HostTOS',
      'CommAdminProhibited',
      'HostPrecedence',
      'PrecedenceCutoff',
    ],
  ],
  4: ['SourceQuench'],
  5: ['Redirect', ['Net', 'Host', 'TOS+Net', 'TOS+Host']],
  8: ['EchoRequest'],
  9: ['RouterAdvertisement'],
  10: ['RouterSolicitation'],
  11: ['TimeExceeded', ['TTLExceeded', 'FragmentReassemblyTimeExceeded']],
  12: ['ParameterProblem', ['PointerIndicatesError', 'MissingOption', 'BadLength']],
  13: ['TimestampRequest'],
  14: ['TimestampReply'],
  15: ['InfoRequest'],
  16: ['InfoReply'],
  17: ['AddressMaskRequest'],
  18: ['AddressMaskReply'],
};

const ICMPV6_TYPES: IcmpTypes = {
  1: [
    'DestinationUnreachable',
    [
      'NoRouteToDst',
      'AdminProhibited',
      'BeyondScopeOfSrc',
      'AddressUnreachable',
      'PortUnreachable',
      'SrcAddressFailedPolicy',
      'RejectRouteToDst',
    ],
  ],
  2: ['PacketTooBig'],
  3: ['TimeExceeded', ['HopLimitExceeded', 'FragmentReassemblyTimeExceeded']],
  4: ['ParameterProblem', ['ErroneousHeaderField', 'UnrecognizedNextHeader', 'UnrecognizedIPv6Option']],
  128: ['EchoRequest'],
  129: ['EchoReply'],
  133: ['RouterSolicitation'],
  134: ['RouterAdvertisement'],
  135: ['NeighborSolicitation'],
  136: ['NeighborAdvertisement'],
  137: ['Redirect'],
};

/** `EchoRequest`, `DestinationUnreachable(Port)`, `3(9)` … */
export function icmpName(layer: { kind: 'ICMPv4' | 'ICMPv6'; type: number; code: number }): string {
  const { type, code } = layer;
  const known = (layer.kind === 'ICMPv4' ? ICMPV4_TYPES : ICMPV6_TYPES)[type];
  if (!known) return `${type}(${code})`;
  const [name, codes] = known;
  if (!codes && code === 0) return name;
  const codeName = codes?.[code];
  return codeName === undefined ? `${name}(Code: ${code})` : `${name}(${codeName})`;
}

/** Name of a VRRP message. */
export function vrrpTypeName(type: number): string {
  return type === 1 ? 'VRRPv2 Advertisement' : '';
}

const IGMP_TYPES: Readonly<Record<number, string>> = {
  17: 'IGMP Membership Query',
  18: 'IGMPv1 Membership Report',
  22: 'IGMPv2 Membership Report',
  23: 'Leave Group',
  34: 'IGMPv3 Membership Report',
};

/** Name of an IGMP message. */
export function igmpTypeName(type: number): string {
  return IGMP_TYPES[type] ?? '';
}
