import type { Item } from '../../src/model/cleanup.ts';
import type { IpLink } from '../../src/model/ip.ts';
import { describeRestore } from '../../src/node/cleanup/restore.ts';
import type { NodeState } from '../../src/node/state/state.ts';

/** A node on which nothing is, but for what is given. */
export function nodeWith(parts: Partial<NodeState>): NodeState {
  return {
    nodeName: 'node1',
    links: [],
    neighbours: [],
    routes: [],
    rules: [],
    firewall: [],
    ipsets: [],
    xfrm: { policies: [], states: [] },
    tcFilters: [],
    tcUnknown: [],
    tcShared: [],
    bpfLinks: [],
    bpfUnknown: false,
    linksUnknown: [],
    cgroupPrograms: [],
    xdpPrograms: [],
    netns: [],
    mounts: [],
    runStates: ['/var/run/cilium', '/run/cilium'],
    files: [],
    notes: [],
    ...parts,
  };
}

/** A link of a kind. */
export function link(ifname: string, kind?: string, more: Partial<IpLink> = {}): IpLink {
  return { ifindex: 1, ifname, ...(kind && { linkinfo: { info_kind: kind } }), ...more };
}

/** The steps of an item as people type them; `remove` or `restore`. */
export function steps(item: Item | undefined, which: 'remove' | 'restore' = 'remove'): string[] {
  if (which === 'restore') return (item?.restore ?? []).flatMap(describeRestore);
  return (item?.remove ?? []).map((action) => {
    if (action.do === 'run') return action.command.join(' ');
    if (action.do === 'firewall') return `${action.program}-restore --noflush`;
    if (action.do === 'rename') return `rename ${action.from} ${action.to}`;
    if (action.do === 'unmount') return `unmount ${action.target}`;
    return 'path' in action ? `${action.do} ${action.path}` : `${action.do} ${action.id}`;
  });
}
