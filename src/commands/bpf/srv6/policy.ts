import type { Command } from 'commander';
import { SRV6_POLICY_STATIC_BITS, SRV6_POLICY4, SRV6_POLICY6 } from '../../../bpf/layouts/egress.ts';
import { readPinned } from '../../../bpf/maps/records.ts';
import { notice } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { prefixText } from '../../../render/bpf/parts.ts';
import { printSrv6 } from './print.ts';

/** Declares `bpf srv6 policy`. */
export function addBpfSrv6PolicyCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf srv6 policy'));
  listVerb(command, ctx, runBpfSrv6Policy);
}

/** Prints the segment that each destination of a VRF is sent to. */
export async function runBpfSrv6Policy(options: ListFlags, ctx: Context): Promise<void> {
  const v4 = await readPinned(ctx.globals.bpfRoot, SRV6_POLICY4);
  const v6 = await readPinned(ctx.globals.bpfRoot, SRV6_POLICY6);
  if (!v4 && !v6) return await notice(ctx, 'Cannot find SRv6 policy maps');
  await printSrv6(
    ctx,
    ['VRF ID', 'Destination CIDR', 'SID'],
    [...(v4 ?? []), ...(v6 ?? [])].map(row),
    options,
  );
}

interface PolicyEntry {
  key: { prefixLength: number; vrfId: number; destination: string };
  value: { sid: string };
}

function row({ key, value }: PolicyEntry) {
  return {
    VRFID: key.vrfId,
    DestCIDR: prefixText(key.destination, key.prefixLength - SRV6_POLICY_STATIC_BITS),
    SID: value.sid,
  };
}
