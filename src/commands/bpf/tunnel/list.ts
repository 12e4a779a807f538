import type { Command } from 'commander';
import { TUNNEL } from '../../../bpf/layouts/nodes.ts';
import { readRequired } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';

import { tunnelKeyText, tunnelText } from '../../../render/bpf/nodes.ts';

/** Declares `bpf tunnel list`, which agents up to 1.17 had. */
export function addBpfTunnelListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfTunnelList(options, ctx));
}

/** Prints behind which node each pod range lies. */
export async function runBpfTunnelList(options: OutputFlag, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  for (const { key, value } of await readRequired(ctx.globals.bpfRoot, TUNNEL))
    addPair(pairs, tunnelKeyText(key), tunnelText(value));
  await printPairs(ctx, ['TUNNEL', 'VALUE'], pairs, options);
}
