import type { Command } from 'commander';
import { egressEntry4, egressKey4 } from '../../../bpf/layouts/structs.ts';
import { requireLayout } from '../../../bpf/maps/records.ts';
import { withRequired } from '../../../cli/bpf/maps.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import type { Context } from '../../../context.ts';
import { EGRESS_MAP, encodeEgressKey, ipv4Bytes } from './map.ts';

/** Declares `bpf egress update`, which 1.9 had. */
export function addBpfEgressUpdateCommand(command: Command, ctx: Context): void {
  writeFlags(
    command.argument('<src ip>').argument('<dst cidr>').argument('<gateway ip>').argument('<egress ip>'),
  ).action((source: string, cidr: string, gateway: string, egress: string, options: WriteOptions) =>
    runBpfEgressUpdate({ source, cidr, gateway, egress }, options, ctx),
  );
}

/** Sends the traffic of a source to a range through a gateway. */
export async function runBpfEgressUpdate(
  entry: { source: string; cidr: string; gateway: string; egress: string },
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  const key = encodeEgressKey(entry.source, entry.cidr);
  const value = Buffer.concat([ipv4Bytes(entry.egress), ipv4Bytes(entry.gateway)]);
  await withRequired(
    ctx,
    EGRESS_MAP,
    async (map) => {
      requireLayout(map, egressKey4, egressEntry4);
      const what = `send ${entry.source} -> ${entry.cidr} through ${entry.gateway} as ${entry.egress}`;
      if (await mayWrite(ctx, what, options)) map.update(key, value);
    },
    { write: !options.dryRun, doing: 'updating contents of map' },
  );
}
