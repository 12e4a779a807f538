import { formatIp } from '../../lib/address.ts';
import type { Capability } from '../../model/bgp.ts';

/** Address families by their numbers. */
const FAMILIES: Readonly<Record<string, string>> = {
  '1/1': 'ipv4-unicast',
  '2/1': 'ipv6-unicast',
  '1/2': 'ipv4-multicast',
  '2/2': 'ipv6-multicast',
  '1/4': 'ipv4-labelled-unicast',
  '2/4': 'ipv6-labelled-unicast',
  '1/128': 'l3vpn-ipv4-unicast',
  '2/128': 'l3vpn-ipv6-unicast',
  '1/129': 'l3vpn-ipv4-multicast',
  '2/129': 'l3vpn-ipv6-multicast',
  '25/65': 'l2vpn-vpls',
  '25/70': 'l2vpn-evpn',
  '1/132': 'rtc',
  '1/7': 'ipv4-encap',
  '2/7': 'ipv6-encap',
  '1/133': 'ipv4-flowspec',
  '1/134': 'l3vpn-ipv4-flowspec',
  '2/133': 'ipv6-flowspec',
  '2/134': 'l3vpn-ipv6-flowspec',
  '25/134': 'l2vpn-flowspec',
  '16397/241': 'opaque',
  '16388/71': 'ls',
  '1/73': 'ipv4-srpolicy',
  '2/73': 'ipv6-srpolicy',
  '1/85': 'ipv4-mup',
  '2/85': 'ipv6-mup',
};

/** `ipv4-unicast` and the like; unknown ones by their numbers. */
function familyName(afi: number, safi: number): string {
  return FAMILIES[`${afi}/${safi}`] ?? `UnknownFamily(${afi}/${safi})`;
}

/** A place in a BGP message. Reading beyond the end gives zeros; `overrun` tells. */
class Cursor {
  overrun = false;
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    if (this.left < 1) this.overrun = true;
    return this.bytes[this.at++] ?? 0;
  }
  u16(): number {
    return this.u8() * 256 + this.u8();
  }
  u32(): number {
    return this.u16() * 65536 + this.u16();
  }
  take(length: number): Uint8Array {
    if (this.left < length) this.overrun = true;
    const part = new Uint8Array(length);
    part.set(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return part;
  }
}

function bytesOf(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}

/** A prefix as it stands in an update: its length in bits, then as many bytes as that needs. */
function readPrefix(cursor: Cursor, size: 4 | 16): string {
  const length = cursor.u8();
  const bytes = new Uint8Array(size);
  bytes.set(cursor.take(Math.min(Math.ceil(length / 8), size)));
  return `${formatIp(bytes)}/${length}`;
}

/** The text of a path's destination; other families than unicast stay base64. */
export function decodeNlri(base64: string, afi: string, safi: string): string {
  if (safi !== 'unicast' || (afi !== 'ipv4' && afi !== 'ipv6')) return base64;
  const cursor = new Cursor(bytesOf(base64));
  const text = readPrefix(cursor, afi === 'ipv4' ? 4 : 16);
  return cursor.overrun ? base64 : text;
}

/** A path attribute in GoBGP's words, and the next hop that it carries. */
export interface PathAttribute {
  text: string;
  /** The words of GoBGP 3, where they are others: it shows no identifiers of paths behind prefixes. */
  oldText?: string;
  nextHop?: string;
}

const ORIGINS = ['i', 'e', '?'];

const COMMUNITIES: Readonly<Record<number, string>> = {
  0: 'internet',
  4294901760: 'planned-shut',
  4294901761: 'accept-own',
  4294901762: 'route-filter-translated-v4',
  4294901763: 'route-filter-v4',
  4294901764: 'route-filter-translated-v6',
  4294901765: 'route-filter-v6',
  4294901766: 'llgr-stale',
  4294901767: 'no-llgr',
  4294902426: 'blackhole',
  4294967041: 'no-export',
  4294967042: 'no-advertise',
  4294967043: 'no-export-subconfed',
  4294967044: 'no-peer',
};

