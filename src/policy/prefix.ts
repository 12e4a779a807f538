/** An IP prefix as the range of addresses that it stands for. */
export interface Prefix {
  v6: boolean;
  first: bigint;
  last: bigint;
  length: number;
}

/** Parses `10.0.0.0/8`, `fd00::/8` or a single address. Host bits are ignored. Undefined when it is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const v6 = host.includes(':');
  const address = v6 ? parseV6(host) : parseV4(host);
  const size = v6 ? 128 : 32;
  const bits = slash < 0 ? String(size) : text.slice(slash + 1);
  if (address === undefined || !/^\d{1,3}$/.test(bits) || Number(bits) > size) return undefined;
  return prefixAt(v6, address, Number(bits));
}

/** The prefix in a `cidr:` label's key, where `-` stands for the colons of IPv6. */
export function parseCidrLabel(key: string): Prefix | undefined {
  return parsePrefix(key.includes('-') ? key.replaceAll('-', ':') : key);
}

/** Every address of `inner` lies in `outer`. */
export function contains(outer: Prefix, inner: Prefix): boolean {
  return outer.v6 === inner.v6 && outer.first <= inner.first && inner.last <= outer.last;
}

/** The largest prefixes that cover `outer` without the `holes`, ascending. */
export function without(outer: Prefix, holes: readonly Prefix[]): Prefix[] {
  const inside = holes.filter((hole) => contains(outer, hole) || contains(hole, outer));
  if (inside.some((hole) => contains(hole, outer))) return [];
  if (inside.length === 0) return [outer];
  const [low, high] = halves(outer);
  return [...without(low, inside), ...without(high, inside)];
}

function halves(prefix: Prefix): [Prefix, Prefix] {
  const length = prefix.length + 1;
  const size = prefix.v6 ? 128 : 32;
  return [
    prefixAt(prefix.v6, prefix.first, length),
    prefixAt(prefix.v6, prefix.first | (1n << BigInt(size - length)), length),
  ];
}

function prefixAt(v6: boolean, address: bigint, length: number): Prefix {
  const rest = (1n << BigInt((v6 ? 128 : 32) - length)) - 1n;
  return { v6, first: address & ~rest, last: address | rest, length };
}

function parseV4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let value = 0n;
  for (const part of match.slice(1)) {
    if (Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseV6(text: string): bigint | undefined {
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const [head, tail] = sides.map((side) => (side === '' ? [] : side.split(':')));
  const groups = head ?? [];
  const last = (tail ?? groups).at(-1);
  if (last?.includes('.')) {
    const v4 = parseV4(last);
    if (v4 === undefined) return undefined;
    (tail ?? groups).splice(-1, 1, (v4 >> 16n).toString(16), (v4 & 0xffffn).toString(16));
  }
  const missing = 8 - groups.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 0) return undefined;
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? [])];
  let value = 0n;
  for (const group of all) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return value;
}

/** Address text of a prefix's first address, in the shortest usual form. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.first, prefix.v6)}/${prefix.length}`;
}

function formatAddress(address: bigint, v6: boolean): string {
  if (!v6) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((address >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  const runs = [...groups.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)];
  const longest = runs.sort((a, b) => b[0].length - a[0].length)[0];
  if (!longest) return groups.join(':');
  const text = groups.join(':');
  const before = text.slice(0, longest.index);
  const after = text.slice(longest.index + longest[0].length);
  return `${before}::${after.replace(/^:/, '')}`;
}
