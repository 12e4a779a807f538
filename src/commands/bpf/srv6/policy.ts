import type { Command } from 'commander';
import { segmentId, srv6PolicyKey4, srv6PolicyKey6 } from '../../../bpf/layouts/structs.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { notice, withGlobal } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { printSrv6 } from './print.ts';

/** Declares `bpf srv6 policy`. */
export function addBpfSrv6PolicyCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfSrv6Policy(options, ctx));
}

/** Prints the segment that each destination of a VRF is sent to. */
export async function runBpfSrv6Policy(options: OutputFlag, ctx: Context): Promise<void> {
  const v4 = await withGlobal(ctx, 'cilium_srv6_policy_v4', async (map) =>
    (await readRecords(map, srv6PolicyKey4, segmentId)).map(row),
  );
  const v6 = await withGlobal(ctx, 'cilium_srv6_policy_v6', async (map) =>
    (await readRecords(map, srv6PolicyKey6, segmentId)).map(row),
  );
  if (!v4 && !v6) return await notice(ctx, 'Cannot find SRv6 policy maps');
  await printSrv6(ctx, ['VRF ID', 'Destination CIDR', 'SID'], [...(v4 ?? []), ...(v6 ?? [])], options);
}

interface PolicyEntry {
  key: { prefixLength: number; vrfId: number; destination: string };
  value: { sid: string };
}

function row({ key, value }: PolicyEntry) {
  return { VRFID: key.vrfId, DestCIDR: `${key.destination}/${key.prefixLength - 32}`, SID: value.sid };
}