/** Decodes flags, type, length and value of an attribute. What is unknown or broken keeps its bytes. */
export function decodePathAttribute(base64: string): PathAttribute {
  const bytes = bytesOf(base64);
  const cursor = new Cursor(bytes);
  const flags = cursor.u8();
  const type = cursor.u8();
  const length = flags & 0x10 ? cursor.u16() : cursor.u8();
  const body = new Cursor(cursor.take(Math.min(length, Math.max(cursor.left, 0))));
  const decoded = cursor.overrun ? undefined : ATTRIBUTES[type]?.(body);
  if (decoded && !body.overrun) return decoded;
  const value = Buffer.from(body.bytes).toString('hex');
  return { text: `{Flags: ${flagNames(flags)}, Type: ${type}, Value: ${value}}` };
}

function flagNames(flags: number): string {
  const names = [
    [0x10, 'EXTENDED_LENGTH'],
    [0x20, 'PARTIAL'],
    [0x40, 'TRANSITIVE'],
    [0x80, 'OPTIONAL'],
  ] as const;
  return names
    .filter(([bit]) => flags & bit)
    .map(([, name]) => name)
    .join('|');
}

const ATTRIBUTES: Readonly<Record<number, (body: Cursor) => PathAttribute>> = {
  1: (body) => ({ text: `{Origin: ${ORIGINS[body.u8()] ?? '-'}}` }),
  2: (body) => ({ text: `{AsPath: ${asPath(body)}}` }),
  3: (body) => {
    const nextHop = formatIp(body.take(body.left === 16 ? 16 : 4));
    return { text: `{Nexthop: ${nextHop}}`, nextHop };
  },
  4: (body) => ({ text: `{Med: ${body.u32()}}` }),
  5: (body) => ({ text: `{LocalPref: ${body.u32()}}` }),
  6: () => ({ text: '{AtomicAggregate}' }),
  7: (body) => {
    const as = body.left > 6 ? body.u32() : body.u16();
    return { text: `{Aggregate: {AS: ${as}, Address: ${formatIp(body.take(4))}}}` };
  },
  8: (body) => ({ text: `{Communities: ${repeat(body, 4, community).join(', ')}}` }),
  9: (body) => ({ text: `{Originator: ${formatIp(body.take(4))}}` }),
  10: (body) => ({ text: `{ClusterList: [${repeat(body, 4, (c) => formatIp(c.take(4))).join(' ')}]}` }),
  14: mpReach,
  15: (body) => {
    const family = [body.u16(), body.u8()] as const;
    const lists = prefixes(body, ...family);
    const text = (list: string) => `{MpUnreach(${familyName(...family)}): {NLRIs: [${list}]}}`;
    return { text: text(lists.withPaths), oldText: text(lists.bare) };
  },
  32: (body) => ({
    text: `{LargeCommunity: [ ${repeat(body, 12, (c) => `${c.u32()}:${c.u32()}:${c.u32()}`).join(', ')}]}`,
  }),
};

function repeat<T>(body: Cursor, size: number, read: (body: Cursor) => T): T[] {
  const values: T[] = [];
  while (body.left >= size) values.push(read(body));
  return values;
}

function community(body: Cursor): string {
  const value = body.u32();
  return COMMUNITIES[value] ?? `${value >>> 16}:${value & 0xffff}`;
}

function mpReach(body: Cursor): PathAttribute {
  const afi = body.u16();
  const safi = body.u8();
  const hop = body.take(body.u8());
  body.u8();
  // Behind a global address may stand a link-local one.
  const nextHop = formatIp(hop.length >= 16 ? hop.subarray(0, 16) : hop.subarray(0, 4));
  const lists = prefixes(body, afi, safi);
  const text = (list: string) =>
    `{MpReach(${familyName(afi, safi)}): {Nexthop: ${nextHop}, NLRIs: [${list}]}}`;
  return { text: text(lists.withPaths), oldText: text(lists.bare), nextHop };
}

