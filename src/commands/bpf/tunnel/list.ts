import type { Command } from 'commander';
import { tunnelKey117, tunnelValue117 } from '../../../bpf/layouts/structs.ts';
import { tunnelKeyText, tunnelText } from '../../../bpf/layouts/texts.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs, withRequired } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';

/** Declares `bpf tunnel list`, which agents up to 1.17 had. */
export function addBpfTunnelListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfTunnelList(options, ctx));
}

/** Prints behind which node each pod range lies. */
export async function runBpfTunnelList(options: OutputFlag, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  await withRequired(ctx, 'cilium_tunnel_map', async (map) => {
    for (const { key, value } of await readRecords(map, tunnelKey117, tunnelValue117))
      addPair(pairs, tunnelKeyText(key), tunnelText(value));
  });
  await printPairs(ctx, ['TUNNEL', 'VALUE'], pairs, options);
}
