import {
  AUTH_TYPE_MASK,
  AUTH_TYPES,
  POLICY_DIRECTIONS,
  POLICY_FLAG,
  POLICY_STATIC_BITS,
  type PolicyMapDump,
  type PolicyMapEntry,
  type PolicyVariant,
} from '../../bpf/layouts/policy.ts';
import { exactNumber, swap16 } from '../../lib/uint.ts';
import { protocolName } from '../../model/protocol.ts';
import type { Block, Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** Said below a map without entries. */
export const EMPTY_POLICY_MAP = 'Policy stats empty. Perhaps the policy enforcement is disabled?\n';
/** What the reference's JSON holds where no counters are kept. */
const NOT_AVAILABLE = 0xffff_ffff_ffff_ffffn;

/** The table of `bpf policy get`. `peers` are the labels of each entry's peer, undefined for their numbers. */
export function policyMapTable(
  { variant, entries }: PolicyMapDump,
  peers: readonly (readonly string[])[] | undefined,
): Table {
  const columns = COLUMNS.filter(({ of }) => of === undefined || of(variant));
  const header = columns.map(({ title }) =>
    title === 'IDENTITY' && peers ? 'LABELS (source:key[=value])' : title,
  );
  // Before there were cookies the last cell ends with a tab as well.
  const last = 'cookie' in variant.value.fields ? '' : '\t';
  const line = (cells: readonly (string | number | bigint)[]) => `${cells.join('\t')}${last}`;
  const blocks = entries.map((entry, i): Block => {
    const [first = '', ...more] = (peers?.[i] ?? [String(entry.key.identity)]).map(sanitizeCell);
    const cells = columns.map(({ title, cell }) =>
      title === 'IDENTITY' ? first : cell(entry, hasPrefixes(variant)),
    );
    // Up to 1.15 the lines of further labels have one cell more than the others.
    const end = hasPrefixes(variant) ? '' : '\t';
    const rest = more.map(
      (label) => line(columns.map(({ title }) => (title === 'IDENTITY' ? label : ''))) + end,
    );
    const { direction, identity, port, protocol } = entry.key;
    return { key: [direction, identity, port, protocol].join(' '), lines: [line(cells), ...rest] };
  });
  return { headers: [line(header)], blocks };
}

interface Column {
  title: string;
  cell: (entry: PolicyMapEntry, prefixes: boolean) => string | number | bigint;
  /** The layouts whose command line has it; all without this. */
  of?: (variant: PolicyVariant) => boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'POLICY', cell: ({ value }) => (value.flags & POLICY_FLAG.deny ? 'Deny' : 'Allow') },
  { title: 'DIRECTION', cell: ({ key }) => POLICY_DIRECTIONS[key.direction] ?? 'Unknown' },
  { title: 'IDENTITY', cell: ({ key }) => key.identity },
  {
    title: 'PORT/PROTO',
    cell: ({ key }, prefixes) => (prefixes ? portProtocolText(key) : oldPortText(key)),
  },
  { title: 'PROXY PORT', cell: ({ value }) => (value.proxyPort === 0 ? 'NONE' : value.proxyPort) },
  {
    title: 'AUTH TYPE',
    cell: ({ value }) =>
      'auth' in value ? authTypeName('cookie' in value ? value.auth & AUTH_TYPE_MASK : value.auth) : '',
    of: ({ value }) => 'auth' in value.fields,
  },
  { title: 'BYTES', cell: ({ counters }) => counters?.bytes ?? '-' },
  { title: 'PACKETS', cell: ({ counters }) => counters?.packets ?? '-' },
  { title: 'PREFIX', cell: ({ key }) => key.prefixLength - POLICY_STATIC_BITS, of: hasPrefixes },
  {
    title: 'COOKIE',
    cell: ({ value }) => ('cookie' in value ? value.cookie : 0),
    of: ({ value }) => 'cookie' in value.fields,
  },
];

