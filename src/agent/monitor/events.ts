import { formatIpv4, formatIpv6, formatIpv6Mapped } from '../../lib/address.ts';
import type {
  BrokenEvent,
  CaptureEvent,
  DebugEvent,
  DropEvent,
  MonitorEvent,
  PolicyVerdictEvent,
  RecorderEvent,
  TraceEvent,
  TraceSockEvent,
} from '../../model/monitor.ts';
import type { PacketKind } from '../../model/packet.ts';
import type { Release } from '../../model/release.ts';
import { decodeAgentNotice, decodeLogRecord } from './records.ts';

/**
 * Decodes the bytes of one event. The datapath writes in the byte order of its host, which is little-endian on every
 * architecture that Cilium is built for. Layouts of 1.9 to 1.20 are told apart by their version and length; only a drop
 * of 1.12 looks like one of 1.13, unless the agent states its release.
 */
export function decodeEvent(data: Uint8Array, stated?: Release): MonitorEvent {
  const decode = DECODERS[data[0] ?? 0];
  if (!decode) return { kind: 'unknown', data };
  try {
    return decode(new DataView(data.buffer, data.byteOffset, data.length), data, stated);
  } catch (error) {
    return broken(data[0] ?? 0, error instanceof Error ? error.message : String(error));
  }
}

type Decoder = (view: DataView, data: Uint8Array, stated?: Release) => MonitorEvent;

const DECODERS: Readonly<Record<number, Decoder>> = {
  1: decodeDrop,
  2: decodeDebug,
  3: decodeCapture,
  4: decodeTrace,
  5: decodePolicyVerdict,
  6: decodeRecorder,
  7: decodeTraceSock,
  129: (_, data) => decodeLogRecord(data.subarray(1)),
  130: (_, data) => decodeAgentNotice(data.subarray(1)),
};

function broken(type: number, error: string): BrokenEvent {
  return { kind: 'broken', type, error };
}

function tooShort(type: number, name: string, least: string, length: number): BrokenEvent {
  return broken(type, `unexpected ${name} data length${least} but got ${length}`);
}

/** The flags of drop and trace events. */
function packetKindOf(flags: number): PacketKind {
  return {
    ipv6: (flags & 1) !== 0,
    l3Device: (flags & 2) !== 0,
    vxlan: (flags & 4) !== 0,
    geneve: (flags & 8) !== 0,
  };
}

const ETHERNET: PacketKind = { ipv6: false, l3Device: false, vxlan: false, geneve: false };

/** Header lengths of a drop event by version. */
const DROP_HEADER = [36, 36, 40, 48];
/** Version 0 was read like 1. */
const DROP_LAYOUTS = [1, 1, 2, 3] as const;

function decodeDrop(view: DataView, data: Uint8Array, stated?: Release): DropEvent | BrokenEvent {
  // Up to 1.11 the event ends after a reserved word where later agents put the place in the source, which is never 0;
  // in 1.12 it ends after the place.
  const unplaced = data.length >= 32 && data[14] === 1 && view.getUint32(28, true) === 0;
  const old = unplaced || (stated === '1.12' && data.length >= 32);
  if (data.length < 36 && !old) return tooShort(1, 'DropNotify', ', expected at least 36', data.length);
  const version = data[14] ?? 0;
  const header = old ? 32 : DROP_HEADER[version];
  if (header === undefined) return broken(1, `Unrecognized drop event (version ${version})`);
  const least = data.length < 40 ? Math.min(header, 40) : header;
  if (data.length < least)
    return tooShort(1, 'DropNotify', ` (version ${version}), expected at least ${least}`, data.length);
  const destinationEndpoint = view.getUint32(24, true);
  return {
    kind: 'drop',
    source: view.getUint16(2, true),
    target: destinationEndpoint & 0xffff,
    reason: data[1] ?? 0,
    hash: view.getUint32(4, true),
    originalBytes: view.getUint32(8, true),
    capturedBytes: view.getUint16(12, true),
    sourceIdentity: view.getUint32(16, true),
    destinationIdentity: view.getUint32(20, true),
    destinationEndpoint,
    line: view.getUint16(28, true),
    file: data[30] ?? 0,
    extError: view.getInt8(31),
    ifindex: old ? 0 : view.getUint32(32, true),
    layout: unplaced ? 0 : old ? '1.12' : (DROP_LAYOUTS[version] ?? 1),
    ipTraceId: version >= 3 ? view.getBigUint64(40, true) : undefined,
    packet: data.subarray(header),
    packetKind: version >= 2 ? packetKindOf(data[36] ?? 0) : ETHERNET,
  };
}

/** Header lengths of a trace event by version. */
const TRACE_HEADER = [32, 48, 56];

function decodeTrace(view: DataView, data: Uint8Array): TraceEvent | BrokenEvent {
  if (data.length < 32) return tooShort(4, 'TraceNotify', ', expected at least 32', data.length);
  const version = data[14] ?? 0;
  const header = TRACE_HEADER[version];
  if (header === undefined) return broken(4, `Unrecognized trace event (version ${version})`);
  if (data.length < header)
    return tooShort(4, 'TraceNotify', ` (version ${version}), expected at least ${header}`, data.length);
  const flags = data[27] ?? 0;
  const destination = view.getUint16(24, true);
  return {
    kind: 'trace',
    source: view.getUint16(2, true),
    target: destination,
    point: data[1] ?? 0,
    hash: view.getUint32(4, true),
    originalBytes: view.getUint32(8, true),
    capturedBytes: view.getUint16(12, true),
    sourceIdentity: view.getUint32(16, true),
    destinationIdentity: view.getUint32(20, true),
    destination,
    reason: data[26] ?? 0,
    ifindex: view.getUint32(28, true),
    originalIp: originalIp(data, version, flags),
    ipTraceId: version >= 2 ? view.getBigUint64(48, true) : undefined,
    layout: version,
    packet: data.subarray(header),
    packetKind: packetKindOf(flags),
  };
}

