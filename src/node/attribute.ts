import { ownFirewall, removalScript, restoreScript } from './firewall.ts';
import { type Action, type Item, KINDS, type Kind, type Plan } from './plan.ts';
import type { NodePaths } from './read.ts';
import type { Family, IpLink, IpRoute, IpRule, NodeState } from './state.ts';

const OWN_PROGRAM = /^(?:cil_|bpf_(?:lxc|host|netdev|network|overlay|sock|xdp|wireguard)\w*\.o\b)/;
const OWN_PIN = /^cilium_/;
const OWN_LINK = /^cilium(?:_|$)/;
/** Cilium names a pod's end `lxc` and ten or twelve hex digits of its id; `lxcbr0` and the like are not its. */
const POD_LINK = /^lxc(?:_health|[0-9a-f]{8,12})$/;
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
const GONE =
  'Cannot find device|does not exist|No such file|No such process|Bad rule|does a matching rule exist|No such device|not found';

/** Decides what of a node is Cilium's, from names and forms that only it uses. Touches nothing. */
export function planCleanup(state: NodeState, paths: NodePaths): Plan {
  const items = [
    ...tcItems(state),
    ...attachmentItems(state),
    ...pinItems(state, paths),
    ...ruleItems(state),
    ...routeItems(state),
    ...firewallItems(state),
    ...linkItems(state),
    ...fileItems(state, paths),
  ];
  const rank = (kind: Kind) => KINDS.indexOf(kind);
  return {
    node: state.nodeName,
    items: items.toSorted((a, b) => rank(a.kind) - rank(b.kind)),
    notes: state.notes,
  };
}

function command(words: string[], stdin?: string): Action {
  return { do: 'run', command: words, ...(stdin !== undefined && { stdin }), gone: GONE };
}

function tcItems({ tcFilters }: NodeState): Item[] {
  const own = tcFilters.filter((filter) => filter.programNames.some((name) => OWN_PROGRAM.test(name)));
  const items = own.map(
    ({ device, direction, protocol, pref, handle, programNames: [programName] }): Item => ({
      id: `tc-filter ${device} ${direction} ${pref} ${programName}`,
      kind: 'tc-filter',
      what: `${programName} on ${device} (tc ${direction})`,
      why: 'the program carries a name of Cilium',
      remove: [
        command([
          'tc',
          'filter',
          'del',
          'dev',
          device,
          direction,
          'pref',
          String(pref),
          'protocol',
          protocol,
          'handle',
          handle,
          'bpf',
        ]),
      ],
    }),
  );
  for (const device of new Set(own.map((filter) => filter.device))) {
    const last = items.findLast((item) => item.id.startsWith(`tc-filter ${device} `));
    const foreign = tcFilters.some((filter) => filter.device === device && !own.includes(filter));
    if (!foreign) last?.remove.push(command(['tc', 'qdisc', 'del', 'dev', device, 'clsact']));
  }
  return items;
}

function attachmentItems(state: NodeState): Item[] {
  const deviceOf = (ifindex: number | undefined) =>
    state.links.find((link) => link.ifindex === ifindex)?.ifname;
  const named = 'the program carries a name of Cilium';
  return [
    ...state.xdpPrograms
      .filter(({ programName }) => OWN_PROGRAM.test(programName))
      .map(
        ({ device, programName }): Item => ({
          id: `xdp ${device} ${programName}`,
          kind: 'xdp',
          what: `${programName} on ${device} (XDP)`,
          why: named,
          remove: [command(['ip', 'link', 'set', 'dev', device, 'xdp', 'off'])],
        }),
      ),
    ...state.bpfLinks
      .filter(({ programName }) => OWN_PROGRAM.test(programName))
      .map(
        (link): Item => ({
          id: `bpf-link ${link.id}`,
          kind: 'bpf-link',
          what: `${link.programName} (link ${link.id}, ${[link.type, deviceOf(link.ifindex)].filter(Boolean).join(' on ')})`,
          why: named,
          remove: [{ do: 'detach-link', id: link.id }],
        }),
      ),
    ...state.cgroupPrograms
      .filter(({ programName }) => OWN_PROGRAM.test(programName))
      .map(
        (program): Item => ({
          id: `cgroup-program ${program.cgroup} ${program.attachType} ${program.programId}`,
          kind: 'cgroup-program',
          what: `${program.programName} on ${program.cgroup} (${program.attachType})`,
          why: named,
          remove: [
            command([
              'bpftool',
              'cgroup',
              'detach',
              program.cgroup,
              program.attachType,
              'id',
              String(program.programId),
            ]),
          ],
        }),
      ),
  ];
}

