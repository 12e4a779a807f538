import type { Command } from 'commander';
import { EGRESS_STATIC_BITS, SRV6_VRF4, SRV6_VRF6 } from '../../../bpf/layouts/egress.ts';
import { readPinned } from '../../../bpf/maps/records.ts';
import { notice } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { prefixText } from '../../../render/bpf/parts.ts';
import { printSrv6 } from './print.ts';

/** Declares `bpf srv6 vrf`. */
export function addBpfSrv6VrfCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf srv6 vrf'));
  listVerb(command, ctx, runBpfSrv6Vrf);
}

/** Prints which traffic belongs to which VRF. */
export async function runBpfSrv6Vrf(options: ListFlags, ctx: Context): Promise<void> {
  const v4 = await readPinned(ctx.globals.bpfRoot, SRV6_VRF4);
  const v6 = await readPinned(ctx.globals.bpfRoot, SRV6_VRF6);
  if (!v4 && !v6) return await notice(ctx, 'Cannot find SRv6 VRF mapping maps');
  await printSrv6(
    ctx,
    ['Source IP', 'Destination CIDR', 'VRF ID'],
    [...(v4 ?? []).map(rowOf(4)), ...(v6 ?? []).map(rowOf(6))],
    options,
  );
}

interface VrfEntry {
  key: { prefixLength: number; source: string; destination: string };
  value: { vrfId: number };
}

const rowOf =
  (family: 4 | 6) =>
  ({ key, value }: VrfEntry) => ({
    SourceIP: key.source,
    DestCIDR: prefixText(key.destination, key.prefixLength - EGRESS_STATIC_BITS[family]),
    ID: value.vrfId,
  });
