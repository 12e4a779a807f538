import type { Action, Item } from '../../model/cleanup.ts';
import type { IpLink, NodeState } from '../state/state.ts';
import { command, OWN_LINK, POD_LINK } from './own.ts';

/** A link of another kind that has the name is somebody else's. */
const OWN_LINK_KINDS = new Set([
  'veth',
  'netkit',
  'vxlan',
  'geneve',
  'wireguard',
  'ipip',
  'ip6tnl',
  'dummy',
  'ifb',
]);

/** Links and network namespaces. */
export function linkItems({ links, netns }: NodeState): Item[] {
  const own = links.filter(
    ({ ifname, linkinfo }) =>
      OWN_LINK_KINDS.has(linkinfo?.info_kind ?? '') && (OWN_LINK.test(ifname) || POD_LINK.test(ifname)),
  );
  const items = own.map((link): Item => {
    const restore = restoreLink(link, links);
    return {
      id: `link ${link.ifname}`,
      kind: 'link',
      what: `${link.ifname} (${link.linkinfo?.info_kind})`,
      why: OWN_LINK.test(link.ifname)
        ? 'its name starts with cilium'
        : "it is the host's end of a pod's link",
      remove: [command(['ip', 'link', 'del', 'dev', link.ifname])],
      ...(restore && { restore }),
    };
  });
  const spaces = netns
    .filter((name) => /^cilium(?:-|_|$)/.test(name))
    .map(
      (name): Item => ({
        id: `netns ${name}`,
        kind: 'netns',
        what: `network namespace ${name}`,
        why: 'its name starts with cilium',
        remove: [command(['ip', 'netns', 'del', name])],
      }),
    );
  return [...items, ...spaces];
}

/** The node's own links can be made again; a pod's link cannot, its other end goes with it. */
function restoreLink(link: IpLink, links: readonly IpLink[]): Action[] | undefined {
  const kind = link.linkinfo?.info_kind;
  const up = [
    ...(link.addr_info ?? [])
      .filter(({ scope, local }) => scope !== 'link' || !local.startsWith('fe80:'))
      .map(({ local, prefixlen, scope }) =>
        command([
          'ip',
          'addr',
          'replace',
          `${local}/${prefixlen}`,
          'dev',
          link.ifname,
          ...(scope ? ['scope', scope] : []),
        ]),
      ),
    command([
      ...['ip', 'link', 'set', 'dev', link.ifname],
      ...(link.mtu ? ['mtu', String(link.mtu)] : []),
      ...(link.flags?.includes('NOARP') ? ['arp', 'off'] : []),
      'up',
    ]),
  ];
  const address = link.address ? ['address', link.address] : [];
  if (link.ifname === 'cilium_host' && kind === 'veth') {
    const peer = links.find(({ ifname }) => ifname === 'cilium_net');
    const peerAddress = peer?.address ? ['address', peer.address] : [];
    return [
      command([
        'ip',
        'link',
        'add',
        'name',
        'cilium_host',
        ...address,
        'type',
        'veth',
        'peer',
        'name',
        'cilium_net',
        ...peerAddress,
      ]),
      ...up,
    ];
  }
  if (link.ifname === 'cilium_net' && kind === 'veth') return up;
  const data = link.linkinfo?.info_data ?? {};
  if ((kind === 'vxlan' || kind === 'geneve') && data.external === true) {
    const port = typeof data.port === 'number' ? ['dstport', String(data.port)] : [];
    return [
      command(['ip', 'link', 'add', 'name', link.ifname, ...address, 'type', kind, ...port, 'external']),
      ...up,
    ];
  }
  return undefined;
}
