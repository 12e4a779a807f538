import { stat } from 'node:fs/promises';
import {
  deviceLinkIds,
  BpfLink as KernelLink,
  openLinkById,
  openObjects,
  openPin,
  openProgramById,
} from '../../bpf/kernel/objects.ts';
import { UserError } from '../../errors.ts';
import type { IpLink } from '../../model/ip.ts';
import { CGROUP_PROGRAM, NET } from './forms.ts';
import { listFrom, type Run } from './run.ts';
import type { BpfLink, CgroupProgram, NodeState, XdpProgram } from './state.ts';

interface CgroupProgramJson {
  id: number;
  attach_type: string;
  name?: string;
}
interface NetJson {
  xdp?: {
    devname?: string;
    id?: number;
    mode?: string;
    multi_attachments?: { id?: number; mode?: string }[];
  }[];
}

/** What tells the attachments of this node from those of other network namespaces and cgroups. */
export interface Surroundings {
  /** Devices of this network namespace. */
  links: readonly IpLink[];
  /** Where the cgroup hierarchy is mounted: an agent attaches to its root as this node sees it. */
  cgroupRoots: readonly string[];
  /** Pins in the folder that agents keep their links in. */
  pins: readonly string[];
}

/**
 * Reads the BPF links of this node, and the programs attached to its cgroup root and devices without one. A kernel's
 * list of links is global, so a link counts only when the kernel shows it on a device of this network namespace or on
 * the cgroup root, or when it is pinned here.
 */
export async function readBpfAttachments(
  run: Run,
  notes: string[],
  around: Surroundings,
): Promise<Pick<NodeState, 'bpfLinks' | 'bpfUnknown' | 'cgroupPrograms' | 'xdpPrograms'>> {
  const names = new Map<number, string>();
  const bpfLinks: BpfLink[] = [];
  let bpfUnknown = false;
  const linked = new Set<number>();
  const roots = await cgroupIds(around.cgroupRoots);
  try {
    for (const { info } of openObjects('program', openProgramById)) names.set(info.id, info.name);
    const local = new Set([
      ...around.links.flatMap(({ ifindex }) => deviceLinkIds(ifindex)),
      ...pinnedLinks(around.pins),
    ]);
    for (const { info } of openObjects('link', openLinkById)) {
      linked.add(info.programId);
      const here =
        local.has(info.id) ||
        (info.cgroupId !== undefined && roots.has(info.cgroupId)) ||
        (info.type === 'xdp' &&
          around.links.some(
            ({ ifindex, xdp }) => ifindex === info.ifindex && xdp?.prog?.id === info.programId,
          ));
      if (!here) continue;
      bpfLinks.push({
        id: info.id,
        type: info.type,
        programId: info.programId,
        programName: names.get(info.programId) ?? '',
        ifindex: info.ifindex,
      });
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    bpfUnknown = true;
    notes.push(`BPF links: ${error.message}`);
  }
  const cgroupPrograms: CgroupProgram[] = [];
  for (const cgroup of roots.values()) {
    const programs = await listFrom<CgroupProgramJson>(
      run,
      ['bpftool', '-j', 'cgroup', 'show', cgroup],
      CGROUP_PROGRAM,
      notes,
    );
    for (const { id, attach_type, name } of programs.filter((program) => !linked.has(program.id)))
      cgroupPrograms.push({ cgroup, programId: id, programName: name ?? '', attachType: attach_type });
  }
  const xdpPrograms: XdpProgram[] = (
    await listFrom<NetJson>(run, ['bpftool', '-j', 'net', 'show'], NET, notes)
  )
    .flatMap(({ xdp }) => xdp ?? [])
    .flatMap(({ devname, multi_attachments, ...one }) =>
      (multi_attachments ?? [one]).map((each) => ({ devname, ...each })),
    )
    .filter(({ id }) => id !== undefined && !linked.has(id))
    .map(({ devname = '', id = 0, mode = '' }) => ({
      device: devname,
      mode,
      programName: names.get(id) ?? '',
    }));
  return { bpfLinks, bpfUnknown, cgroupPrograms, xdpPrograms };
}

/** Folders of cgroups by the id of each, which is the inode of its folder. */
async function cgroupIds(folders: readonly string[]): Promise<Map<bigint, string>> {
  const ids = new Map<bigint, string>();
  for (const folder of folders) {
    const found = await stat(folder, { bigint: true }).catch(() => undefined);
    if (found && !ids.has(found.ino)) ids.set(found.ino, folder);
  }
  return ids;
}

/** Ids of the links among pins; what vanishes or is something else is passed over. */
function pinnedLinks(pins: readonly string[]): number[] {
  return pins.flatMap((path) => {
    try {
      using object = openPin(path);
      return object instanceof KernelLink ? [object.info.id] : [];
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}
