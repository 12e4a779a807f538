import { derivedNumber } from '../derive.ts';
import type { World } from './world.ts';

/** Numbers that the datapath knows nodes by, with their addresses. */
export function nodeIds({ nodes }: World): { id: number; ips: string[] }[] {
  return nodes.map((node) => ({
    id: 1 + derivedNumber(65_534, 'node id', node.name),
    ips: [node.ipv4, node.ipv6, node.router.ipv4, node.router.ipv6].filter((ip) => ip !== undefined),
  }));
}
