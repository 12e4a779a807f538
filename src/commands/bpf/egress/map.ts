import { EGRESS_STATIC_BITS, egressKey4 } from '../../../bpf/layouts/egress.ts';
import { encode } from '../../../bpf/maps/codec.ts';
import { ipv4Argument, prefixArgument } from '../../../cli/addresses.ts';
import { recordedList, rowsOf, unreadable } from '../../../cli/bpf/recorded.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { formatAddress } from '../../../lib/address.ts';
import { isRecord } from '../../../lib/record.ts';

export const NO_GATEWAY = '0.0.0.0';
/** Values of the gateway that stand for something else. */
export const SPECIAL_GATEWAYS: Readonly<Record<string, string>> = {
  [NO_GATEWAY]: 'Not Found',
  '0.0.0.1': 'Excluded CIDR',
};

/** The address that a list shows as a gateway. */
export function bareGateway(shown: string): string {
  return Object.entries(SPECIAL_GATEWAYS).find(([, words]) => words === shown)?.[0] ?? shown;
}

interface EgressRow {
  SourceIP: string;
  DestCIDR: string;
  EgressIP: string;
  GatewayIP: string;
}

/** The rows of \`bpf egress list\` in an archive. */
export async function recordedEgress(ctx: Context): Promise<EgressRow[]> {
  const list = await recordedList(ctx, 'bpf egress list');
  const { value, text, stderr, place } = list;
  if (/Cannot find egress gateway bpf maps/.test(stderr + text))
    throw new UserError('Cannot find egress gateway bpf maps');
  if (value === null) return [];
  if (Array.isArray(value))
    return value.map((row) => {
      if (!isRecord(row) || typeof row.SourceIP !== 'string')
        throw unreadable(place(), 'rows with a SourceIP');
      return row as unknown as EgressRow;
    });
  // As 1.10 has it: a source and a destination, and a gateway and an egress address.
  const joined = (key: string, info: string): EgressRow => {
    const [SourceIP = '', DestCIDR = ''] = key.split(' ');
    const [GatewayIP = '', EgressIP = ''] = info.split(' ');
    return { SourceIP, DestCIDR, EgressIP, GatewayIP };
  };
  if (isRecord(value))
    return Object.entries(value).flatMap(([key, infos]) =>
      Array.isArray(infos) ? infos.map((info) => joined(key, String(info))) : [],
    );
  if (/^SRC IP & DST CIDR/.test(text))
    return rowsOf(list, 'SRC IP', 2).map(([key = '', info = '']) => joined(key, info));
  return rowsOf(list, 'Source IP', 4).map(
    ([SourceIP = '', DestCIDR = '', EgressIP = '', GatewayIP = '']) => ({
      ...{ SourceIP, DestCIDR, EgressIP, GatewayIP },
    }),
  );
}

/** The key of the traffic from an address to a range. The writing verbs of 1.9 know IPv4 alone. */
export function encodeEgressKey(source: string, cidr: string): Buffer {
  const prefix = prefixArgument(cidr);
  if (prefix.family !== 4) throw new UserError(`Unable to parse cidr '${cidr}': expected an IPv4 prefix`);
  return encode(egressKey4, {
    prefixLength: EGRESS_STATIC_BITS[4] + prefix.length,
    source: parseIpv4(source),
    destination: formatAddress(prefix),
  });
}

/** Parses an IPv4 address. */
export function parseIpv4(text: string): string {
  const ip = ipv4Argument(text);
  if (ip !== undefined) return ip;
  throw new UserError(`Unable to parse IP '${text}': expected an IPv4 address`);
}
