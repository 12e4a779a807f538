import type { Command } from 'commander';
import { releaseOfPins } from '../../../bpf/kernel/pins.ts';
import { endpointInfo, endpointInfo117, endpointKey } from '../../../bpf/layouts/structs.ts';
import { endpointKeyText, endpointText } from '../../../bpf/layouts/texts.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs, withRequired } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { atLeast } from '../../../model/release.ts';

/** Declares `bpf endpoint list`. */
export function addBpfEndpointListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfEndpointList(options, ctx));
}

/** Prints the addresses of this node's endpoints and what the datapath knows of each. */
export async function runBpfEndpointList(options: OutputFlag, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  const value = atLeast(releaseOfPins(ctx.globals.bpfRoot), '1.18') ? endpointInfo : endpointInfo117;
  await withRequired(ctx, 'cilium_lxc', async (map) => {
    for (const record of await readRecords(map, endpointKey, value))
      addPair(pairs, endpointKeyText(record.key), endpointText(record.value));
  });
  await printPairs(ctx, ['IP ADDRESS', 'LOCAL ENDPOINT INFO'], pairs, options);
}
