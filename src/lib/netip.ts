import { parseAddress, withoutZone } from './address.ts';
import { goQuote } from './go-quote.ts';

/** The largest number that Go's Atoi reads. */
const LARGEST = 2n ** 63n - 1n;

/** Why Go's netip.ParsePrefix refuses a text that is not a prefix, in its words: the agent shows them. */
export function prefixFault(text: string): string {
  const at = text.lastIndexOf('/');
  const address = text.slice(0, at);
  const length = text.slice(at + 1);
  return `netip.ParsePrefix(${goQuote(text)}): ${fault()}`;

  function fault(): string {
    if (at < 0) return "no '/'";
    if (!parseAddress(withoutZone(address))) return addressFault(address);
    if (address.includes('%')) return 'IPv6 zones cannot be present in a prefix';
    if (!/^(0|[1-9]\d{0,18})$/.test(length) || BigInt(length) > LARGEST)
      return `bad bits after slash: ${goQuote(length)}`;
    return 'prefix length out of range';
  }
}

/** Why Go's netip.ParseAddr refuses a text that is not an address, in its words. */
export function addressFault(text: string): string {
  return `ParseAddr(${goQuote(text)}): ${faultOf(text) ?? 'unable to parse IP'}`;
}

function faultOf(text: string): string | undefined {
  switch (/[.:%]/.exec(text)?.[0]) {
    case '.':
      return ipv4Fault(text);
    case ':':
      return ipv6Fault(text);
    case '%':
      return 'missing IPv6 address';
  }
  return undefined;
}

function at(why: string, rest: string): string {
  return `${why} (at ${goQuote(rest)})`;
}

function ipv4Fault(text: string): string | undefined {
  let dots = 0;
  let digits = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (/\d/.test(c)) {
      if (digits === '0') return 'IPv4 field has octet with leading zero';
      digits += c;
      if (Number(digits) > 255) return 'IPv4 field has value >255';
    } else if (c !== '.') return at('unexpected character', text.slice(i));
    else if (digits === '' || i === text.length - 1)
      return at('IPv4 field must have at least one digit', text.slice(i));
    else if (dots === 3) return 'IPv4 address too long';
    else {
      dots++;
      digits = '';
    }
  }
  return dots < 3 ? 'IPv4 address too short' : undefined;
}

/** Groups of an address. */
const GROUPS = 8;

function ipv6Fault(text: string): string | undefined {
  const zone = text.indexOf('%');
  if (zone === text.length - 1) return 'zone must be a non-empty string';
  let rest = zone === -1 ? text : text.slice(0, zone);
  let groups = 0;
  let hasGap = rest.startsWith('::');
  if (hasGap) rest = rest.slice(2);
  if (rest === '') return undefined;
  while (groups < GROUPS && rest !== '') {
    const [digits = ''] = /^[0-9a-fA-F]*/.exec(rest) ?? [];
    if (digits.length > 4) return at('each group must have 4 or less digits', rest);
    if (digits === '') return at('each colon-separated field must have at least one digit', rest);
    const behind = rest.slice(digits.length);
    if (behind.startsWith('.')) {
      const fault = embeddedFault(rest, groups, hasGap);
      if (fault) return fault;
      groups += 2;
      rest = '';
      break;
    }
    groups++;
    if (behind !== '' && !behind.startsWith(':')) return at('unexpected character, want colon', behind);
    if (behind === ':') return at('colon must be followed by more characters', behind);
    rest = behind.slice(1);
    if (!rest.startsWith(':')) continue;
    if (hasGap) return at('multiple :: in address', rest);
    hasGap = true;
    rest = rest.slice(1);
  }
  if (rest !== '') return at('trailing garbage after address', rest);
  if (groups < GROUPS) return hasGap ? undefined : 'address string too short';
  return hasGap ? 'the :: must expand to at least one field of zeros' : undefined;
}

/** What is wrong with an IPv4 address at the end of an IPv6 one. */
function embeddedFault(rest: string, groups: number, hasGap: boolean): string | undefined {
  if (!hasGap && groups !== GROUPS - 2)
    return at('embedded IPv4 address must replace the final 2 fields of the address', rest);
  if (groups > GROUPS - 2)
    return at('too many hex fields to fit an embedded IPv4 at the end of the address', rest);
  return ipv4Fault(rest);
}
