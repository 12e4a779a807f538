import type { Item } from '../../model/cleanup.ts';
import { isBelow } from '../state/mounts.ts';
import type { NodePaths } from '../state/read.ts';
import type { NodeState, TcFilter } from '../state/state.ts';
import { command, isOwnPin, isOwnProgram, LOOKS_OWN } from './own.ts';

/**
 * Filters of tc; the qdisc goes with the last one of a device, whoever made the others. A block that devices share is
 * somebody else's, and so are the qdiscs that lead to it.
 */
export function tcItems({ tcFilters, tcUnknown, tcShared }: NodeState): Item[] {
  const own = tcFilters.filter((filter) => filter.programNames.some(isOwnProgram));
  const items = new Map<string, { filter: TcFilter; item: Item }>();
  for (const filter of own) {
    const { device, block, chain, protocol, pref, handle } = filter;
    const place = block === undefined ? `${device} ${filter.place}` : `block ${block}`;
    const words =
      block === undefined ? ['dev', device, ...filter.place.split(' ')] : ['block', String(block)];
    const [programName] = filter.programNames;
    const item: Item = {
      id: ['tc-filter', place, chain > 0 && `chain ${chain}`, pref, protocol, handle, programName]
        .filter(Boolean)
        .join(' '),
      kind: 'tc-filter',
      what: `${programName} on ${block === undefined ? `${device} (tc ${filter.place})` : `${place} (tc)`}`,
      why: 'the program carries a name of Cilium',
      remove: [
        command([
          ...['tc', 'filter', 'del', ...words],
          ...(chain === 0 ? [] : ['chain', String(chain)]),
          ...['pref', String(pref), 'protocol', protocol, 'handle', handle, 'bpf'],
        ]),
      ],
    };
    // Each device that shares a block tells of its filters.
    items.set(`${place} ${chain} ${pref} ${protocol} ${handle}`, { filter, item });
  }
  const inClsact = tcFilters.filter(({ qdisc }) => qdisc === 'clsact');
  for (const device of new Set(inClsact.map((filter) => filter.device))) {
    const last = [...items.values()].findLast(
      ({ filter }) => filter.device === device && inClsact.includes(filter),
    );
    const others = inClsact.some((filter) => filter.device === device && !own.includes(filter));
    if (!others && !tcUnknown.includes(device) && !tcShared.includes(device))
      last?.item.remove.push(command(['tc', 'qdisc', 'del', 'dev', device, 'clsact']));
  }
  return [...items.values()].map(({ item }) => item);
}

/** How ip names the ways in which a program hangs on a device; without a word it takes the one that the driver knows best. */
const XDP_WORDS: Readonly<Record<string, string>> = {
  driver: 'xdpdrv',
  generic: 'xdpgeneric',
  offload: 'xdpoffload',
};

/** Programs on devices, links and cgroups. */
export function attachmentItems(state: NodeState): Item[] {
  const deviceOf = (ifindex: number | undefined) =>
    state.links.find((link) => link.ifindex === ifindex)?.ifname;
  const named = 'the program carries a name of Cilium';
  return [
    ...state.xdpPrograms
      .filter(({ programName }) => isOwnProgram(programName))
      .map(
        ({ device, mode, programName }): Item => ({
          id: ['xdp', device, mode, programName].filter(Boolean).join(' '),
          kind: 'xdp',
          what: `${programName} on ${device} (${['XDP', mode].filter(Boolean).join(' ')})`,
          why: named,
          remove: [command(['ip', 'link', 'set', 'dev', device, XDP_WORDS[mode] ?? 'xdp', 'off'])],
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
  const staying = files.filter(({ kind }) => kind === 'mount').map(({ path }) => path);
  const stays = (folder: string) => staying.some((path) => isBelow(path, folder));
  return files
    .filter(({ path, kind }) => path.startsWith(`${bpfRoot}/`) && kind !== 'link' && !stays(path))
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
    .concat(
      files.some(({ path }) => path.startsWith(own)) && !stays(`${bpfRoot}/cilium`)
        ? [ownPinFolder(`${bpfRoot}/cilium`)]
        : [],
    );
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
  const mounts = state.files
    .filter(({ path, kind }) => kind === 'mount' && isBelow(path, `${bpfRoot}/cilium`))
    .map(({ path }) => `pins in ${path}: something of somebody else is mounted there`);
  return [
    ...[...new Set([...pins, ...programs])].map(
      (what) => `${what}: no release of Cilium has one of this name`,
    ),
    ...mounts,
  ];
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
