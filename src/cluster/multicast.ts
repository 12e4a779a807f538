import { parseAddress } from '../lib/address.ts';

/** The multicast groups of a node. */
export interface NodeGroups {
  node: string;
  groups: string[] | null;
}

/** An address that gets what is sent to a group. */
export interface Subscriber {
  SAddr: string;
  Ifindex: number;
  IsRemote: boolean;
}

/** A group with its subscribers; the names are those of the agent's JSON. */
export interface GroupSubscribers {
  group_address: string;
  subscribers: Subscriber[] | null;
}

/** The same of a node. */
export interface NodeSubscribers {
  node: string;
  groups: GroupSubscribers[] | null;
}

/** What the agent's own command line says where a group is not there, and where something is there already. */
export const IS_MISSING = /does not exist|no such group/i;
export const IS_THERE = /already exists|is already/i;

/** Whether a word is the address of an IPv4 multicast group. */
export function isGroup(text: string): boolean {
  return parseAddress(text)?.family === 4 && /^2(?:2[4-9]|3\d)\./.test(text);
}

/** The address that agents of other nodes send to: the last one of IPv4, as the reference takes it. */
export function internalAddress(addresses: readonly { type?: string; ip?: string }[]): string | undefined {
  return addresses
    .filter(({ type, ip = '' }) => type === 'CiliumInternalIP' && parseAddress(ip)?.family === 4)
    .at(-1)?.ip;
}