/** What follows is read without identifiers of paths, which GoBGP 4 shows as 0 then. */
function prefixes(body: Cursor, afi: number, safi: number): { withPaths: string; bare: string } {
  if (safi !== 1 || (afi !== 1 && afi !== 2)) {
    const rest = Buffer.from(body.take(Math.max(body.left, 0))).toString('hex');
    return { withPaths: rest, bare: rest };
  }
  const all = repeat(body, 1, (c) => readPrefix(c, afi === 1 ? 4 : 16));
  return { withPaths: all.map((prefix) => `${prefix}:0`).join(' '), bare: all.join(' ') };
}

const SEGMENTS: Readonly<Record<number, (as: string[]) => string>> = {
  1: (as) => `{${as.join(',')}}`,
  2: (as) => as.join(' '),
  3: (as) => `[${as.join(',')}]`,
  4: (as) => `(${as.join(' ')})`,
};

/** AS numbers take four bytes, two where only that fits. */
function asPath(body: Cursor): string {
  const start = body.at;
  for (const wide of [true, false]) {
    body.at = start;
    body.overrun = false;
    const segments: string[] = [];
    while (body.left > 0 && !body.overrun) {
      const segment = SEGMENTS[body.u8()];
      const count = body.u8();
      if (!segment) body.overrun = true;
      else
        segments.push(segment(Array.from({ length: count }, () => String(wide ? body.u32() : body.u16()))));
    }
    if (!body.overrun) return segments.join(' ');
  }
  return '';
}

const CAPABILITY_NAMES: Readonly<Record<number, string>> = {
  1: 'multiprotocol',
  2: 'route-refresh',
  4: 'carrying-label-info',
  5: 'extended-nexthop',
  64: 'graceful-restart',
  65: '4-octet-as',
  69: 'add-path',
  70: 'enhanced-route-refresh',
  71: 'long-lived-graceful-restart',
  73: 'fqdn',
  75: 'software-version',
  128: 'cisco-route-refresh',
};

/** Decodes code, length and value of a capability; undefined when the bytes end too early. */
export function decodeCapability(base64: string): Capability | undefined {
  const cursor = new Cursor(bytesOf(base64));
  const code = cursor.u8();
  const body = new Cursor(cursor.take(cursor.u8()));
  if (cursor.overrun) return undefined;
  const name = CAPABILITY_NAMES[code] ?? `UnknownCapability(${code})`;
  if (code === 1) {
    const afi = body.u16();
    body.u8();
    return { code, name, family: familyName(afi, body.u8()), details: [] };
  }
  return { code, name, details: capabilityDetails(code, body) ?? [name] };
}

function capabilityDetails(code: number, body: Cursor): string[] | undefined {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
  switch (code) {
    case 64:
      return gracefulRestart(body);
    case 69:
      return repeat(body, 4, (c) => `${familyName(c.u16(), c.u8())}: ${ADD_PATH_MODES[c.u8()] ?? 'unknown'}`);
    case 71:
      return repeat(body, 7, (c) => {
        const family = familyName(c.u16(), c.u8());
        const forward = c.u8() === 0x80 ? ', forward flag set' : '';
        return `${family}, restart time ${c.u8() * 65536 + c.u16()} sec${forward}`;
      });
    case 5:
      return repeat(body, 6, (c) => {
        const family = familyName(c.u16(), c.u16());
        const hop = c.u16();
        return `nlri: ${family}, nexthop: ${hop === 1 ? 'ipv4' : hop === 2 ? 'ipv6' : hop}`;
      });
    case 73:
      return [`name: ${text(body.take(body.u8()))}`, `domain: ${text(body.take(body.u8()))}`];
    case 75:
      return [text(body.take(body.u8()))];
    default:
      return undefined;
  }
}

const ADD_PATH_MODES = ['none', 'receive', 'send', 'receive/send'];

function gracefulRestart(body: Cursor): string[] {
  const head = body.u16();
  const families = repeat(body, 4, (c) => {
    const family = familyName(c.u16(), c.u8());
    return c.u8() === 0x80 ? `${family}, forward flag set` : family;
  });
  const facts = [
    families.length > 0 ? `restart time: ${head & 0xfff} sec` : '',
    head & 0x8000 ? 'restart flag set' : '',
    head & 0x4000 ? 'notification flag set' : '',
  ].filter((fact) => fact !== '');
  return facts.length + families.length === 0 ? [] : [facts.join(', '), ...families];
}
