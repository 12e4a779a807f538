/** The commands of ip that make a link again. */

import { isRecord } from '../../lib/record.ts';
import type { LinkEnd, Restore } from '../../model/cleanup.ts';
import type { IpAddress, IpLink, IpNeighbour } from '../../model/ip.ts';

/** A link with its pair, as undo is told. */
export type LinkRecord = Extract<Restore, { bring: 'link' }>;

/** Flags that `ip link` sets, with the words for on and off. */
export const FLAG_WORDS: readonly [flag: string, word: string, on: boolean][] = [
  ['NOARP', 'arp', false],
  ['MULTICAST', 'multicast', true],
  ['ALLMULTI', 'allmulticast', true],
  ['PROMISC', 'promisc', true],
];

const ADDRESS_FLAGS = ['noprefixroute', 'nodad', 'home', 'mngtmpaddr', 'autojoin'];

/** What the kernel gives a tunnel that takes its ends from the packets. */
const TUNNEL_DEFAULTS: Readonly<Record<string, unknown>> = {
  id: 0,
  learning: false,
  ttl: 0,
  tos: 0,
  df: 'unset',
  ageing: 300,
  label: 0,
};

/** Words for the data of a tunnel; undefined when something of it cannot be written. */
export function tunnelWords(kind: string, data: Readonly<Record<string, unknown>>): string[] | undefined {
  if (data.external !== true) return undefined;
  const words = ['external'];
  for (const [name, value] of Object.entries(data)) {
    const [off, on] = [value === false ? 'no' : '', value === true ? '' : 'no'];
    if (name === 'external') continue;
    if (name === 'port' && Number.isInteger(value)) words.push('dstport', String(value));
    else if (name === 'port_range' && kind === 'vxlan' && isRange(value))
      words.push(...(value.high === 0 ? [] : ['srcport', String(value.low), String(value.high)]));
    else if (name === 'udp_csum' && typeof value === 'boolean') words.push(`${off}udpcsum`);
    else if (name === 'udp_zero_csum6_tx' && typeof value === 'boolean') words.push(`${on}udp6zerocsumtx`);
    else if (name === 'udp_zero_csum6_rx' && typeof value === 'boolean') words.push(`${on}udp6zerocsumrx`);
    else if (TUNNEL_DEFAULTS[name] !== value) return undefined;
  }
  return words;
}

function isRange(value: unknown): value is { low: number; high: number } {
  return isRecord(value) && Number.isInteger(value.low) && Number.isInteger(value.high);
}

/** Whether a kind of links takes the words of a tunnel. */
export function isTunnel(kind: string): boolean {
  return kind === 'vxlan' || kind === 'geneve';
}

/** Words that make a link, up to its type; the index is left out when another link has it by now. */
function endWords(link: IpLink, taken: ReadonlySet<number>): string[] {
  const { address, mtu, txqlen, group } = link;
  const flags = new Set(link.flags);
  return [
    ...(taken.has(link.ifindex) ? [] : ['index', String(link.ifindex)]),
    ...['name', link.ifname],
    ...(address === undefined ? [] : ['address', address]),
    ...(mtu === undefined ? [] : ['mtu', String(mtu)]),
    ...(typeof txqlen === 'number' ? ['txqueuelen', String(txqlen)] : []),
    ...(typeof group === 'string' && group !== 'default' ? ['group', group] : []),
    ...FLAG_WORDS.flatMap(([flag, word, on]) => [word, flags.has(flag) === on ? 'on' : 'off']),
  ];
}

/** The command that makes a link, and its pair. */
export function createCommand(ends: readonly LinkEnd[], taken: ReadonlySet<number>): string[] {
  const [{ link }, peer] = ends as [LinkEnd, LinkEnd | undefined];
  const kind = link.linkinfo?.info_kind ?? '';
  const type = peer
    ? ['veth', 'peer', ...endWords(peer.link, taken)]
    : [kind, ...(tunnelWords(kind, link.linkinfo?.info_data ?? {}) ?? [])];
  return ['ip', 'link', 'add', ...endWords(link, taken), 'type', ...type];
}

/** What cannot be said when a link is made: its alias, how it gets its addresses, and that it is up. */
export function finishCommands({ link }: LinkEnd): string[][] {
  const set = (...words: string[]) => ['ip', 'link', 'set', 'dev', link.ifname, ...words];
  const mode = link.inet6_addr_gen_mode;
  return [
    ...(link.ifalias === undefined ? [] : [set('alias', link.ifalias)]),
    ...(typeof mode === 'string' && mode !== 'eui64' ? [set('addrgenmode', mode)] : []),
    ...(link.flags?.includes('UP') ? [set('up')] : []),
  ];
}

/** The command that gives a link an address. */
export function addressCommand(address: IpAddress, device: string): string[] {
  const { local, prefixlen, address: peer, broadcast, scope, label } = address;
  return [
    ...['ip', 'addr', 'add'],
    ...(peer === undefined ? [`${local}/${prefixlen}`] : [local, 'peer', `${peer}/${prefixlen}`]),
    ...['dev', device],
    ...(typeof broadcast === 'string' ? ['broadcast', broadcast] : []),
    ...(scope === undefined ? [] : ['scope', scope]),
    ...(typeof label === 'string' && label !== device ? ['label', label] : []),
    ...(typeof address.protocol === 'string' ? ['proto', address.protocol] : []),
    ...(typeof address.metric === 'number' ? ['metric', String(address.metric)] : []),
    ...(address.preferred_life_time === 0 ? ['valid_lft', 'forever', 'preferred_lft', '0'] : []),
    ...ADDRESS_FLAGS.filter((flag) => address[flag] === true),
  ];
}

/** The command that adds a permanent neighbour. */
export function neighbourCommand({ dst, dev, lladdr = '' }: IpNeighbour): string[] {
  return ['ip', 'neigh', 'add', dst, 'lladdr', lladdr, 'dev', dev, 'nud', 'permanent'];
}

/** The commands that would make links again. */
export function linkCommands({ ends }: LinkRecord): string[][] {
  return [
    createCommand(ends, new Set()),
    ...ends.flatMap(finishCommands),
    ...ends.flatMap(({ link }) =>
      (link.addr_info ?? []).map((address) => addressCommand(address, link.ifname)),
    ),
    ...ends.flatMap(({ neighbours }) => neighbours.map(neighbourCommand)),
  ];
}
