import { getSystemErrorMessage } from 'node:util';
import { dropReasonText } from '../../model/drop-reason.ts';
import type { CaptureEvent, DebugEvent } from '../../model/monitor.ts';
import { atLeast, type Release } from '../../model/release.ts';

type Name = (ifindex: number) => string;

interface DebugWords {
  interfaceName: Name;
  release: Release;
}

/** What a debug message of the datapath says. */
export function renderDebugMessage(event: DebugEvent, { interfaceName, release }: DebugWords): string {
  const render =
    (atLeast(release, '1.14') ? undefined : BEFORE_1_14[event.subtype]) ??
    (atLeast(release, '1.20') ? undefined : BEFORE_1_20[event.subtype]) ??
    MESSAGES[event.subtype];
  if (render) return render(event.arg1, event.arg2, event.arg3, interfaceName);
  return `Unknown message type=${event.subtype} arg1=${event.arg1} arg2=${event.arg2}`;
}

type Message = (a: number, b: number, c: number, name: Name) => string;

/** Messages that 1.14 says more in. */
const BEFORE_1_14: Readonly<Record<number, Message>> = {
  49: (a) => `Conntrack lookup 2/2: ${nextHeader(a)}`,
  52: (a) => `Conntrack lookup 2/2: ${nextHeader(a)}`,
};

/** Messages that 1.20 says in other words. */
const BEFORE_1_20: Readonly<Record<number, Message>> = {
  1: (a, b) => `No message, arg1=${a} (${hex(a)}) arg2=${b} (${hex(b)})`,
  13: (a, b) => `ICMPv6 neighbour soliciation for address ${a.toString(16)}:${b.toString(16)}`,
};

/**
 * By the datapath's numbers. Numbers 66 to 68 follow the datapath; the reference counts them one short and shows the
 * message of the next.
 */
