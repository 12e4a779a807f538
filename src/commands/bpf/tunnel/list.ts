import type { Command } from 'commander';
import { TUNNEL } from '../../../bpf/layouts/nodes.ts';
import { readRequired } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { tunnelTexts } from '../../../render/bpf/nodes.ts';

/** Declares `bpf tunnel list`, which agents up to 1.17 had. */
export function addBpfTunnelListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf tunnel list'));
  listVerb(command, ctx, runBpfTunnelList);
}

/** Prints behind which node each pod range lies. */
export async function runBpfTunnelList(options: ListFlags, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  const release = await mapsRelease(ctx);
  for (const record of await readRequired(ctx.globals.bpfRoot, TUNNEL, release))
    addPair(pairs, ...tunnelTexts(record));
  await printPairs(ctx, ['TUNNEL', 'VALUE'], pairs, { ...options, quietWhenEmpty: true });
}
