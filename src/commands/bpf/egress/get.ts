import type { Command } from 'commander';
import { egressEntry4, egressKey4 } from '../../../bpf/layouts/structs.ts';
import { requireLayout } from '../../../bpf/maps/records.ts';
import { withRequired } from '../../../cli/bpf/maps.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { EGRESS_MAP, encodeEgressKey } from './map.ts';

/** Declares `bpf egress get`, which 1.9 had. */
export function addBpfEgressGetCommand(command: Command, ctx: Context): void {
  command
    .argument('<src ip>')
    .argument('<dst ip>')
    .action((source: string, destination: string) => runBpfEgressGet(source, destination, ctx));
}

/** Prints the gateway that a packet would take: that of the longest matching destination. */
export async function runBpfEgressGet(source: string, destination: string, ctx: Context): Promise<void> {
  const key = encodeEgressKey(source, `${destination}/32`);
  await withRequired(ctx, EGRESS_MAP, async (map) => {
    requireLayout(map, egressKey4, egressEntry4);
    const raw = map.lookup(key);
    if (!raw) throw new UserError(`no egress gateway entry for ${source} -> ${destination}`);
    const { egressIp, gatewayIp } = egressEntry4.decode(raw);
    await ctx.out.write(`${gatewayIp} ${egressIp}\n`);
  });
}
