import { egressKey4 } from '../../../bpf/layouts/structs.ts';
import { ipv4Argument, prefixArgument } from '../../../cli/addresses.ts';
import { UserError } from '../../../errors.ts';
import { addressBytes } from '../../../lib/address.ts';

/** The map of IPv4 egress gateways, the only one that the writing verbs of 1.9 know. */
export const EGRESS_MAP = 'cilium_egress_gw_policy_v4';

const STATIC_BITS = 32;

/** The key of the traffic from an address to a range. */
export function encodeEgressKey(source: string, cidr: string): Buffer {
  const prefix = prefixArgument(cidr);
  if (prefix.family !== 4) throw new UserError(`Unable to parse cidr '${cidr}': an IPv4 prefix is expected`);
  const key = Buffer.alloc(egressKey4.size);
  key.writeUInt32LE(STATIC_BITS + prefix.length, 0);
  ipv4Bytes(source).copy(key, 4);
  addressBytes(prefix).copy(key, 8);
  return key;
}

export function ipv4Bytes(text: string): Buffer {
  const bytes = ipv4Argument(text);
  if (bytes) return bytes;
  throw new UserError(`Unable to parse IP '${text}': an IPv4 address is expected`);
}
