import type { Command } from 'commander';
import type { BpfMap } from '../../../bpf/kernel/objects.ts';
import { hasKey } from '../../../bpf/kernel/reader.ts';
import { EGRESS4 } from '../../../bpf/layouts/egress.ts';
import { requireAllPinned, requireVariant } from '../../../bpf/maps/records.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { encodeEgressKey } from './map.ts';

/** Declares `bpf egress delete`, which 1.9 had. */
export function addBpfEgressDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf egress delete 10.244.0.85 203.0.113.0/24 --dry-run'));
  writeFlags(
    command
      .argument('<src ip>', 'address of the pod that sends')
      .argument('<dst cidr>', 'prefix that it sends to'),
  ).action((source: string, cidr: string, options: WriteOptions) =>
    runBpfEgressDelete(source, cidr, options, ctx),
  );
}

/** Takes out the gateway of exactly this source and range. */
export async function runBpfEgressDelete(
  source: string,
  cidr: string,
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  const key = encodeEgressKey(source, cidr);
  using maps = new DisposableStack();
  const holding: BpfMap[] = [];
  for (const map of requireAllPinned(ctx.globals.bpfRoot, EGRESS4, {
    write: !options.dryRun,
    doing: 'deleting contents of map',
  })) {
    maps.use(map);
    requireVariant(map, EGRESS4);
    if (await hasKey(map, key)) holding.push(map);
  }
  if (holding.length === 0) throw new UserError(`no egress gateway entry for ${source} -> ${cidr}`);
  if (!(await mayWrite(ctx, `delete the egress gateway entry of ${source} -> ${cidr}`, options))) return;
  for (const map of holding) map.delete(key);
}