const MESSAGES: Readonly<Record<number, Message>> = {
  1: (a, b, c) => `No message, arg1=${a} (${hex(a)}) arg2=${b} (${hex(b)}) arg3=${c} (${hex(c)})`,
  2: (a, b) => `Attempting local delivery for container id ${a} from seclabel ${b}`,
  3: (a, b) => `Encapsulating to node ${a} (${hex(a)}) from seclabel ${b}`,
  4: (a, b, _, name) => `Local container found ifindex ${name(a)} seclabel ${swap16(b)}`,
  5: (a, b) => `Policy evaluation would deny packet from ${a} to ${b}`,
  6: (a, b) => `CT lookup: ${tuple(a, b)}`,
  7: (a, b) => `CT reverse lookup: ${tuple(a, b)}`,
  8: (a, b) => `CT entry found lifetime=${a}, revnat=${swap16(b)}`,
  9: (a, b, c) => `CT created 1/2: ${tuple(a, b)} revnat=${swap16(c)}`,
  10: (a, b) => `CT created 2/2: ${ipv4(a)} revnat=${swap16(b)}`,
  11: (a) => `Handling ICMPv6 type=${a}`,
  12: (a) => `ICMPv6 echo request for router offset=${a}`,
  13: (a, b) => `ICMPv6 neighbour solicitation for address ${a.toString(16)}:${b.toString(16)}`,
  14: () => 'Sending ICMPv6 time exceeded',
  15: (a, b) => `CT verdict: ${ctState(a)}, revnat=${swap16(b)}`,
  16: (a, b) => `Tunnel decap: id=${a} flowlabel=${b.toString(16)}`,
  17: (a, b) => `Mapping port from=${a} to=${b}`,
  18: (a, b) => `BPF function ${a} returned error ${b}`,
  19: (a) => `Going to host, policy-skip=${a}`,
  20: (a) => `Going to the stack, policy-skip=${a}`,
  21: (a, b) => `Packet hash=${a} (${hex(a)}), selected_service=${b}`,
  22: (a, b) => `Frontend service lookup, addr.p4=${a.toString(16)} key.dport=${swap16(b)}`,
  23: (a, b) => `Frontend service lookup failed, addr.p2=${a.toString(16)} addr.p3=${b.toString(16)}`,
  24: (a, b) => `Service backend slot lookup: slot=${a}, dport=${swap16(b)}`,
  25: (a, b) => `Service backend slot lookup result: target.p4=${a.toString(16)} port=${swap16(b)}`,
  26: (a, b) => `Service backend slot lookup failed: slot=${a}, dport=${swap16(b)}`,
  27: (a) => `Backend service lookup failed: backend_id=${a}`,
  28: (a) => `Reverse NAT lookup, index=${swap16(a)}`,
  29: (a, b) => `Performing reverse NAT, address.p4=${a.toString(16)} port=${swap16(b)}`,
  30: (a, b) => `Frontend service lookup, addr=${ipv4(a)} key.dport=${swap16(b)}`,
  31: () => 'Frontend service lookup failed',
  32: (a, b) => `Service backend slot lookup: slot=${a}, dport=${swap16(b)}`,
  33: (a, b) => `Service backend slot lookup result: target=${ipv4(a)} port=${swap16(b)}`,
  34: (a, b) => `Service backend slot lookup failed: slot=${a}, dport=${swap16(b)}`,
  35: (a) => `Backend service lookup failed: backend_id=${a}`,
  36: (a) => `Reverse NAT lookup, index=${swap16(a)}`,
  37: (a, b) => `Performing reverse NAT, address=${ipv4(a)} port=${swap16(b)}`,
  38: (a, b) => `Loopback SNAT from=${ipv4(a)} to=${ipv4(b)}`,
  39: (a, b) => `Loopback reverse SNAT from=${ipv4(a)} to=${ipv4(b)}`,
  40: (a) => `CT lookup address: ${ipv4(a)}`,
  41: (a, b) => `RR backend slot selection hash=${a} (${hex(a)}), selected_service=${b}`,
  42: (a, b, c) => `Reverse proxy lookup ${proxy(a, b)} nexthdr=${c}`,
  43: (a, b) => `Reverse proxy entry found, orig-daddr=${ipv4(a)} orig-dport=${b}`,
  44: (a, b, c) => `Reverse proxy updated ${proxy(a, b)} nexthdr=${c}`,
  45: (a, b) => `Resolved L4 policy to: ${swap16(a)} / ${['egress', 'ingress'][b] ?? ''}`,
  46: (a) => `Destination is inside cluster prefix, source identity: ${a}`,
  47: (a, b) => `Attempting encapsulation, lookup key: ${ipv4(a)}, identity: ${b}`,
  48: (a, b, c) => `Conntrack lookup 1/2: ${ends4(a, b, c)}`,
  49: (a, b, c) => `Conntrack lookup 2/2: ${nextHeader(a)} dir=${b} scope=${c}`,
  50: (a, b, c) => `Conntrack create: ${created(a, b)} lb=${ipv4(c)}`,
  51: (a, b, c) => `Conntrack lookup 1/2: ${ends6(a, b, c)}`,
  52: (a, b, c) => `Conntrack lookup 2/2: ${nextHeader(a)} dir=${b} scope=${c}`,
  53: (a, b) => `Conntrack create: ${created(a, b)}`,
  54: (a) => `Skipping proxy, tc_index is set=${a.toString(16)}`,
  55: (a, b, c) =>
    `Matched L4 policy; creating conntrack src=${a} dst=${b} dport=${swap16(c >>> 16)} proto=${c & 0xff}`,
  56: (a) => `Failed to map addr=${ipv4(a)} to identity`,
  57: (a) => `Failed to map addr.p4=[::${ipv6Tail(a)}] to identity`,
  58: (a, b) => `Successfully mapped addr=${ipv4(a)} to identity=${b}`,
  59: (a, b) => `Successfully mapped addr.p4=[::${ipv6Tail(a)}] to identity=${b}`,
  60: (a, b) => `Stale CT entry found stale_ct.rev_nat_id=${b}, svc.rev_nat_id=${a}`,
  61: (a) => `Inheriting identity=${a} from stack`,
  62: (a, b, c) => `Socket lookup: ${ends4(a, b, c)}`,
  63: (a, b, c) => `Socket lookup: ${ends6(a, b, c)}`,
  64: (a) => `Socket assign: ${systemError(a)}`,
  65: (a, b, c) => `L7 LB from ${ipv4(a)} to ${ipv4(b)}: proxy port ${c}`,
  66: (a, b) => `Skipping policy enforcement, arg1=${a} arg2=${b}`,
  67: (a, b) => `Loopback SNAT from.p4=${a.toString(16)} to.p4=${b.toString(16)}`,
  68: (a, b) => `Loopback reverse SNAT from.p4=${a.toString(16)} to.p4=${b.toString(16)}`,
};

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** The low 16 bits, which lie in network order in a word of the host's order. */
function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >> 8) & 0xff);
}

