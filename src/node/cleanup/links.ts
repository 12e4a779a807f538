import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import type { Item, LinkEnd, Restore } from '../../model/cleanup.ts';
import type { IpAddress, IpLink, IpNeighbour } from '../../model/ip.ts';
import { NEIGHBOUR } from '../state/forms.ts';
import { PERMANENT_NEIGHBOURS, readLinks } from '../state/read.ts';
import { listFrom, type Run } from '../state/run.ts';
import type { NodeState } from '../state/state.ts';
import { mustRun } from './must-run.ts';
import { command, isOwnLink, isOwnProgram, isPodLink, OWN_NETNS } from './own.ts';
import { routesInTheWay } from './routes.ts';

type LinkRecord = Extract<Restore, { bring: 'link' }>;

/** Links and network namespaces. */
export function linkItems(state: NodeState): Item[] {
  const items = ownLinks(state)
    .filter((link) => obstacles(link, state).length === 0)
    .map((link): Item => {
      const restore = recordOf(link, state);
      return {
        id: `link ${link.ifname}`,
        kind: 'link',
        what: `${link.ifname} (${link.linkinfo?.info_kind})`,
        why: isOwnLink(link)
          ? "it has the name and kind of Cilium's"
          : "it is the host's end of a pod's link",
        remove: [command(['ip', 'link', 'del', 'dev', link.ifname])],
        ...(restore && { restore: [restore] }),
      };
    });
  const spaces = state.netns
    .filter((name) => name === OWN_NETNS)
    .map(
      (name): Item => ({
        id: `netns ${name}`,
        kind: 'netns',
        what: `network namespace ${name}`,
        why: 'the health endpoint of older agents lives in it',
        remove: [command(['ip', 'netns', 'del', name])],
      }),
    );
  return [...items, ...spaces];
}

/** Links of Cilium that stay, because something of somebody else would go with them, and what is only named like it. */
export function linksLeft(state: NodeState): string[] {
  const kept = ownLinks(state).flatMap((link) =>
    [...new Set(obstacles(link, state))].map((why) => `link ${link.ifname}: ${why}`),
  );
  const others = state.links
    .filter((link) => /^cilium_|^lxc[0-9a-f]{8,}$/.test(link.ifname) && !isOwnLink(link) && !isPodLink(link))
    .map(
      ({ ifname, linkinfo }) =>
        `link ${ifname} (${linkinfo?.info_kind ?? 'device'}): not as Cilium makes its own`,
    );
  const spaces = state.netns
    .filter((name) => /^cilium[-_]/.test(name) && name !== OWN_NETNS)
    .map((name) => `network namespace ${name}: no release of Cilium makes one of this name`);
  return [...kept, ...others, ...spaces];
}

function ownLinks({ links }: NodeState): IpLink[] {
  return links.filter((link) => isOwnLink(link) || isPodLink(link));
}

/** What of somebody else would go with a link, or with both ends of its pair. */
function obstacles(link: IpLink, state: NodeState): string[] {
  const peer = peerOf(link, state.links);
  return [link, ...(peer ? [peer] : [])].flatMap((end) => {
    const { ifname, ifindex, master } = end;
    const foreign = (name: string) => !isOwnProgram(name);
    return [
      ...(master === undefined ? [] : [`it belongs to ${master}`]),
      ...(state.tcUnknown.includes(ifname) ? ['its tc filters could not be read'] : []),
      ...(state.bpfUnknown ? ['the BPF programs on it could not be read'] : []),
      ...state.links
        .filter((other) => other.link === ifname && end.link !== other.ifname)
        .map((other) => `${other.ifname} stands on it`),
      ...state.tcFilters
        .filter(({ device, programNames }) => device === ifname && programNames.every(foreign))
        .map(({ kind, pref }) => `a tc filter of somebody else is on it (${kind}, preference ${pref})`),
      ...state.bpfLinks
        .filter((each) => each.ifindex === ifindex && foreign(each.programName))
        .map(({ programName }) => `a program of somebody else is on it (${programName})`),
      ...state.xdpPrograms
        .filter((each) => each.device === ifname && foreign(each.programName))
        .map(({ programName }) => `an XDP program of somebody else is on it (${programName})`),
      ...routesInTheWay(state, ifname).map((route) => `undo could not bring back ${route}`),
    ];
  });
}

