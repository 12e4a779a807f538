import { type AddressRange, contains, parseAddress, parsePrefix, withoutZone } from '../../lib/address.ts';
import { addressFault, prefixFault } from '../../lib/netip.ts';
import type { Requirement } from '../../model/selector.ts';
import type { CidrRule } from '../rule.ts';
import type { Cursor } from './decoders.ts';

/** Checks an address or a prefix, as in fromCIDR. */
export function checkCidr(value: string, at: Cursor): string | undefined {
  if (value === '') return at.fail('cidr', 'IP must be specified');
  const prefix = parsePrefix(value);
  if (prefix) warnOfHostBits(value, prefix, at);
  // The agent tries an address next and reports on that.
  const address = at.reaches('1.15') ? withoutZone(value) : value;
  if (prefix || parseAddress(address)) return value;
  return at.fail('cidr', `unable to parse CIDR: ${addressFault(value)}`, hintFor(value));
}

function hintFor(value: string): string {
  const why = /: ([^:]*(prefix length|bad bits).*)$/.exec(prefixFault(value))?.[1];
  return why
    ? `After the slash: at most 32 for IPv4 and 128 for IPv6 (${why}).`
    : 'Expected an address, or address/length such as 10.0.0.0/8.';
}

/** The address of a prefix, with the bits beyond its length. */
function addressOf(prefix: string): AddressRange | undefined {
  return parseAddress(prefix.slice(0, prefix.lastIndexOf('/')));
}

function warnOfHostBits(value: string, prefix: AddressRange, at: Cursor): void {
  if (addressOf(value)?.first === prefix.first) return;
  at.warn(
    'host-bits',
    `${value} has bits beyond its prefix`,
    `The agent reads it as the whole /${prefix.length}.`,
  );
}

function readPrefix(value: string, message: (why: string) => string, at: Cursor): AddressRange | undefined {
  const prefix = parsePrefix(value);
  if (!prefix)
    return at.fail('cidr', message(prefixFault(value)), 'Expected address/length such as 10.0.0.0/8.');
  warnOfHostBits(value, prefix, at);
  return prefix;
}

export function checkCidrRule(rule: CidrRule, at: Cursor): void {
  const { cidr, cidrGroupRef, cidrGroupSelector, except } = rule;
  const ways = [cidr, cidrGroupRef, cidrGroupSelector].filter(
    (way) => way !== undefined && way !== '',
  ).length;
  if (ways === 0) at.fail('cidr', 'one of cidr, cidrGroupRef, or cidrGroupSelector is required');
  if (ways > 1)
    at.fail('cidr', 'more than one of cidr, cidrGroupRef, or cidrGroupSelector may not be set', 'Keep one.');
  if (cidr === undefined || cidr === '' || ways > 1) return;
  const outer = at.into('cidr', () =>
    readPrefix(cidr, (why) => `Unable to parse CIDRRule ${JSON.stringify(cidr)}: ${why}`, at),
  );
  except?.forEach((text, i) => {
    at.into('except', () =>
      at.into(i, () => {
        const inner = readPrefix(text, (why) => why, at);
        if (!outer || !inner || contains(outer, inner)) return;
        const message = `allow CIDR prefix ${cidr} does not contain exclude CIDR prefix ${text}`;
        // Agents up to 1.19 only check the address, so they accept a wider exception, which leaves nothing of the block.
        const passes = !at.reaches('1.20') && contains(outer, addressOf(text) ?? inner);
        if (passes) at.warn('except', message, 'It covers the whole block, so the rule selects nothing.');
        else at.fail('except', message);
      }),
    );
  });
}

/** Checks an item of matchExpressions as Kubernetes does. */
export function checkRequirement({ operator, values }: Requirement, at: Cursor): void {
  const count = values?.length ?? 0;
  if ((operator === 'In' || operator === 'NotIn') && count === 0)
    at.fail('selector', `invalid label selector: values must be specified when operator is ${operator}`);
  if ((operator === 'Exists' || operator === 'DoesNotExist') && count > 0)
    at.fail(
      'selector',
      `invalid label selector: values may not be specified when operator is ${operator}`,
      undefined,
      ['values'],
    );
}
