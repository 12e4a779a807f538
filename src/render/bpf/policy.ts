import {
  AUTH_TYPE_MASK,
  AUTH_TYPES,
  POLICY_DIRECTIONS,
  POLICY_FLAG,
  POLICY_STATIC_BITS,
  type PolicyMapEntry,
} from '../../bpf/layouts/policy.ts';
import { exactNumber, swap16 } from '../../lib/uint.ts';
import { protocolName } from '../../model/protocol.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

const EMPTY = 'Policy stats empty. Perhaps the policy enforcement is disabled?\n';
/** What the reference's JSON holds where no counters are kept. */
const NOT_AVAILABLE = 0xffff_ffff_ffff_ffffn;

/** The table of `bpf policy get`. `peers` are the labels of each entry's peer, undefined for their numbers. */
export function renderPolicyMap(
  entries: readonly PolicyMapEntry[],
  peers: readonly (readonly string[])[] | undefined,
): string {
  const cookies = entries.length === 0 || entries.some(({ value }) => 'cookie' in value);
  const header = [
    'POLICY',
    'DIRECTION',
    peers ? 'LABELS (source:key[=value])' : 'IDENTITY',
    'PORT/PROTO',
    'PROXY PORT',
    'AUTH TYPE',
    'BYTES',
    'PACKETS',
    'PREFIX',
    ...(cookies ? ['COOKIE'] : []),
  ];
  const lines = [header.join('\t')];
  for (const [i, { key, value, counters }] of entries.entries()) {
    const [first = '', ...more] = (peers?.[i] ?? [String(key.identity)]).map(sanitizeCell);
    const cells = [
      value.flags & POLICY_FLAG.deny ? 'Deny' : 'Allow',
      POLICY_DIRECTIONS[key.direction] ?? 'Unknown',
      first,
      portProtocolText(key),
      value.proxyPort === 0 ? 'NONE' : value.proxyPort,
      authTypeName('cookie' in value ? value.auth & AUTH_TYPE_MASK : value.auth),
      counters?.bytes ?? '-',
      counters?.packets ?? '-',
      key.prefixLength - POLICY_STATIC_BITS,
      ...(cookies ? ['cookie' in value ? value.cookie : 0] : []),
    ];
    lines.push(cells.join('\t'));
    const rest = '\t'.repeat(header.length - 3);
    for (const label of more) lines.push(`\t\t${label}${rest}`);
  }
  return tabulate(`${lines.join('\n')}\n`, LIST_TABLE) + (entries.length === 0 ? EMPTY : '');
}

/** An entry in the reference's JSON form, which differs between releases. */
export function policyEntryJson({ key, value, counters }: PolicyMapEntry): Record<string, unknown> {
  return {
    ProxyPortNetwork: swap16(value.proxyPort),
    Flags: value.flags,
    ...('cookie' in value
      ? { AuthRequirement: value.auth, Precedence: value.precedence, Cookie: value.cookie }
      : { AuthType: value.auth, Pad1: 0, Pad2: 0 }),
    Packets: exactNumber(counters?.packets ?? NOT_AVAILABLE),
    Bytes: exactNumber(counters?.bytes ?? NOT_AVAILABLE),
    Key: {
      Prefixlen: key.prefixLength,
      Identity: key.identity,
      TrafficDirection: key.direction,
      Nexthdr: key.protocol,
      DestPortNetwork: swap16(key.port),
    },
  };
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
  if (bits > 8 && bits < 24) return `${port}-${port + (0xffff >> (bits - 8))}/${name}`;
  return `<INVALID PREFIX LENGTH: ${bits}>`;
}
