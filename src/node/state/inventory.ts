import type { NodeState } from './state.ts';

/**
 * A node as a set of lines that stay the same from boot to boot: what a baseline keeps and a diff compares. Ids,
 * counters and addresses that the kernel makes up are left out.
 */
export function inventory(state: NodeState): string[] {
  const lines = [
    ...state.links.map(
      ({ ifname, linkinfo }) => `link ${ifname}${linkinfo?.info_kind ? ` (${linkinfo.info_kind})` : ''}`,
    ),
    ...state.routes
      .filter(
        ({ route }) =>
          route.table !== 'local' && !route.dst.startsWith('fe80') && !route.dst.startsWith('ff00'),
      )
      .map(({ family, route: r }) =>
        [
          'route',
          family,
          r.type !== 'unicast' && r.type,
          r.dst,
          r.gateway && `via ${r.gateway}`,
          r.dev && `dev ${r.dev}`,
          r.table && r.table !== 'main' && `table ${r.table}`,
        ]
          .filter(Boolean)
          .join(' '),
      ),
    ...state.rules.map(({ family, rule: r }) =>
      [
        'rule',
        family,
        r.priority,
        r.src && `from ${r.src}`,
        r.fwmark && `fwmark ${r.fwmark}/${r.fwmask ?? ''}`,
        r.table && `lookup ${r.table}`,
      ]
        .filter(Boolean)
        .join(' '),
    ),
    ...state.firewall.flatMap(({ program, table, chains, rules }) => [
      ...chains.map((chain) => `${program} ${table} :${chain}`),
      ...rules.map((rule) => `${program} ${table} ${rule}`),
    ]),
    ...state.ipsets.map(({ name }) => `ipset ${name}`),
    ...state.xfrm.policies.map((p) => `xfrm-policy ${p.src} ${p.dst} ${p.direction}`),
    ...state.xfrm.states.map((s) => `xfrm-state ${s.src} ${s.dst} ${s.proto}`),
    ...state.tcFilters.map((f) => `tc-filter ${f.device} ${f.place} ${f.programNames[0]}`),
    ...state.bpfLinks.map((l) => `bpf-link ${l.programName} (${l.type})`),
    ...state.cgroupPrograms.map((p) => `cgroup-program ${p.cgroup} ${p.attachType} ${p.programName}`),
    ...state.xdpPrograms.map((p) => `xdp ${p.device} ${p.programName}`),
    ...state.netns.map((name) => `netns ${name}`),
    ...state.mounts.map(({ target, type }) => `mount ${target} (${type})`),
    ...state.files.map(({ path, kind }) => `${kind} ${path}`),
  ];
  return [...new Set(lines)].sort();
}

/** What is there now and was not in the baseline, and the reverse. */
export function compareInventories(
  before: readonly string[],
  now: readonly string[],
): { added: string[]; missing: string[] } {
  const had = new Set(before);
  const has = new Set(now);
  return { added: now.filter((line) => !had.has(line)), missing: before.filter((line) => !has.has(line)) };
}
