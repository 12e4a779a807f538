import type { Command } from 'commander';
import { egressKey4, egressKey6, vrfId } from '../../../bpf/layouts/structs.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { notice, withGlobal } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { printSrv6 } from './print.ts';

/** Declares `bpf srv6 vrf`. */
export function addBpfSrv6VrfCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfSrv6Vrf(options, ctx));
}

/** Prints which traffic belongs to which VRF. */
export async function runBpfSrv6Vrf(options: OutputFlag, ctx: Context): Promise<void> {
  const v4 = await withGlobal(ctx, 'cilium_srv6_vrf_v4', async (map) =>
    (await readRecords(map, egressKey4, vrfId)).map((entry) => row(entry, 32)),
  );
  const v6 = await withGlobal(ctx, 'cilium_srv6_vrf_v6', async (map) =>
    (await readRecords(map, egressKey6, vrfId)).map((entry) => row(entry, 128)),
  );
  if (!v4 && !v6) return await notice(ctx, 'Cannot find SRv6 VRF mapping maps');
  await printSrv6(ctx, ['Source IP', 'Destination CIDR', 'VRF ID'], [...(v4 ?? []), ...(v6 ?? [])], options);
}

interface VrfEntry {
  key: { prefixLength: number; source: string; destination: string };
  value: { vrfId: number };
}

function row({ key, value }: VrfEntry, staticBits: number) {
  return {
    SourceIP: key.source,
    DestCIDR: `${key.destination}/${key.prefixLength - staticBits}`,
    ID: value.vrfId,
  };
}
