/** What undo is told of a link, and whether all of it can be written. */

import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../../lib/record.ts';
import type { LinkEnd } from '../../model/cleanup.ts';
import type { IpAddress, IpLink, IpNeighbour } from '../../model/ip.ts';
import { FLAG_WORDS, isTunnel, type LinkRecord, tunnelWords } from './link-commands.ts';
import { isOwnLink } from './own.ts';

/** Flags that follow from the device and its other end, and those that come with `up`. */
const PASSING_FLAGS = new Set(['LOWER_UP', 'NO-CARRIER', 'DORMANT', 'M-DOWN', 'LOOPBACK', 'POINTOPOINT']);
/** What of a link undo makes again and compares. */
export function formOf(link: IpLink): IpLink {
  const { ifindex, ifname, address, mtu, flags = [], ifalias, linkinfo, addr_info = [] } = link;
  return {
    ifindex,
    ifname,
    ...(address !== undefined && { address }),
    ...(mtu !== undefined && { mtu }),
    ...(typeof link.txqlen === 'number' && { txqlen: link.txqlen }),
    ...(typeof link.group === 'string' && { group: link.group }),
    ...(typeof link.inet6_addr_gen_mode === 'string' && { inet6_addr_gen_mode: link.inet6_addr_gen_mode }),
    flags: flags.filter((flag) => !PASSING_FLAGS.has(flag)).toSorted(),
    ...(ifalias !== undefined && { ifalias }),
    ...(linkinfo && {
      linkinfo: {
        ...(linkinfo.info_kind !== undefined && { info_kind: linkinfo.info_kind }),
        ...(linkinfo.info_data && { info_data: linkinfo.info_data }),
      },
    }),
    addr_info: addr_info.filter((each) => !isMadeByKernel(each)).map(addressForm),
  };
}

/** The kernel makes the link-local address of a link anew, from the same hardware address. */
function isMadeByKernel({ family, local, scope }: IpAddress): boolean {
  return family === 'inet6' && scope === 'link' && local.startsWith('fe80:');
}

/** An address without what says how far its check for duplicates is. */
function addressForm({ tentative: _, dadfailed: __, ...address }: IpAddress): IpAddress {
  return address as IpAddress;
}

const FLAGS = new Set(['BROADCAST', 'UP', 'SLAVE', ...FLAG_WORDS.map(([flag]) => flag)]);
const FOREVER = 0xffffffff;
const ADDRESS_FIELDS = new Set(
  'family local address prefixlen broadcast scope label secondary noprefixroute nodad home mngtmpaddr autojoin valid_life_time preferred_life_time protocol metric'.split(
    ' ',
  ),
);
const NEIGHBOUR_FIELDS = new Set(['dst', 'dev', 'lladdr', 'state']);
const WORD = /^[\w.:/+@-]+$/;

/** Whether a recorded link is one that cleanup removes and that can be written in full. */
export function isOwnLinkRecord({ ends }: LinkRecord): boolean {
  if (!Array.isArray(ends) || ends.length === 0 || ends.length > 2) return false;
  if (!ends.every((end) => isRecord(end) && isRecord(end.link) && Array.isArray(end.neighbours)))
    return false;
  const kinds = ends.map(({ link }) => link.linkinfo?.info_kind);
  const [first, second] = ends;
  if (second ? kinds.some((kind) => kind !== 'veth') : kinds[0] === 'veth') return false;
  if (second && (first?.link.ifname !== 'cilium_host' || second.link.ifname !== 'cilium_net')) return false;
  return ends.every((end) => isWritableEnd(end));
}

function isWritableEnd({ link, neighbours }: LinkEnd): boolean {
  const kind = link.linkinfo?.info_kind ?? '';
  const data = link.linkinfo?.info_data;
  const texts = [link.address, link.group, link.inet6_addr_gen_mode].filter((value) => value !== undefined);
  return (
    Number.isInteger(link.ifindex) &&
    isOwnLink(link) &&
    (kind === 'veth' || (data !== undefined && isTunnel(kind) && tunnelWords(kind, data) !== undefined)) &&
    texts.every((value) => typeof value === 'string' && WORD.test(value)) &&
    [link.mtu, link.txqlen].every((value) => value === undefined || Number.isInteger(value)) &&
    (link.ifalias === undefined || /^[^\n\0-][^\n\0]*$/.test(link.ifalias)) &&
    Array.isArray(link.flags) &&
    link.flags.every((flag) => FLAGS.has(flag)) &&
    Array.isArray(link.addr_info) &&
    link.addr_info.every(isWritableAddress) &&
    neighbours.every(isWritableNeighbour)
  );
}

function isWritableAddress(address: IpAddress): boolean {
  const { valid_life_time: valid = FOREVER, preferred_life_time: preferred = FOREVER } = address;
  const texts = [address.local, address.address, address.broadcast, address.scope, address.label];
  return (
    Object.keys(address).every((field) => ADDRESS_FIELDS.has(field)) &&
    valid === FOREVER &&
    (preferred === FOREVER || preferred === 0) &&
    Number.isInteger(address.prefixlen) &&
    texts.every((value) => value === undefined || (typeof value === 'string' && WORD.test(value)))
  );
}

function isWritableNeighbour(entry: IpNeighbour): boolean {
  return (
    Object.keys(entry).every((field) => NEIGHBOUR_FIELDS.has(field)) &&
    isDeepStrictEqual(entry.state, ['PERMANENT']) &&
    [entry.dst, entry.dev, entry.lladdr].every((value) => typeof value === 'string' && WORD.test(value))
  );
}
