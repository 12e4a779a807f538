import type { Item, LinkEnd } from '../../model/cleanup.ts';
import type { IpLink } from '../../model/ip.ts';
import type { NodeState } from '../state/state.ts';
import type { LinkRecord } from './link-commands.ts';
import { formOf, isOwnLinkRecord } from './link-record.ts';
import { command, isOwnLink, isOwnProgram, isPodLink, OWN_NETNS } from './own.ts';
import { routesInTheWay } from './routes.ts';

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
      ...state.linksUnknown.map((what) => `its ${what} could not be read`),
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
