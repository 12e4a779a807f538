/** An address block: the bits of its address as one number, without those beyond the prefix unless `parse` kept them. */
export interface Prefix {
  family: 4 | 6;
  address: bigint;
  bits: number;
}

/** Parses `address/bits`. Throws an Error in the words of Go's netip package, which the agent shows. */
export function parsePrefix(text: string): Prefix {
  const at = text.lastIndexOf('/');
  const quoted = JSON.stringify(text);
  if (at < 0) throw new Error(`netip.ParsePrefix(${quoted}): no '/'`);
  let address: ReturnType<typeof parseAddress>;
  try {
    address = parseAddress(text.slice(0, at));
  } catch (error) {
    throw new Error(`netip.ParsePrefix(${quoted}): ${error instanceof Error ? error.message : error}`);
  }
  if (text.slice(0, at).includes('%'))
    throw new Error(`netip.ParsePrefix(${quoted}): IPv6 zones cannot be present in a prefix`);
  const length = text.slice(at + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(length))
    throw new Error(`netip.ParsePrefix(${quoted}): bad bits after slash: ${JSON.stringify(length)}`);
  const bits = Number(length);
  if (bits > widthOf(address.family))
    throw new Error(`netip.ParsePrefix(${quoted}): prefix length out of range`);
  return { ...address, bits };
}

/** Parses an address. Throws an Error in the words of Go's netip package. */
export function parseAddress(text: string): { family: 4 | 6; address: bigint } {
  const wrong = (why: string, rest?: string) =>
    new Error(
      `ParseAddr(${JSON.stringify(text)}): ${why}${rest === undefined ? '' : ` (at ${JSON.stringify(rest)})`}`,
    );
  for (const c of text) {
    if (c === '.') return { family: 4, address: parseIPv4(text, wrong) };
    if (c === ':') return { family: 6, address: parseIPv6(text, wrong) };
    if (c === '%') throw wrong('missing IPv6 address');
  }
  throw wrong('unable to parse IP');
}

type Wrong = (why: string, rest?: string) => Error;

function parseIPv4(text: string, wrong: Wrong): bigint {
  let address = 0n;
  let octets = 0;
  let value = 0;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c >= '0' && c <= '9') {
      if (digits === 1 && value === 0) throw wrong('IPv4 field has octet with leading zero');
      value = value * 10 + Number(c);
      digits++;
      if (value > 255) throw wrong('IPv4 field has value >255');
    } else if (c === '.') {
      if (i === 0 || i === text.length - 1 || text[i - 1] === '.')
        throw wrong('IPv4 field must have at least one digit', text.slice(i));
      if (octets === 3) throw wrong('IPv4 address too long');
      address = (address << 8n) | BigInt(value);
      octets++;
      value = 0;
      digits = 0;
    } else throw wrong('unexpected character', text.slice(i));
  }
  if (octets < 3) throw wrong('IPv4 address too short');
  return (address << 8n) | BigInt(value);
}

function parseIPv6(text: string, wrong: Wrong): bigint {
  const zone = text.indexOf('%');
  if (zone === text.length - 1) throw wrong('zone must be a non-empty string');
  const body = zone === -1 ? text : text.slice(0, zone);
  const halves = body.split('::');
  if (halves.length > 2) throw wrong('multiple :: in address', body.slice(body.lastIndexOf('::')));
  const groups = halves.map((half) => (half === '' ? [] : groupsOf(half, wrong)));
  const given = groups.flat();
  if (halves.length === 1 && given.length < 8) throw wrong('address string too short');
  if (given.length > (halves.length === 1 ? 8 : 7)) throw wrong('trailing garbage after address');
  const [head = [], tail = []] = groups;
  const all = [...head, ...Array<number>(8 - given.length).fill(0), ...tail];
  return all.reduce((address, group) => (address << 16n) | BigInt(group), 0n);
}

function groupsOf(half: string, wrong: Wrong): number[] {
  const parts = half.split(':');
  const groups: number[] = [];
  parts.forEach((part, i) => {
    if (part.includes('.') && i === parts.length - 1) {
      const address = parseIPv4(part, wrong);
      groups.push(Number(address >> 16n), Number(address & 0xffffn));
    } else if (part === '') throw wrong('each colon-separated field must have at least one digit', half);
    else if (!/^[0-9a-fA-F]+$/.test(part)) throw wrong('unexpected character', part);
    else if (part.length > 4) throw wrong('IPv6 field has value >=2^16', part);
    else groups.push(Number.parseInt(part, 16));
  });
  return groups;
}

/** Bits of an address: 32 or 128. */
export function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** True when every address of `inner` lies in `outer`. */
export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || inner.bits < outer.bits) return false;
  const shift = BigInt(widthOf(outer.family) - outer.bits);
  return outer.address >> shift === inner.address >> shift;
}

/** True when the address part has bits beyond the prefix (`10.0.0.1/8`). */
export function hasHostBits({ family, address, bits }: Prefix): boolean {
  return (address & ((1n << BigInt(widthOf(family) - bits)) - 1n)) !== 0n;
}
