import type { DropReason } from './hubble.gen.ts';

/** What a reason of the datapath means, for who has not met it before. */
export interface DropMeaning {
  /** One sentence. */
  what: string;
  /** A verb of `cilium` that shows more of it, and what to look at there. */
  look?: { verb: string; at: string };
  /** Seen in clusters where nothing is wrong. */
  isUsual?: true;
}

const DROPS = { verb: 'monitor -t drop', at: 'each dropped packet with its headers' };
const MAPS = { verb: 'bpf maps list', at: 'which table is missing or full' };
const CONNECTIONS = {
  verb: 'bpf maps list',
  at: 'how full the tables of connections are, whose names begin with cilium_ct',
};
const NAT = { verb: 'bpf nat top', at: 'who uses the most ports' };
const ENDPOINTS = { verb: 'endpoint list', at: 'whether an endpoint has the address and is ready' };
const ADDRESSES = { verb: 'bpf ipcache list', at: 'which identity and node the address leads to' };
const FRAGMENTS = { verb: 'bpf frag list', at: 'the datagrams whose fragments are known' };
const SERVICES = { verb: 'service list', at: 'the service and its backends' };
const GATEWAYS = { verb: 'bpf egress list', at: 'the gateway of the pod and its address' };
const HEALTH = { verb: 'status --all-health', at: 'what of the agent is not well' };
const SEGMENTS = { verb: 'bpf srv6 sid', at: 'the segments that are known' };

const ODD_ICMP = 'A message of ICMP that the datapath does not handle.';
const NO_ROOM_TO_WRITE = 'The kernel did not let the datapath change the packet.';
const LATE_FRAGMENT =
  'A fragment of a datagram whose first part was not seen: it was lost, comes later, or was forgotten.';
const NOT_LOST = 'Nothing is lost: the datapath took the packet off its way because it has dealt with it.';