/** Whether keys have a prefix length: since 1.16. */
export function hasPrefixes({ key }: PolicyVariant): boolean {
  return 'prefixLength' in key.fields;
}

const ICMP = [1, 58];

/** Up to 1.15 a protocol without a port is not shown; that of ICMP is its type, which may be 0. */
function oldPortText({ port, protocol }: PolicyMapEntry['key']): string {
  return port !== 0 || ICMP.includes(protocol) ? `${port}/${protocolName(protocol)}` : 'ANY';
}

/** An entry in the reference's JSON form, which differs between releases. */
export function policyEntryJson(
  variant: PolicyVariant,
  { key, value, counters }: PolicyMapEntry,
): Record<string, unknown> {
  const packets = exactNumber(counters?.packets ?? NOT_AVAILABLE);
  const bytes = exactNumber(counters?.bytes ?? NOT_AVAILABLE);
  if (!hasPrefixes(variant))
    return {
      ProxyPort: swap16(value.proxyPort),
      Flags: value.flags,
      ...oldAuthJson(value),
      Pad1: 0,
      Pad2: 0,
      Packets: packets,
      Bytes: bytes,
      Key: {
        Identity: key.identity,
        DestPort: swap16(key.port),
        Nexthdr: key.protocol,
        TrafficDirection: key.direction,
      },
    };
  return {
    ProxyPortNetwork: swap16(value.proxyPort),
    Flags: value.flags,
    ...valueJson(value),
    Packets: packets,
    Bytes: bytes,
    Key: {
      Prefixlen: key.prefixLength,
      Identity: key.identity,
      TrafficDirection: key.direction,
      Nexthdr: key.protocol,
      DestPortNetwork: swap16(key.port),
    },
  };
}

/** An entry in JSON form as YAML has it, which names the structs that Go embeds in it. */
export function policyEntryYaml({
  Key,
  Packets,
  Bytes,
  ...own
}: Record<string, unknown>): Record<string, unknown> {
  // Since 1.18 the counters are in a map of their own.
  return 'AuthRequirement' in own
    ? { PolicyEntry: own, StatsValue: { Packets, Bytes }, Key }
    : { PolicyEntry: { ...own, Packets, Bytes }, Key };
}

function oldAuthJson(value: PolicyMapEntry['value']): Record<string, number> {
  if ('auth' in value) return { AuthType: value.auth };
  return 'authType' in value ? { AuthType: value.authType } : { Pad0: 0 };
}

function valueJson(value: PolicyMapEntry['value']): Record<string, unknown> {
  if ('cookie' in value)
    return { AuthRequirement: value.auth, Precedence: value.precedence, Cookie: value.cookie };
  if ('proxyPortPriority' in value)
    return {
      AuthRequirement: value.auth,
      ProxyPortPriority: value.proxyPortPriority,
      Pad1: 0,
      Pad2: 0,
    };
  return { AuthType: 'auth' in value ? value.auth : 0, Pad1: 0, Pad2: 0 };
}

/** Name of an authentication type. */
export function authTypeName(type: number): string {
  return AUTH_TYPES[type] ?? `Unknown-auth-type-${type}`;
}

/** Ports and protocol of a policy key: `53/UDP`, `8000-8007/TCP`, `TCP` or `ANY`. */
export function portProtocolText({
  prefixLength,
  protocol,
  port,
}: Pick<PolicyMapEntry['key'], 'prefixLength' | 'protocol' | 'port'>): string {
  const bits = prefixLength - POLICY_STATIC_BITS;
  const name = protocolName(protocol);
  if (bits === 0 || bits === 8) return name;
  if (bits === 24) return `${port}/${name}`;
  if (bits > 8 && bits < 24) return `${port}-${(port + (0xffff >> (bits - 8))) & 0xffff}/${name}`;
  return `<INVALID PREFIX LENGTH: ${bits}>`;
}
