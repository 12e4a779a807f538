import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { printStruct } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { errorMessage, UserError } from '../../../errors.ts';
import { sanitize } from '../../../render/text/sanitize.ts';
import { tabulate } from '../../../render/text/table.ts';

/** One line of /proc/self/mountinfo. */
interface Mount {
  MountID: number;
  ParentID: number;
  StDev: string;
  Root: string;
  MountPoint: string;
  MountOptions: string;
  OptionalFields: string[] | null;
  FilesystemType: string;
  MountSource: string;
  SuperOptions: string;
}

/** Declares `bpf fs show`. */
export function addBpfFsShowCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf fs show'));
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfFsShow(options, ctx));
}

/** Prints the first BPF file system that is mounted. `HOST_PROC` names another /proc, as for a mounted host. */
export async function runBpfFsShow(options: OutputFlag, ctx: Context): Promise<void> {
  const path = join(ctx.env.HOST_PROC || '/proc', 'self/mountinfo');
  const mount = parseMounts(read(path)).find(({ FilesystemType }) => FilesystemType === 'bpf');
  if (!mount)
    throw new UserError('No BPF filesystems are mounted', {
      hint: 'mount -t bpf bpf /sys/fs/bpf mounts one.',
    });
  if (options.output !== '')
    return await printStruct(
      ctx,
      { ...mount },
      { ...options, fields: { OptionalFields: { type: 'array' } } },
    );
  const rows: [string, string | number][] = [
    ['MountID:', mount.MountID],
    ['ParentID:', mount.ParentID],
    ['Mounted State:', 'true'],
    ['MountPoint:', mount.MountPoint],
    ['MountOptions:', mount.MountOptions],
    ['OptionFields:', `[${(mount.OptionalFields ?? []).join(' ')}]`],
    ['FilesystemType:', mount.FilesystemType],
    ['MountSource:', mount.MountSource],
    ['SuperOptions:', mount.SuperOptions],
  ];
  const text = rows.map(([name, value]) => `${name}\t${sanitize(String(value))}\n`).join('');
  await ctx.out.write(tabulate(text, { minWidth: 2, padding: 3 }));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Lines that are no mount are left out. */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ', 2);
    const [id, parent, device, root, point, options, ...optional] = left.split(' ');
    const [type, source, superOptions] = right.split(' ');
    if (!options || !superOptions) return [];
    return [
      {
        MountID: Number(id),
        ParentID: Number(parent),
        StDev: device ?? '',
        Root: root ?? '',
        MountPoint: point ?? '',
        MountOptions: options,
        OptionalFields: optional.length === 0 ? null : optional,
        FilesystemType: type ?? '',
        MountSource: source ?? '',
        SuperOptions: superOptions,
      },
    ];
  });
}
