import type { Command } from 'commander';
import { VTEP } from '../../../bpf/layouts/nodes.ts';
import { requirePinned, requireVariant } from '../../../bpf/maps/records.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { encodeVtepKey } from './update.ts';

/** Declares `bpf vtep delete`. */
export function addBpfVtepDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf vtep delete 10.1.5.0/24 --dry-run'));
  writeFlags(command.argument('<cidr>', 'prefix behind the tunnel endpoint')).action(
    (cidr: string, options: WriteOptions) => runBpfVtepDelete(cidr, options, ctx),
  );
}

/** Deletes the tunnel endpoint of an address range outside the cluster. */
export async function runBpfVtepDelete(cidr: string, options: WriteOptions, ctx: Context): Promise<void> {
  const key = encodeVtepKey(cidr);
  using map = requirePinned(ctx.globals.bpfRoot, VTEP, {
    write: !options.dryRun,
    doing: 'deleting contents of map',
  });
  requireVariant(map, VTEP);
  if (!map.lookup(key)) throw new UserError(`error deleting contents of map: no entry for ${cidr}`);
  if (await mayWrite(ctx, `delete the entry of ${cidr}`, options)) map.delete(key);
}
