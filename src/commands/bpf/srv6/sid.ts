import type { Command } from 'commander';
import { SRV6_SIDS } from '../../../bpf/layouts/egress.ts';
import { readPinned } from '../../../bpf/maps/records.ts';
import { notice } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { printSrv6 } from './print.ts';

/** Declares `bpf srv6 sid`. */
export function addBpfSrv6SidCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf srv6 sid'));
  listVerb(command, ctx, runBpfSrv6Sid);
}

/** Prints the VRF that each segment of this node leads to. */
export async function runBpfSrv6Sid(options: ListFlags, ctx: Context): Promise<void> {
  const entries = await readPinned(ctx.globals.bpfRoot, SRV6_SIDS);
  if (!entries) return await notice(ctx, 'Cannot find SRv6 SID map');
  const rows = entries.map(({ key, value }) => ({ SID: key.sid, VRFID: value.vrfId }));
  await printSrv6(ctx, ['SID', 'VRF ID'], rows, options);
}
