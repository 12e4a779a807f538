import type { Command } from 'commander';
import { tunnelKey117, tunnelValue117 } from '../../../bpf/layouts/structs.ts';
import { tunnelKeyText, tunnelText } from '../../../bpf/layouts/texts.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { outputOption } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { addPair, type OutputOptions, type Pairs, printPairs, withRequired } from '../dump.ts';

/** Declares `bpf tunnel list`, which agents up to 1.17 had. */
export function addBpfTunnelListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputOptions) => runBpfTunnelList(options, ctx));
}

/** Prints behind which node each pod range lies. */
export async function runBpfTunnelList(options: OutputOptions, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  await withRequired(ctx, 'cilium_tunnel_map', async (map) => {
    for (const { key, value } of await readRecords(map, tunnelKey117, tunnelValue117))
      addPair(pairs, tunnelKeyText(key), tunnelText(value));
  });
  await printPairs(ctx, ['TUNNEL', 'VALUE'], pairs, options);
}