/** An address whose first byte is the lowest of the word. */
function ipv4(value: number): string {
  return `${value & 0xff}.${(value >> 8) & 0xff}.${(value >> 16) & 0xff}.${value >>> 24}`;
}

/** The last four bytes of an IPv6 address. */
function ipv6Tail(value: number): string {
  return `${swap16(value & 0xffff).toString(16)}:${swap16(value >>> 16).toString(16)}`;
}

/** Flags as the reference names them, which has the first two the wrong way round. */
function tuple(ports: number, rest: number): string {
  const flags = [(rest & 1) !== 0 ? 'OUT' : '', (rest & 2) !== 0 ? 'RELATED' : ''].filter(Boolean).join(', ');
  return `sport=${ports >>> 16} dport=${ports & 0xffff} nexthdr=${rest >>> 8} flags=${flags}`;
}

function ends4(source: number, destination: number, ports: number): string {
  return `src=${ipv4(source)}:${ports & 0xffff} dst=${ipv4(destination)}:${ports >>> 16}`;
}

function ends6(source: number, destination: number, ports: number): string {
  return `src=[::${ipv6Tail(source)}]:${ports & 0xffff} dst=[::${ipv6Tail(destination)}]:${ports >>> 16}`;
}

function nextHeader(value: number): string {
  return `nexthdr=${value >>> 8} flags=${value & 0xff}`;
}

function created(ports: number, identity: number): string {
  return `proxy-port=${ports >>> 16} revnat=${swap16(ports)} src-identity=${identity}`;
}

function proxy(ports: number, address: number): string {
  return `sport=${swap16(ports >>> 16)} dport=${swap16(ports)} saddr=${ipv4(address)}`;
}

function ctState(state: number): string {
  return ['New', 'Established', 'Reply', 'Related'][state] ?? dropReasonText(state & 0xff);
}

function systemError(code: number): string {
  if (code === 0) return 'Success';
  // Node has words of its own for this one, which the kernel answers where a socket cannot be assigned.
  if (code === 95) return 'operation not supported';
  const text = code <= 0xffff ? getSystemErrorMessage(-code) : undefined;
  return text === undefined || text.startsWith('Unknown system error') ? `errno ${code}` : text;
}

/** Which way a captured packet goes; empty for the points that the short form leaves out. */
export function capturePrefix(event: CaptureEvent, interfaceName: Name): string {
  switch (event.subtype) {
    case 4:
      return `-> ${interfaceName(event.arg1)}`;
    case 5:
      return `<- load-balancer ${interfaceName(event.arg1)}`;
    case 6:
      return `== v4->v6 ${event.arg1}`;
    case 7:
      return `== v6->v4 ${event.arg1}`;
    case 9:
      return `-> proxy port ${swap16(event.arg1)}`;
    default:
      return '';
  }
}

/** Where a packet was captured. */
export function captureMessage({ subtype, arg1 }: CaptureEvent): string {
  const message = CAPTURE_POINTS[subtype];
  return message ? message(arg1) : `Unknown message type=${subtype} arg1=${arg1}`;
}

const CAPTURE_POINTS: Readonly<Record<number, (arg1: number) => string>> = {
  4: (ifindex) => `Delivery to ifindex ${ifindex}`,
  5: (ifindex) => `Incoming packet to load balancer on ifindex ${ifindex}`,
  6: (ifindex) => `Packet after nat46 ifindex ${ifindex}`,
  7: (ifindex) => `Packet after nat64 ifindex ${ifindex}`,
  8: (port) => `Packet to proxy port ${swap16(port)} (Pre)`,
  9: (port) => `Packet to proxy port ${swap16(port)} (Post)`,
  10: (ifindex) => `Packet going into snat engine on ifindex ${ifindex}`,
  11: (ifindex) => `Packet coming from snat engine on ifindex ${ifindex}`,
};