function pinItems({ files }: NodeState, { bpfRoot }: NodePaths): Item[] {
  const own = `${bpfRoot}/cilium/`;
  return files
    .filter(({ path }) => path.startsWith(`${bpfRoot}/`))
    .filter(
      ({ path, kind }) =>
        path.startsWith(own) || (kind === 'pin' && OWN_PIN.test(path.slice(path.lastIndexOf('/') + 1))),
    )
    .map(
      ({ path, kind }): Item => ({
        id: `pin ${path}`,
        kind: 'pin',
        what: path,
        why: path.startsWith(own) ? "it lies in Cilium's folder" : 'its name starts with cilium_',
        remove: [kind === 'pin' ? { do: 'unlink', path } : { do: 'rmdir', path }],
      }),
    )
    .concat(files.some(({ path }) => path.startsWith(own)) ? [ownPinFolder(`${bpfRoot}/cilium`)] : []);
}

function ownPinFolder(path: string): Item {
  return {
    id: `pin ${path}`,
    kind: 'pin',
    what: path,
    why: 'the folder is named cilium',
    remove: [{ do: 'rmdir', path }],
  };
}

/** Marks and tables of Cilium's policy routing: to the proxy, from the proxy, and of IPsec. */
const OWN_RULES: readonly { fwmark: string; fwmask: string; table: string; why: string }[] = [
  {
    fwmark: '0x200',
    fwmask: '0xf00',
    table: '2004',
    why: 'mark 0x200/0xf00 sends proxied traffic to table 2004',
  },
  {
    fwmark: '0xa00',
    fwmask: '0xf00',
    table: '2005',
    why: 'mark 0xa00/0xf00 sends traffic of the proxy to table 2005',
  },
  {
    fwmark: '0xb00',
    fwmask: '0xf00',
    table: '2005',
    why: 'mark 0xb00/0xf00 sends traffic of the proxy to table 2005',
  },
  { fwmark: '0xd00', fwmask: '0xf00', table: '200', why: 'mark 0xd00/0xf00 is of IPsec decryption' },
  { fwmark: '0xe00', fwmask: '0xf00', table: '200', why: 'mark 0xe00/0xf00 is of IPsec encryption' },
];

function ruleItems(state: NodeState): Item[] {
  const pods = new Set(
    state.routes
      .filter(({ route }) => POD_LINK.test(route.dev ?? ''))
      .map(({ route }) => route.dst.replace(/\/(?:32|128)$/, '')),
  );
  return state.rules.flatMap(({ family, rule }): Item[] => {
    const words = ruleWords(rule);
    const known = OWN_RULES.find(
      (own) => own.fwmark === rule.fwmark && own.fwmask === rule.fwmask && own.table === rule.table,
    );
    const pod =
      [20, 110, 111].includes(rule.priority) && (pods.has(rule.src ?? '') || pods.has(rule.dst ?? ''));
    const why = known?.why ?? (pod ? 'it routes an address of a pod of this node' : undefined);
    const item = (reason: string, remove: Action[], restore: Action[]): Item => ({
      id: `rule ${family} ${words.join(' ')}`,
      kind: 'rule',
      what: `IPv${family} rule ${words.join(' ')}`,
      why: reason,
      remove,
      restore,
    });
    if (why)
      return [
        item(
          why,
          [command(ip(family, 'rule', 'del', ...words))],
          [command(ip(family, 'rule', 'add', ...words))],
        ),
      ];
    const moved =
      rule.priority === 100 &&
      rule.table === 'local' &&
      rule.src === 'all' &&
      rule.fwmark === undefined &&
      !state.rules.some((other) => other.family === family && other.rule.priority === 0);
    if (!moved) return [];
    return [
      item(
        "Cilium moved the kernel's rule for local addresses from priority 0 to 100; it goes back",
        [
          command(ip(family, 'rule', 'add', 'pref', '0', 'lookup', 'local')),
          command(ip(family, 'rule', 'del', 'pref', '100', 'lookup', 'local')),
        ],
        [
          command(ip(family, 'rule', 'add', 'pref', '100', 'lookup', 'local')),
          command(ip(family, 'rule', 'del', 'pref', '0', 'lookup', 'local')),
        ],
      ),
    ];
  });
}

