import { openLinkById, openObjects, openProgramById } from '../../bpf/kernel/objects.ts';
import { UserError } from '../../errors.ts';
import { listFrom, type Run } from './run.ts';
import type { BpfLink, CgroupProgram, NodeState, XdpProgram } from './state.ts';

interface CgroupJson {
  cgroup: string;
  programs?: { id: number; attach_type: string; name: string }[];
}
interface NetJson {
  xdp?: { devname?: string; id?: number; mode?: string; multi_attachments?: { id: number }[] }[];
}

/** Reads the BPF links of the kernel, and the programs attached to cgroups and devices without one. */
export async function readBpfAttachments(
  run: Run,
  notes: string[],
): Promise<Pick<NodeState, 'bpfLinks' | 'cgroupPrograms' | 'xdpPrograms'>> {
  const json = <T>(...words: string[]) => listFrom<T>(run, ['bpftool', '-j', ...words], notes);
  const names = new Map<number, string>();
  const bpfLinks: BpfLink[] = [];
  try {
    for (const { info } of openObjects('program', openProgramById)) names.set(info.id, info.name);
    for (const { info } of openObjects('link', openLinkById)) {
      const programName = names.get(info.programId) ?? '';
      bpfLinks.push({
        id: info.id,
        type: info.type,
        programId: info.programId,
        programName,
        ifindex: info.ifindex,
      });
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    notes.push(`BPF links: ${error.message}`);
  }
  const linked = new Set(bpfLinks.map((link) => link.programId));
  const cgroupPrograms: CgroupProgram[] = (await json<CgroupJson>('cgroup', 'tree')).flatMap(
    ({ cgroup, programs }) =>
      (programs ?? [])
        .filter(({ id }) => !linked.has(id))
        .map(({ id, attach_type, name }) => ({
          cgroup,
          programId: id,
          programName: name,
          attachType: attach_type,
        })),
  );
  const xdpPrograms: XdpProgram[] = (await json<NetJson>('net', 'show'))
    .flatMap(({ xdp }) => xdp ?? [])
    .filter(({ id }) => id !== undefined && !linked.has(id))
    .map(({ devname, id }) => ({ device: devname ?? '', programName: names.get(id ?? 0) ?? '' }));
  return { bpfLinks, cgroupPrograms, xdpPrograms };
}
