/** Numbers of the IP protocols that rules and maps speak of, as Cilium spells them. */
export const PROTOCOL_NUMBER = {
  ANY: 0,
  ICMP: 1,
  IGMP: 2,
  TCP: 6,
  UDP: 17,
  ICMPv6: 58,
  VRRP: 112,
  SCTP: 132,
} as const;

const NAMES = new Map<number, string>(
  Object.entries(PROTOCOL_NUMBER).map(([name, number]) => [number, name]),
);

/** `TCP`, or the number when it has no name here. */
export function protocolName(protocol: number): string {
  return NAMES.get(protocol) ?? String(protocol);
}