function ip(family: Family, ...words: string[]): string[] {
  return family === 6 ? ['ip', '-6', ...words] : ['ip', ...words];
}

function ruleWords(rule: IpRule): string[] {
  const prefix = (address: string | undefined, length: number | undefined) =>
    address === undefined || address === 'all'
      ? undefined
      : length === undefined
        ? address
        : `${address}/${length}`;
  const words = ['pref', String(rule.priority)];
  const from = prefix(rule.src, rule.srclen);
  const to = prefix(rule.dst, rule.dstlen);
  if (from) words.push('from', from);
  if (to) words.push('to', to);
  if (rule.fwmark) words.push('fwmark', rule.fwmask ? `${rule.fwmark}/${rule.fwmask}` : rule.fwmark);
  if (rule.iif) words.push('iif', rule.iif);
  if (rule.oif) words.push('oif', rule.oif);
  if (rule.table) words.push('lookup', rule.table);
  if (rule.protocol) words.push('protocol', rule.protocol);
  return words;
}

/** Kernel-made routes go and come with their device and its addresses. */
const MADE_BY_KERNEL = new Set(['local', 'multicast', 'anycast', 'broadcast']);

function routeItems({ routes }: NodeState): Item[] {
  return routes.flatMap(({ family, route }): Item[] => {
    const why = ownRoute(route);
    if (!why) return [];
    const words = routeWords(route);
    return [
      {
        id: `route ${family} ${words.join(' ')}`,
        kind: 'route',
        what: `IPv${family} route ${words.join(' ')}`,
        why,
        remove: [command(ip(family, 'route', 'del', ...words))],
        restore: [command(ip(family, 'route', 'replace', ...words))],
      },
    ];
  });
}

function ownRoute(route: IpRoute): string | undefined {
  const { table = 'main', dev = '', dst, type } = route;
  if (table === '2004' && type === 'local' && dst === 'default' && dev === 'lo')
    return 'table 2004 is the way to the proxy';
  if (table === '2005' && OWN_LINK.test(dev)) return 'table 2005 is the way from the proxy';
  if (table === 'local' || MADE_BY_KERNEL.has(type ?? '') || dst === 'fe80::/64') return undefined;
  if (OWN_LINK.test(dev)) return `it leads to ${dev}`;
  return POD_LINK.test(dev) ? 'it leads to a pod' : undefined;
}

function routeWords(route: IpRoute): string[] {
  const words = [...(route.type && route.type !== 'unicast' ? [route.type] : []), route.dst];
  if (route.gateway) words.push('via', route.gateway);
  if (route.dev) words.push('dev', route.dev);
  if (route.flags?.includes('onlink')) words.push('onlink');
  if (route.protocol) words.push('proto', route.protocol);
  if (route.scope) words.push('scope', route.scope);
  if (route.prefsrc) words.push('src', route.prefsrc);
  if (route.metric) words.push('metric', String(route.metric));
  if (route.table) words.push('table', route.table);
  return words;
}

