import { EGRESS_STATIC_BITS, egressKey4 } from '../../../bpf/layouts/egress.ts';
import { encode } from '../../../bpf/maps/codec.ts';
import { ipv4Argument, prefixArgument } from '../../../cli/addresses.ts';
import { UserError } from '../../../errors.ts';
import { formatAddress } from '../../../lib/address.ts';

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
