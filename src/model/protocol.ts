import { atLeast, NEWEST_RELEASE, type Release } from './release.ts';

/** Numbers of the IP protocols that rules and maps speak of, as Cilium spells them. */
export const PROTOCOL_NUMBER = {
  ANY: 0,
  ICMP: 1,
  IGMP: 2,
  IPIP: 4,
  TCP: 6,
  UDP: 17,
  IPv6: 41,
  GRE: 47,
  ESP: 50,
  AH: 51,
  ICMPv6: 58,
  VRRP: 112,
  SCTP: 132,
} as const;

const NAMES = new Map<number, string>(
  Object.entries(PROTOCOL_NUMBER).map(([name, number]) => [number, name]),
);

/** The releases that were the first to name a protocol. */
const NAMED_SINCE: Readonly<Record<number, Release>> = {
  [PROTOCOL_NUMBER.SCTP]: '1.12',
  [PROTOCOL_NUMBER.IGMP]: '1.18',
  [PROTOCOL_NUMBER.VRRP]: '1.18',
};

/** `TCP`, or the number when it has no name in this release. */
export function protocolName(protocol: number, release: Release = NEWEST_RELEASE): string {
  const since = NAMED_SINCE[protocol];
  const named = since === undefined || atLeast(release, since);
  return (named ? NAMES.get(protocol) : undefined) ?? String(protocol);
}

/** Number of a protocol by its name (any case) or number; undefined when it is neither. */
export function protocolNumber(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) < 256 ? Number(text) : undefined;
  const found = Object.entries(PROTOCOL_NUMBER).find(([name]) => name.toLowerCase() === text.toLowerCase());
  return found?.[1];
}
