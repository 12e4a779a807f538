import type { Item } from '../../model/cleanup.ts';
import type { NodePaths } from '../state/read.ts';
import type { NodeState } from '../state/state.ts';
import { command, isOwnPin, isOwnProgram, LOOKS_OWN } from './own.ts';

/** Filters of tc; the qdisc goes with the last one of a device, whoever made the others. */
export function tcItems({ tcFilters, tcUnknown }: NodeState): Item[] {
  const own = tcFilters.filter((filter) => filter.programNames.some(isOwnProgram));
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
      .filter(({ programName }) => isOwnProgram(programName))
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
      .filter(({ programName }) => isOwnProgram(programName))
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
      .filter(({ programName }) => isOwnProgram(programName))
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
    .filter(({ path, kind }) => path.startsWith(`${bpfRoot}/`) && kind !== 'link')
    .filter(({ path, kind }) => path.startsWith(own) || (kind === 'pin' && isOwnPin(nameOf(path))))
    .map(
      ({ path, kind }): Item => ({
        id: `pin ${path}`,
        kind: 'pin',
        what: path,
        why: path.startsWith(own) ? "it lies in Cilium's folder" : 'it has the name of a map of Cilium',
        remove: [kind === 'pin' ? { do: 'unlink', path } : { do: 'rmdir', path }],
      }),
    )
    .concat(files.some(({ path }) => path.startsWith(own)) ? [ownPinFolder(`${bpfRoot}/cilium`)] : []);
}

/** Pins and programs that are named like Cilium's and are of no release, each once. */
export function bpfLeft(state: NodeState, { bpfRoot }: NodePaths): string[] {
  const own = `${bpfRoot}/cilium/`;
  const pins = state.files
    .filter(({ path, kind }) => kind === 'pin' && path.startsWith(`${bpfRoot}/`) && !path.startsWith(own))
    .filter(({ path }) => LOOKS_OWN.test(nameOf(path)) && !isOwnPin(nameOf(path)))
    .map(({ path }) => `pin ${path}`);
  const programs = [
    ...state.tcFilters
      .filter(({ programNames }) => !programNames.some(isOwnProgram))
      .flatMap(({ device, programNames }) => programNames.map((name) => `program ${name} on ${device} (tc)`)),
    ...state.xdpPrograms.map(({ device, programName }) => `program ${programName} on ${device} (XDP)`),
    ...state.bpfLinks.map(({ id, programName }) => `program ${programName} (link ${id})`),
    ...state.cgroupPrograms.map(({ cgroup, programName }) => `program ${programName} on ${cgroup}`),
  ].filter((what) => {
    const name = what.split(' ')[1] ?? '';
    return LOOKS_OWN.test(name) && !isOwnProgram(name);
  });
  return [...new Set([...pins, ...programs])].map(
    (what) => `${what}: no release of Cilium has one of this name`,
  );
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
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
