import type { Command } from 'commander';
import { egressEntry4, egressKey4 } from '../../../bpf/layouts/structs.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { withRequired } from '../../../cli/bpf/maps.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { EGRESS_MAP, encodeEgressKey } from './map.ts';

/** Declares `bpf egress delete`, which 1.9 had. */
export function addBpfEgressDeleteCommand(command: Command, ctx: Context): void {
  writeFlags(command.argument('<src ip>').argument('<dst cidr>')).action(
    (source: string, cidr: string, options: WriteOptions) => runBpfEgressDelete(source, cidr, options, ctx),
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
  const wanted = egressKey4.decode(key);
  await withRequired(
    ctx,
    EGRESS_MAP,
    async (map) => {
      const found = (await readRecords(map, egressKey4, egressEntry4)).some(
        (entry) =>
          entry.key.prefixLength === wanted.prefixLength &&
          entry.key.source === wanted.source &&
          entry.key.destination === wanted.destination,
      );
      if (!found) throw new UserError(`no egress gateway entry for ${source} -> ${cidr}`);
      if (await mayWrite(ctx, `delete the egress gateway entry of ${source} -> ${cidr}`, options))
        map.delete(key);
    },
    { write: !options.dryRun, doing: 'deleting contents of map' },
  );
}