/** The other end of the host's pair, if it is in this network namespace. */
function peerOf(link: IpLink, links: readonly IpLink[]): IpLink | undefined {
  const names: Readonly<Record<string, string>> = { cilium_host: 'cilium_net', cilium_net: 'cilium_host' };
  const name = names[link.ifname];
  if (name === undefined || link.linkinfo?.info_kind !== 'veth' || link.link !== name) return undefined;
  return links.find((other) => other.ifname === name && other.link === link.ifname);
}

/**
 * The node's own links can be made again, as far as each of their fields can be written; a pod's link cannot, its other
 * end goes with it.
 */
function recordOf(link: IpLink, state: NodeState): LinkRecord | undefined {
  const peer = peerOf(link, state.links);
  if (link.linkinfo?.info_kind === 'veth' && !peer) return undefined;
  // The same for both ends, whichever comes first.
  const ends = [link, ...(peer ? [peer] : [])]
    .toSorted((a, b) => (a.ifname < b.ifname ? -1 : 1))
    .map(
      (end): LinkEnd => ({
        link: formOf(end),
        neighbours: state.neighbours.filter(({ dev }) => dev === end.ifname),
      }),
    );
  const record: LinkRecord = { bring: 'link', ends };
  return isOwnLinkRecord(record) ? record : undefined;
}

/** Flags that follow from the device and its other end, and those that come with `up`. */
const PASSING_FLAGS = new Set(['LOWER_UP', 'NO-CARRIER', 'DORMANT', 'M-DOWN', 'LOOPBACK', 'POINTOPOINT']);
/** Flags that `ip link` sets, with the words for on and off. */
const FLAG_WORDS: readonly [flag: string, word: string, on: boolean][] = [
  ['NOARP', 'arp', false],
  ['MULTICAST', 'multicast', true],
  ['ALLMULTI', 'allmulticast', true],
  ['PROMISC', 'promisc', true],
];

