import { parseAddress, withoutZone } from './address.ts';

/** Why Go's netip.ParsePrefix refuses a text that is not a prefix, in its words: the agent shows them. */
export function prefixFault(text: string): string {
  const at = text.lastIndexOf('/');
  const address = text.slice(0, at);
  const length = text.slice(at + 1);
  return `netip.ParsePrefix(${JSON.stringify(text)}): ${fault()}`;

  function fault(): string {
    if (at < 0) return "no '/'";
    if (!parseAddress(withoutZone(address))) return addressFault(address);
    if (address.includes('%')) return 'IPv6 zones cannot be present in a prefix';
    if (!/^(0|[1-9]\d{0,2})$/.test(length)) return `bad bits after slash: ${JSON.stringify(length)}`;
    return 'prefix length out of range';
  }
}

/** Why Go's netip.ParseAddr refuses a text that is not an address, in its words. */
export function addressFault(text: string): string {
  return `ParseAddr(${JSON.stringify(text)}): ${faultOf(text) ?? 'unable to parse IP'}`;
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
  return `${why} (at ${JSON.stringify(rest)})`;
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

function ipv6Fault(text: string): string | undefined {
  const zone = text.indexOf('%');
  if (zone === text.length - 1) return 'zone must be a non-empty string';
  const body = zone === -1 ? text : text.slice(0, zone);
  const halves = body.split('::');
  if (halves.length > 2) return at('multiple :: in address', body.slice(body.lastIndexOf('::')));
  let words = 0;
  for (const half of halves) {
    const parts = half === '' ? [] : half.split(':');
    for (const [i, part] of parts.entries()) {
      const dotted = part.includes('.') && i === parts.length - 1;
      const fault = dotted ? ipv4Fault(part) : wordFault(part, half);
      if (fault) return fault;
      words += dotted ? 2 : 1;
    }
  }
  if (halves.length === 1 && words < 8) return 'address string too short';
  return words > (halves.length === 1 ? 8 : 7) ? 'trailing garbage after address' : undefined;
}

function wordFault(word: string, half: string): string | undefined {
  if (word === '') return at('each colon-separated field must have at least one digit', half);
  if (!/^[0-9a-fA-F]+$/.test(word)) return at('unexpected character', word);
  return word.length > 4 ? at('IPv6 field has value >=2^16', word) : undefined;
}
