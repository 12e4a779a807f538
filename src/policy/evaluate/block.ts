import { parseAddress, parsePrefix, widthOf } from '../language/cidr.ts';

/** An IP prefix as the range of addresses that it stands for. */
export interface Block {
  v6: boolean;
  first: bigint;
  last: bigint;
  length: number;
}

/** Parses `10.0.0.0/8`, `fd00::/8` or a single address. Host bits are ignored. Undefined when it is neither. */
export function blockOf(text: string): Block | undefined {
  try {
    const { family, address, bits } = text.includes('/')
      ? parsePrefix(text)
      : { ...parseAddress(text), bits: undefined };
    return blockAt(family === 6, address, bits ?? widthOf(family));
  } catch {
    return undefined;
  }
}

/** The prefix in a `cidr:` label's key, where `-` stands for the colons of IPv6. */
export function blockOfLabel(key: string): Block | undefined {
  return blockOf(key.includes('-') ? key.replaceAll('-', ':') : key);
}

/** Every address of `inner` lies in `outer`. */
export function contains(outer: Block, inner: Block): boolean {
  return outer.v6 === inner.v6 && outer.first <= inner.first && inner.last <= outer.last;
}

/** The largest prefixes that cover `outer` without the `holes`, ascending. */
export function without(outer: Block, holes: readonly Block[]): Block[] {
  const inside = holes.filter((hole) => contains(outer, hole) || contains(hole, outer));
  if (inside.some((hole) => contains(hole, outer))) return [];
  if (inside.length === 0) return [outer];
  const [low, high] = halves(outer);
  return [...without(low, inside), ...without(high, inside)];
}

function halves(block: Block): [Block, Block] {
  const length = block.length + 1;
  const size = block.v6 ? 128 : 32;
  return [
    blockAt(block.v6, block.first, length),
    blockAt(block.v6, block.first | (1n << BigInt(size - length)), length),
  ];
}

function blockAt(v6: boolean, address: bigint, length: number): Block {
  const rest = (1n << BigInt((v6 ? 128 : 32) - length)) - 1n;
  return { v6, first: address & ~rest, last: address | rest, length };
}

/** Address text of a prefix's first address, in the shortest usual form. */
export function formatBlock({ first, v6, length }: Block): string {
  return `${formatAddress(first, v6)}/${length}`;
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
