import type { Command } from 'commander';
import { SRV6_STATE4, SRV6_STATE6 } from '../../../bpf/layouts/egress.ts';
import { readPinned } from '../../../bpf/maps/records.ts';
import { notice } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { printSrv6 } from './print.ts';

/** Declares `bpf srv6 state`, which agents up to 1.17 had. */
export function addBpfSrv6StateCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf srv6 state'));
  listVerb(command, ctx, runBpfSrv6State);
}

/** Prints the outer addresses that encapsulated packets came with. */
export async function runBpfSrv6State(options: ListFlags, ctx: Context): Promise<void> {
  const v4 = await readPinned(ctx.globals.bpfRoot, SRV6_STATE4);
  const v6 = await readPinned(ctx.globals.bpfRoot, SRV6_STATE6);
  if (!v4 && !v6) return await notice(ctx, 'Cannot find SRv6 state maps');
  await printSrv6(
    ctx,
    ['Inner Source', 'Inner Destination', 'Outer Source', 'Outer Destination'],
    [...(v4 ?? []), ...(v6 ?? [])].map(({ key, value }) => ({
      InnerSrc: key.source,
      InnerDst: key.destination,
      OuterSrc: value.outerSource,
      OuterDst: value.outerDestination,
    })),
    options,
  );
}