/** By the name that Hubble has for a reason. Some numbers got another meaning later; then both are said. */
const DROP_MEANINGS: Readonly<Record<DropReason, DropMeaning>> = {
  DROP_REASON_UNKNOWN: { what: 'Hubble tells no reason that is known.', look: DROPS },
  INVALID_SOURCE_MAC: {
    what: 'The frame comes from a MAC address that is not that of the pod.',
    look: ENDPOINTS,
  },
  INVALID_DESTINATION_MAC: {
    what: 'The frame is for a MAC address that is not behind this interface.',
    look: ENDPOINTS,
  },
  INVALID_SOURCE_IP: {
    what: 'The pod sent from an address that is not its own, as a router or a virtual machine in a pod does.',
    look: ENDPOINTS,
  },
  POLICY_DENIED: { what: 'Policies select the end, and no rule allows the traffic.' },
  INVALID_PACKET_DROPPED: {
    what: 'The packet is cut off or its headers contradict each other.',
    look: DROPS,
  },
  CT_TRUNCATED_OR_INVALID_HEADER: {
    what: 'The header above IP is cut off or wrong, so that the packet belongs to no connection.',
    look: DROPS,
  },
  CT_MISSING_TCP_ACK_FLAG: {
    what: 'From newer agents: the packet is too large for the way and would have to be fragmented. From older ones: TCP without ACK where a connection should be.',
    look: DROPS,
  },
  CT_UNKNOWN_L4_PROTOCOL: { what: 'Connections of the protocol above IP cannot be tracked.', look: DROPS },
  CT_CANNOT_CREATE_ENTRY_FROM_PACKET: {
    what: 'The packet cannot be the first of a connection.',
    look: DROPS,
  },
  UNSUPPORTED_L3_PROTOCOL: {
    what: 'Neither IPv4 nor IPv6, or the one of them that the agent has switched off.',
    look: DROPS,
    isUsual: true,
  },
  MISSED_TAIL_CALL: {
    what: 'A part of the program of the endpoint was not there, as for a moment while it is replaced.',
    look: ENDPOINTS,
  },
  ERROR_WRITING_TO_PACKET: { what: NO_ROOM_TO_WRITE, look: DROPS },
  UNKNOWN_L4_PROTOCOL: { what: 'A protocol above IP that the datapath does not handle.', look: DROPS },
  UNKNOWN_ICMPV4_CODE: { what: ODD_ICMP, look: DROPS, isUsual: true },
  UNKNOWN_ICMPV4_TYPE: { what: ODD_ICMP, look: DROPS, isUsual: true },
  UNKNOWN_ICMPV6_CODE: { what: ODD_ICMP, look: DROPS, isUsual: true },
  UNKNOWN_ICMPV6_TYPE: { what: ODD_ICMP, look: DROPS, isUsual: true },
  ERROR_RETRIEVING_TUNNEL_KEY: {
    what: 'A packet came out of the tunnel without what the tunnel says of it.',
    look: DROPS,
  },
  ERROR_RETRIEVING_TUNNEL_OPTIONS: {
    what: 'The options of a packet from the tunnel could not be read.',
    look: DROPS,
  },
  INVALID_GENEVE_OPTION: { what: 'A packet from the tunnel has an option that is not right.', look: DROPS },
  UNKNOWN_L3_TARGET_ADDRESS: {
    what: 'A neighbour was looked for that nobody on this node is.',
    look: ENDPOINTS,
    isUsual: true,
  },
  STALE_OR_UNROUTABLE_IP: {
    what: 'The address belonged to something that is gone, or no way leads to it.',
    look: ADDRESSES,
    isUsual: true,
  },
  NO_MATCHING_LOCAL_CONTAINER_FOUND: {
    what: 'The address is of this node, and no endpoint has it: most likely the pod is gone.',
    look: ENDPOINTS,
  },
  ERROR_WHILE_CORRECTING_L3_CHECKSUM: { what: NO_ROOM_TO_WRITE, look: DROPS },
  ERROR_WHILE_CORRECTING_L4_CHECKSUM: { what: NO_ROOM_TO_WRITE, look: DROPS },
  CT_MAP_INSERTION_FAILED: {
    what: 'There was no room for a new connection: most likely the table of connections is full.',
    look: CONNECTIONS,
  },
  INVALID_IPV6_EXTENSION_HEADER: {
    what: 'An extension header of IPv6 is cut off, wrong, or one too many.',
    look: DROPS,
  },
  IP_FRAGMENTATION_NOT_SUPPORTED: {
    what: 'A fragment, and the agent does not follow fragments.',
    look: FRAGMENTS,
  },
  SERVICE_BACKEND_NOT_FOUND: { what: 'The service has no backend that could take it.', look: SERVICES },
  NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT: {
    what: 'It is not known which node the address is on, so that no tunnel leads there.',
    look: ADDRESSES,
  },
  FAILED_TO_INSERT_INTO_PROXYMAP: {
    what: 'From newer agents: a translation between IPv4 and IPv6 that is switched off. From older ones: the way to the proxy could not be noted.',
    look: HEALTH,
  },
  REACHED_EDT_RATE_LIMITING_DROP_HORIZON: {
    what: 'The pod sends much faster than its limit of bandwidth allows.',
    look: { verb: 'bpf bandwidth list', at: 'the limits of pods' },
  },
  UNKNOWN_CONNECTION_TRACKING_STATE: {
    what: 'The connection is in a state that the datapath does not know.',
    look: DROPS,
  },
  LOCAL_HOST_IS_UNREACHABLE: {
    what: 'The packet is for the node itself, and could not be handed to it.',
    look: HEALTH,
  },
  NO_CONFIGURATION_AVAILABLE_TO_PERFORM_POLICY_DECISION: {
    what: 'Policy could not be decided: the datapath knows nothing of this end.',
    look: ENDPOINTS,
  },
  UNSUPPORTED_L2_PROTOCOL: {
    what: 'A frame that is neither IPv4, IPv6 nor ARP.',
    look: DROPS,
    isUsual: true,
  },
  NO_MAPPING_FOR_NAT_MASQUERADE: {
    what: 'No port was left to translate the address, or the translation that the packet belongs to is gone.',
    look: NAT,
  },
  UNSUPPORTED_PROTOCOL_FOR_NAT_MASQUERADE: {
    what: 'Addresses of this protocol cannot be translated.',
    look: DROPS,
  },
  FIB_LOOKUP_FAILED: {
    what: 'The node knows no route to the address, or not the neighbour on the way: "ip route get ADDRESS" there says more.',
    look: { verb: 'node list', at: 'whether the node of the address is known' },
  },
  ENCAPSULATION_TRAFFIC_IS_PROHIBITED: {
    what: 'A pod sent packets of a tunnel itself, which no pod may.',
    look: DROPS,
  },
  INVALID_IDENTITY: {
    what: 'The identity that came with the packet cannot be that of its sender.',
    look: ADDRESSES,
  },
  UNKNOWN_SENDER: { what: 'It is not known who sent the packet.', look: ADDRESSES },
  NAT_NOT_NEEDED: {
    what: 'A note of the datapath to itself: the address needs no translation.',
    isUsual: true,
  },
  IS_A_CLUSTERIP: {
    what: 'The address is a ClusterIP, which cannot be reached from outside of the cluster.',
    look: SERVICES,
  },
  FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND: { what: LATE_FRAGMENT, look: FRAGMENTS },
  FORBIDDEN_ICMPV6_MESSAGE: {
    what: 'A message of ICMPv6 that a pod may not send.',
    look: DROPS,
    isUsual: true,
  },
  DENIED_BY_LB_SRC_RANGE_CHECK: {
    what: 'The service is for certain addresses alone (loadBalancerSourceRanges), and the client has none of them.',
    look: { verb: 'bpf lb list --source-ranges', at: 'the ranges of the service' },
  },
  SOCKET_LOOKUP_FAILED: {
    what: 'The socket of the proxy that the traffic goes to was not found.',
    look: HEALTH,
  },
  SOCKET_ASSIGN_FAILED: { what: 'The traffic could not be given to the socket of the proxy.', look: HEALTH },
  PROXY_REDIRECTION_NOT_SUPPORTED_FOR_PROTOCOL: {
    what: 'A rule for layer 7 selects traffic of a protocol that cannot go to the proxy.',
    look: { verb: 'policy get', at: 'the rule with rules for layer 7 on that port' },
  },
  POLICY_DENY: { what: 'A rule denies the traffic.' },
  VLAN_FILTERED: {
    what: 'The frame is of a VLAN that the agent does not let pass (its option vlan-bpf-bypass).',
    look: DROPS,
  },
  INVALID_VNI: {
    what: 'A tunnel endpoint outside of the cluster sent with another VNI than that of the cluster.',
    look: { verb: 'bpf vtep list', at: 'the endpoints that are known' },
  },
  INVALID_TC_BUFFER: { what: 'The datapath could not note something for a later step.', look: DROPS },
  NO_SID: { what: 'SRv6 has no segment for the address.', look: SEGMENTS },
  MISSING_SRV6_STATE: { what: 'What SRv6 had noted of the packet was gone.', look: SEGMENTS },
  NAT46: { what: 'The packet could not be translated from IPv4 to IPv6.', look: DROPS },
  NAT64: { what: 'The packet could not be translated from IPv6 to IPv4.', look: DROPS },
  AUTH_REQUIRED: {
    what: 'A rule asks both ends to authenticate, and they have not.',
    look: { verb: 'bpf auth list', at: 'who has authenticated' },
  },
  CT_NO_MAP_FOUND: { what: 'The table of connections was not there.', look: MAPS },
  SNAT_NO_MAP_FOUND: { what: 'The table of translated addresses was not there.', look: MAPS },
  INVALID_CLUSTER_ID: {
    what: 'The number of the cluster that came with the packet is not right.',
    look: DROPS,
  },
  UNSUPPORTED_PROTOCOL_FOR_DSR_ENCAP: {
    what: 'Load balancing with direct return cannot wrap packets of this protocol.',
    look: SERVICES,
  },
  NO_EGRESS_GATEWAY: {
    what: 'The pod must leave through an egress gateway, and none is there.',
    look: GATEWAYS,
  },
  UNENCRYPTED_TRAFFIC: {
    what: 'Traffic must be encrypted, and this would have gone in the clear.',
    look: { verb: 'encrypt status', at: 'how this node encrypts' },
  },
  TTL_EXCEEDED: {
    what: 'The packet passed as many routers as it may. Traceroute works like that.',
    look: DROPS,
    isUsual: true,
  },
  NO_NODE_ID: {
    what: 'The node of the address has no number on this one.',
    look: { verb: 'bpf nodeid list', at: 'the nodes that have one' },
  },
  DROP_RATE_LIMITED: { what: 'There were more of them than the datapath takes in that time.', look: DROPS },
  IGMP_HANDLED: { what: NOT_LOST, isUsual: true },
  IGMP_SUBSCRIBED: { what: NOT_LOST, isUsual: true },
  MULTICAST_HANDLED: { what: NOT_LOST, isUsual: true },
  DROP_HOST_NOT_READY: {
    what: 'The program of the node was not there yet, as when the agent starts.',
    look: HEALTH,
  },
  DROP_EP_NOT_READY: {
    what: 'The program of policy of the endpoint was not there yet, as when a pod starts.',
    look: ENDPOINTS,
  },
  DROP_NO_EGRESS_IP: {
    what: 'The egress gateway has no address that the traffic could leave with.',
    look: GATEWAYS,
  },
  DROP_PUNT_PROXY: { what: 'Nothing is lost: the packet goes to the proxy on another way.', isUsual: true },
  DROP_FRAG_NOT_FOUND_WORLD: {
    what: `${LATE_FRAGMENT} It came from outside of the cluster.`,
    look: FRAGMENTS,
  },
};

/** What a reason means; undefined for one that is not known here, as newer agents have. */
export function dropMeaning(reason: string): DropMeaning | undefined {
  return Object.hasOwn(DROP_MEANINGS, reason) ? DROP_MEANINGS[reason as DropReason] : undefined;
}

/** The reasons that have a meaning. */
export const KNOWN_REASONS = Object.keys(DROP_MEANINGS) as DropReason[];
