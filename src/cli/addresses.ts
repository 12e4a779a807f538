import { UsageError } from '../errors.ts';
import {
  type AddressRange,
  formatAddress,
  formatMac,
  parseAddress,
  parseMac,
  parsePrefix,
} from '../lib/address.ts';

/** The address that an argument names. */
export function addressArgument(text: string): AddressRange {
  const address = parseAddress(text);
  if (address) return address;
  throw new UsageError(`"${text}" is not a valid IP address`, {
    hint: 'Expected an address such as 10.0.0.1 or fd00::1.',
  });
}

/** The IPv4 address that an argument names, in its text form; undefined for an IPv6 address. */
export function ipv4Argument(text: string): string | undefined {
  const address = addressArgument(text);
  return address.family === 4 ? formatAddress(address) : undefined;
}

/** The prefix that an argument names; bits beyond its length are cleared, as the datapath stores it. */
export function prefixArgument(text: string): AddressRange {
  const prefix = parsePrefix(text);
  if (prefix) return prefix;
  throw new UsageError(`Invalid prefix "${text}"`, {
    hint: 'Expected a prefix such as 10.0.0.0/8, or 10.0.0.1/32 for one address.',
  });
}

/** The MAC address that an argument names, as `aa:bb:cc:dd:ee:ff`. */
export function macArgument(text: string): string {
  const bytes = parseMac(text);
  if (bytes) return formatMac(bytes);
  throw new UsageError(`"${text}" is not a valid MAC address`, {
    hint: 'Expected six bytes such as 02:42:ac:11:00:02.',
  });
}
