/** Events as the datapath writes them, for streams made by tests. */

/** Bytes from hex, blanks ignored. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\s+/g, ''), 'hex');
}

export interface TraceFields {
  point?: number;
  source?: number;
  destination?: number;
  reason?: number;
  flags?: number;
  ifindex?: number;
  from?: number;
  to?: number;
  originalIp?: string;
  ipTraceId?: bigint;
}

/** A trace event of 1.20 with a packet. */
export function traceEvent(packet: Uint8Array, fields: TraceFields = {}): Buffer {
  const head = header(4, 56, fields.point ?? 0, fields.source ?? 7, packet.length);
  head[14] = 2;
  head.writeUInt32LE(fields.from ?? 100, 16);
  head.writeUInt32LE(fields.to ?? 200, 20);
  head.writeUInt16LE(fields.destination ?? 9, 24);
  head[26] = fields.reason ?? 0;
  head[27] = fields.flags ?? 0;
  head.writeUInt32LE(fields.ifindex ?? 0, 28);
  hex(fields.originalIp ?? '00').copy(head, 32);
  head.writeBigUInt64LE(fields.ipTraceId ?? 0n, 48);
  return Buffer.concat([head, packet]);
}

/** A drop event of 1.20 with a packet. */
export function dropEvent(
  packet: Uint8Array,
  fields: { reason?: number; extError?: number; flags?: number; ipTraceId?: bigint } = {},
): Buffer {
  const head = header(1, 48, fields.reason ?? 133, 7, packet.length);
  head[14] = 3;
  head.writeUInt32LE(100, 16);
  head.writeUInt32LE(2, 20);
  head.writeUInt32LE(9, 24);
  head.writeUInt16LE(42, 28);
  head[30] = 2;
  head.writeInt8(fields.extError ?? 0, 31);
  head.writeUInt32LE(3, 32);
  head[36] = fields.flags ?? 0;
  head.writeBigUInt64LE(fields.ipTraceId ?? 0n, 40);
  return Buffer.concat([head, packet]);
}

/** A debug message. */
export function debugEvent(subtype: number, arg1: number, arg2 = 0, arg3 = 0): Buffer {
  const event = header(2, 20, subtype, 7, 0);
  event.writeUInt32LE(arg1, 8);
  event.writeUInt32LE(arg2, 12);
  event.writeUInt32LE(arg3, 16);
  return event;
}

/** A captured packet of the debug datapath. */
export function captureEvent(subtype: number, arg1: number, packet: Uint8Array): Buffer {
  const head = header(3, 24, subtype, 7, packet.length);
  head.writeUInt32LE(arg1, 16);
  return Buffer.concat([head, packet]);
}

function header(type: number, size: number, subtype: number, source: number, length: number): Buffer {
  const head = Buffer.alloc(size);
  head[0] = type;
  head[1] = subtype;
  head.writeUInt16LE(source, 2);
  head.writeUInt32LE(0xabc, 4);
  head.writeUInt32LE(length, 8);
  head.writeUInt16LE(length, 12);
  return head;
}

const MACS = '020000000002 020000000001';

/** An Ethernet frame of a type. */
export function ethernet(type: number, payload: Uint8Array): Buffer {
  return Buffer.concat([hex(`${MACS} ${type.toString(16).padStart(4, '0')}`), payload]);
}

/** An IPv4 packet from 10.0.0.1 to 10.0.0.2. */
export function ipv4(protocol: number, payload: Uint8Array, options = hex('')): Buffer {
  const head = hex('45000000 00014000 40000000 0a000001 0a000002');
  head[0] = 0x45 + options.length / 4;
  head.writeUInt16BE(20 + options.length + payload.length, 2);
  head[9] = protocol;
  return Buffer.concat([head, options, payload]);
}

/** An IPv6 packet from fd00::1 to fd00::2. */
export function ipv6(next: number, payload: Uint8Array): Buffer {
  const head = hex('60000000 0000 00 40 fd000000000000000000000000000001 fd000000000000000000000000000002');
  head.writeUInt16BE(payload.length, 4);
  head[6] = next;
  return Buffer.concat([head, payload]);
}

/** A TCP segment; options are padded by the caller. */
export function tcp(source: number, destination: number, flags: number, options = hex('')): Buffer {
  const head = hex('00000000 00000001 00000002 5000 0064 0000 0000');
  head.writeUInt16BE(source, 0);
  head.writeUInt16BE(destination, 2);
  head[12] = (5 + options.length / 4) << 4;
  head[13] = flags;
  return Buffer.concat([head, options]);
}

/** A UDP datagram. */
export function udp(source: number, destination: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(source, 0);
  head.writeUInt16BE(destination, 2);
  head.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([head, payload]);
}
