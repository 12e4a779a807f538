import type { PortBlock } from './ports.ts';

/**
 * Protocol, port and significant port bits of a map entry in one number, which can be the key of a Map. 0 is any port of
 * any protocol.
 */
export type L4Key = number;

/** Any port of any protocol. */
export const ANY_L4: L4Key = 0;

/** The key of a protocol and a block of its ports. */
export function l4Key(protocol: number, { port, prefix }: PortBlock): L4Key {
  return protocol * 0x200000 + port * 32 + prefix;
}

/** Number of the protocol; 0 is any. */
export function protocolOf(key: L4Key): number {
  return Math.floor(key / 0x200000);
}

/** First port of the block. */
export function portOf(key: L4Key): number {
  return (key >> 5) & 0xffff;
}

/** Significant bits of the port: 0 is every port, 16 exactly one. */
export function prefixOf(key: L4Key): number {
  return key & 31;
}

/** Whether all traffic of `narrow` is also that of `key`. */
export function includesKey(key: L4Key, narrow: L4Key): boolean {
  if (key === ANY_L4) return true;
  if (narrow === ANY_L4 || protocolOf(key) !== protocolOf(narrow)) return false;
  const prefix = prefixOf(key);
  return prefixOf(narrow) >= prefix && (portOf(key) ^ portOf(narrow)) >> (16 - prefix) === 0;
}

/** Keys that include all traffic of `key` and more, narrowest first. */
export function broaderKeys(key: L4Key): L4Key[] {
  if (key === ANY_L4) return [];
  const protocol = protocolOf(key);
  const port = portOf(key);
  const keys: L4Key[] = [];
  for (let prefix = prefixOf(key) - 1; prefix >= 0; prefix--)
    keys.push(l4Key(protocol, { port: port & (0xffff << (16 - prefix)) & 0xffff, prefix }));
  keys.push(ANY_L4);
  return keys;
}
