import { formatAddress, parsePrefix, rangeAt, WIDTH } from '../../lib/address.ts';
import type { LabState } from '../state/state.ts';
import type { World } from './world.ts';

/** Addresses of this node's pods and services, with the owner of each. */
export function takenAddresses(
  state: Pick<LabState, 'endpoints' | 'ipam'>,
  world: Pick<World, 'self'>,
): Map<string, string> {
  const taken = new Map<string, string>();
  const add = (owner: string, addresses: (string | undefined)[]) => {
    for (const address of addresses) if (address !== undefined) taken.set(address, owner);
  };
  const { router, healthEndpoint } = world.self;
  add('router', [router.ipv4, router.ipv6]);
  add('health', [healthEndpoint.ipv4, healthEndpoint.ipv6]);
  for (const endpoint of state.endpoints)
    if (endpoint.kind === 'pod') add(endpoint.pod, [endpoint.ipv4, endpoint.ipv6]);
  for (const [address, owner] of Object.entries(state.ipam)) taken.set(address, owner);
  return taken;
}

/** The lowest free address of a prefix. */
export function freeAddress(cidr: string, taken: ReadonlyMap<string, string>): string | undefined {
  const prefix = parsePrefix(cidr);
  if (!prefix) return undefined;
  const { family, first } = prefix;
  const room = 2n ** BigInt(Math.min(WIDTH[family] - prefix.length, 20)) - 1n;
  for (let offset = 1n; offset < room; offset++) {
    const address = formatAddress(rangeAt(family, first + offset, WIDTH[family]));
    if (!taken.has(address)) return address;
  }
  return undefined;
}
