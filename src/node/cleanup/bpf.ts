import type { Item } from '../../model/cleanup.ts';
import type { NodePaths } from '../state/read.ts';
import type { NodeState } from '../state/state.ts';
import { command, OWN_PIN, OWN_PROGRAM } from './own.ts';

/** Filters of tc; the qdisc goes with the last one of a device, whoever made the others. */
export function tcItems({ tcFilters, tcUnknown }: NodeState): Item[] {
  const own = tcFilters.filter((filter) => filter.programNames.some((name) => OWN_PROGRAM.test(name)));
  const items = own.map(
    ({ device, direction, chain, protocol, pref, handle, programNames: [programName] }): Item => ({
      id: `tc-filter ${device} ${direction} ${pref} ${programName}`,
      kind: 'tc-filter',
      what: `${programName} on ${device} (tc ${direction})`,
      why: 'the program carries a name of Cilium',
      remove: [
        command([
          ...['tc', 'filter', 'del', 'dev', device, direction],
          ...(chain === 0 ? [] : ['chain', String(chain)]),
          ...['pref', String(pref), 'protocol', protocol, 'handle', handle, 'bpf'],
        ]),
      ],
    }),
  );
  for (const device of new Set(own.map((filter) => filter.device))) {
    const last = items.findLast((item) => item.id.startsWith(`tc-filter ${device} `));
    const others = tcFilters.some((filter) => filter.device === device && !own.includes(filter));
    if (!others && !tcUnknown.includes(device))
      last?.remove.push(command(['tc', 'qdisc', 'del', 'dev', device, 'clsact']));
  }
  return items;
}

/** Programs on devices, links and cgroups. */
export function attachmentItems(state: NodeState): Item[] {
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

/** Pins below the bpffs, and the folders that then are empty. */
export function pinItems({ files }: NodeState, { bpfRoot }: NodePaths): Item[] {
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
