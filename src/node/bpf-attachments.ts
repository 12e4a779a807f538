import type { Run } from './run.ts';
import type { BpfLink, CgroupProgram, NodeState, XdpProgram } from './state.ts';

interface LinkJson {
  id: number;
  type: string | number;
  prog_id?: number;
  attach_type?: string;
  ifindex?: number;
}
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
  const json = async <T>(...words: string[]): Promise<T[]> => {
    const { code, stdout, stderr } = await run(['bpftool', '-j', ...words]);
    if (code === 0 && stdout.trim() !== '') return JSON.parse(stdout) as T[];
    if (code !== 0)
      notes.push(`bpftool ${words.join(' ')}: ${stderr.trim() || stdout.trim() || `exit code ${code}`}`);
    return [];
  };
  const names = new Map<number, string>();
  for (const { id, name } of await json<{ id: number; name?: string }>('prog', 'show'))
    names.set(id, name ?? '');
  const bpfLinks: BpfLink[] = (await json<LinkJson>('link', 'show')).map((link) => ({
    id: link.id,
    type: String(link.type),
    ...(link.attach_type !== undefined && { attachType: link.attach_type }),
    programId: link.prog_id ?? 0,
    programName: names.get(link.prog_id ?? 0) ?? '',
    ...(link.ifindex !== undefined && { ifindex: link.ifindex }),
  }));
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