function originalIp(data: Uint8Array, version: number, flags: number): string {
  const ipv6 = (flags & 1) !== 0;
  if (version === 0) return ipv6 ? '::' : '0.0.0.0';
  return ipv6 ? formatIpv6Mapped(data, 32) : formatIpv4(data, 32);
}

function decodePolicyVerdict(view: DataView, data: Uint8Array): PolicyVerdictEvent | BrokenEvent {
  if (data.length < 32) return tooShort(5, 'PolicyVerdictNotify', ', expected 40', data.length);
  const capturedBytes = view.getUint16(12, true);
  // 1.20 added a cookie of 8 bytes, more than perf ever pads, and left the version alone.
  const header = data.length >= 40 + capturedBytes ? 40 : 32;
  const flags = data[27] ?? 0;
  const remoteIdentity = view.getUint32(16, true);
  return {
    kind: 'policy-verdict',
    source: view.getUint16(2, true),
    target: remoteIdentity & 0xffff,
    hash: view.getUint32(4, true),
    originalBytes: view.getUint32(8, true),
    capturedBytes,
    remoteIdentity,
    verdict: view.getInt32(20, true),
    protocol: data[26] ?? 0,
    ingress: (flags & 3) === 1,
    audited: (flags & 0x40) !== 0,
    matchType: (flags >> 3) & 7,
    authType: data[28] ?? 0,
    hasCookie: header === 40,
    packet: data.subarray(header),
    packetKind: { ...ETHERNET, ipv6: (flags & 4) !== 0, l3Device: (flags & 0x80) !== 0 },
  };
}

function decodeDebug(view: DataView, data: Uint8Array): DebugEvent | BrokenEvent {
  if (data.length < 20) return tooShort(2, 'DebugMsg', ', expected 20', data.length);
  return {
    kind: 'debug',
    source: view.getUint16(2, true),
    target: 0,
    subtype: data[1] ?? 0,
    hash: view.getUint32(4, true),
    arg1: view.getUint32(8, true),
    arg2: view.getUint32(12, true),
    arg3: view.getUint32(16, true),
  };
}

function decodeCapture(view: DataView, data: Uint8Array): CaptureEvent | BrokenEvent {
  if (data.length < 24) return tooShort(3, 'DebugCapture', ', expected 24', data.length);
  return {
    kind: 'capture',
    source: view.getUint16(2, true),
    target: 0,
    subtype: data[1] ?? 0,
    hash: view.getUint32(4, true),
    originalBytes: view.getUint32(8, true),
    capturedBytes: view.getUint16(12, true),
    arg1: view.getUint32(16, true),
    packet: data.subarray(24),
    packetKind: ETHERNET,
  };
}

function decodeTraceSock(view: DataView, data: Uint8Array): TraceSockEvent | BrokenEvent {
  if (data.length < 38) return tooShort(7, 'TraceSockNotify', ', expected 40', data.length);
  const aligned = data.length >= 40 && isAlignedTraceSock(data);
  const at = aligned
    ? { protocol: 2, flags: 3, port: 4, cookie: 8, cgroup: 16, ip: 24 }
    : { protocol: 36, flags: 37, port: 18, cookie: 20, cgroup: 28, ip: 2 };
  return {
    kind: 'trace-sock',
    point: data[1] ?? 0,
    protocol: data[at.protocol] ?? 0,
    ip: socketIp(data, at.ip, { ipv6: ((data[at.flags] ?? 0) & 1) !== 0, aligned }),
    port: view.getUint16(at.port, true),
    socketCookie: view.getBigUint64(at.cookie, true),
    cgroupId: view.getBigUint64(at.cgroup, true),
    packed: !aligned,
  };
}

/** Agents whose structure is packed still show an IPv4 address that was mapped into an IPv6 one as IPv4. */
function socketIp(data: Uint8Array, at: number, form: { ipv6: boolean; aligned: boolean }): string {
  if (!form.ipv6) return formatIpv4(data, at);
  return form.aligned ? formatIpv6Mapped(data, at) : formatIpv6(data, at);
}

/**
 * Up to 1.17 the structure was packed, with the address at byte 2 and protocol and flags at the end; perf pads both
 * forms to the same length. The later form is the one whose protocol, flags and padding read as such.
 */
function isAlignedTraceSock(data: Uint8Array): boolean {
  const aligned = isProtocolAndFlags(data, 2) && data[6] === 0 && data[7] === 0;
  const packed = (data[36] ?? 0) !== 0 && isProtocolAndFlags(data, 36) && data[38] === 0;
  return aligned && !(packed && data[2] !== 1 && data[2] !== 2);
}

function isProtocolAndFlags(data: Uint8Array, at: number): boolean {
  return (data[at] ?? 0) <= 2 && (data[at + 1] ?? 0) <= 1;
}

function decodeRecorder(view: DataView, data: Uint8Array): RecorderEvent | BrokenEvent {
  if (data.length < 24) return tooShort(6, 'RecorderCapture', ', expected 24', data.length);
  return {
    kind: 'recorder',
    source: 0,
    target: 0,
    ingress: data[1] === 1,
    ruleId: view.getUint16(2, true),
    bootTimeNs: view.getBigUint64(8, true),
    capturedBytes: view.getUint32(16, true),
    originalBytes: view.getUint32(20, true),
    packet: data.subarray(24),
  };
}