function firewallItems({ firewall, ipsets }: NodeState): Item[] {
  const tables = firewall.flatMap((table): Item[] => {
    const own = ownFirewall(table);
    if (own.chains.length === 0 && own.feeders.length === 0) return [];
    const restore = `${table.program}-restore`;
    return [
      {
        id: `iptables ${table.program} ${table.table}`,
        kind: 'iptables',
        what: `${table.program} table ${table.table}: ${count(own.chains.length, 'chain')}, ${count(own.inside.length + own.feeders.length, 'rule')}`,
        why: 'the chains are named CILIUM_*, the other rules lead to them',
        remove: [command([restore, '--noflush'], removalScript(table.table, own))],
        restore: [command([restore, '--noflush'], restoreScript(table.table, own))],
        details: [
          ...own.chains.map((chain) => `:${chain}`),
          ...own.feeders.map(({ rule }) => rule),
          ...own.inside,
        ],
      },
    ];
  });
  const sets = ipsets
    .filter(({ name }) => OWN_PIN.test(name))
    .map(
      ({ name, saved }): Item => ({
        id: `ipset ${name}`,
        kind: 'ipset',
        what: `ipset ${name}`,
        why: 'its name starts with cilium_',
        remove: [command(['ipset', 'destroy', name])],
        restore: [command(['ipset', 'restore', '-exist'], saved)],
      }),
    );
  return [...tables, ...sets];
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function linkItems({ links, netns }: NodeState): Item[] {
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
    command(['ip', 'link', 'set', 'dev', link.ifname, ...(link.mtu ? ['mtu', String(link.mtu)] : []), 'up']),
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

const BACKUP = '.cilium_bak';

function fileItems({ files, mounts }: NodeState, paths: NodePaths): Item[] {
  const items: Item[] = [];
  for (const target of mounts.map((mount) => mount.target)) {
    if (
      target === `${paths.runState}/cgroupv2` ||
      target === '/run/cilium/cgroupv2' ||
      target.startsWith(`${paths.runState}/netns/`)
    )
      items.push({
        id: `mount ${target}`,
        kind: 'mount',
        what: `mount ${target}`,
        why: "it lies in Cilium's folder",
        remove: [{ do: 'run', command: ['umount', target], gone: 'not mounted|no mount point' }],
      });
  }
  const there = new Set(files.map(({ path }) => path));
  for (const { path, kind } of files) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const base = {
      id: `${kind === 'folder' ? 'folder' : 'file'} ${path}`,
      kind: kind === 'folder' ? ('folder' as const) : ('file' as const),
    };
    if (path === paths.runState || path === paths.libState)
      items.push({
        ...base,
        what: `${path} and all in it`,
        why: 'it is a state folder of Cilium',
        remove: [{ do: 'remove-tree', path }],
      });
    else if (path.startsWith(`${paths.cniConfig}/`) && name.endsWith(BACKUP)) {
      const original = path.slice(0, -BACKUP.length);
      const free = !there.has(original);
      items.push({
        ...base,
        what: free ? `${path} (becomes ${original} again)` : path,
        why: 'Cilium set the configuration of another CNI plugin aside',
        remove: [free ? { do: 'rename', from: path, to: original } : { do: 'unlink', path }],
        ...(free && { restore: [{ do: 'rename', from: original, to: path }] }),
      });
    } else if (path.startsWith(`${paths.cniConfig}/`) && /^\d*-?cilium[-.\w]*\.conf(?:list)?$/.test(name))
      items.push({
        ...base,
        what: path,
        why: "it is Cilium's CNI configuration",
        remove: [{ do: 'unlink', path }],
      });
    else if (
      path.startsWith(`${paths.sysctlDropIns}/`) &&
      /^\d+-zzz-override_cilium\.conf$|^\d+-cilium\.conf$/.test(name)
    )
      items.push({ ...base, what: path, why: 'its name says so', remove: [{ do: 'unlink', path }] });
  }
  return items;
}