/** What of a link undo makes again and compares. */
function formOf(link: IpLink): IpLink {
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
const ADDRESS_FLAGS = ['noprefixroute', 'nodad', 'home', 'mngtmpaddr', 'autojoin'];
const NEIGHBOUR_FIELDS = new Set(['dst', 'dev', 'lladdr', 'state']);
const WORD = /^[\w.:/+@-]+$/;

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
function tunnelWords(kind: string, data: Readonly<Record<string, unknown>>): string[] | undefined {
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

function isTunnel(kind: string): boolean {
  return kind === 'vxlan' || kind === 'geneve';
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

function createCommand(ends: readonly LinkEnd[], taken: ReadonlySet<number>): string[] {
  const [{ link }, peer] = ends as [LinkEnd, LinkEnd | undefined];
  const kind = link.linkinfo?.info_kind ?? '';
  const type = peer
    ? ['veth', 'peer', ...endWords(peer.link, taken)]
    : [kind, ...(tunnelWords(kind, link.linkinfo?.info_data ?? {}) ?? [])];
  return ['ip', 'link', 'add', ...endWords(link, taken), 'type', ...type];
}

/** What cannot be said when a link is made: its alias, how it gets its addresses, and that it is up. */
function finishCommands({ link }: LinkEnd): string[][] {
  const set = (...words: string[]) => ['ip', 'link', 'set', 'dev', link.ifname, ...words];
  const mode = link.inet6_addr_gen_mode;
  return [
    ...(link.ifalias === undefined ? [] : [set('alias', link.ifalias)]),
    ...(typeof mode === 'string' && mode !== 'eui64' ? [set('addrgenmode', mode)] : []),
    ...(link.flags?.includes('UP') ? [set('up')] : []),
  ];
}

function addressCommand(address: IpAddress, device: string): string[] {
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

function neighbourCommand({ dst, dev, lladdr = '' }: IpNeighbour): string[] {
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

/**
 * Makes links again, unless links of their names stand. Those that stand in the same form were made by an undo that was
 * interrupted: they get what they lack. Those of another form, such as of a new agent, are left.
 */
export async function restoreLinks({ ends }: LinkRecord, run: Run): Promise<boolean> {
  const before = await currentLinks(run);
  const names = new Set(ends.map(({ link }) => link.ifname));
  const standing = before.filter(({ ifname }) => names.has(ifname));
  let changed = false;
  if (standing.length === 0) {
    const taken = new Set(before.map(({ ifindex }) => ifindex));
    await mustRun(run, createCommand(ends, taken));
    changed = true;
  } else if (!ends.every(({ link }) => standing.some((now) => isSame(link, now)))) return false;
  for (const { link, neighbours } of ends) {
    const now = (await currentLinks(run)).find(({ ifname }) => ifname === link.ifname);
    for (const words of finishCommands({ link, neighbours })) {
      if (isFinished(words, now)) continue;
      await mustRun(run, words);
      changed = true;
    }
    const has = now ? formOf(now).addr_info : undefined;
    for (const address of link.addr_info ?? []) {
      if (has?.some((each) => isDeepStrictEqual(each, address))) continue;
      await mustRun(run, addressCommand(address, link.ifname));
      changed = true;
    }
    if (await restoreNeighbours(neighbours, run)) changed = true;
  }
  const after = await currentLinks(run);
  const different = ends.filter(({ link }) => {
    const now = after.find(({ ifname }) => ifname === link.ifname);
    return !now || !isDeepStrictEqual(withoutIndex(formOf(now)), withoutIndex(link));
  });
  if (different.length > 0)
    throw new UserError(
      `${different.map(({ link }) => link.ifname).join(' and ')} came back in another form: compare "ip -d addr"`,
    );
  return changed;
}

/** Whether a link has what it was made with; the rest may be missing still. */
function isSame(wanted: IpLink, now: IpLink): boolean {
  const made = (link: IpLink) => {
    const {
      ifindex: _,
      addr_info: __,
      ifalias: ___,
      inet6_addr_gen_mode: ____,
      flags = [],
      ...form
    } = formOf(link);
    return { ...form, flags: flags.filter((flag) => flag !== 'UP') };
  };
  return isDeepStrictEqual(made(wanted), made(now));
}

function isFinished(words: readonly string[], now: IpLink | undefined): boolean {
  const [what, value] = words.slice(5);
  if (what === 'up') return now?.flags?.includes('UP') === true;
  return what === 'alias' ? now?.ifalias === value : now?.inet6_addr_gen_mode === value;
}

function withoutIndex({ ifindex: _, ...link }: IpLink): Omit<IpLink, 'ifindex'> {
  return link;
}

async function restoreNeighbours(entries: readonly IpNeighbour[], run: Run): Promise<boolean> {
  if (entries.length === 0) return false;
  const notes: string[] = [];
  const now = await listFrom<IpNeighbour>(run, PERMANENT_NEIGHBOURS, NEIGHBOUR, notes);
  const missing = entries.filter((entry) => !now.some((each) => isDeepStrictEqual(each, entry)));
  for (const entry of missing) await mustRun(run, neighbourCommand(entry));
  return missing.length > 0;
}

async function currentLinks(run: Run): Promise<IpLink[]> {
  const notes: string[] = [];
  const links = await readLinks(run, notes);
  if (notes.length > 0) throw new UserError(notes.join('; '));
  return links;
}
