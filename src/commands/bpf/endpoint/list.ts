import type { Command } from 'commander';
import { ENDPOINTS } from '../../../bpf/layouts/endpoints.ts';
import { readRequired } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { endpointKeyText, endpointText } from '../../../render/bpf/endpoints.ts';

/** Declares `bpf endpoint list`. */
export function addBpfEndpointListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfEndpointList(options, ctx));
}

/** Prints the addresses of this node's endpoints and what the datapath knows of each. */
export async function runBpfEndpointList(options: OutputFlag, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  const release = await mapsRelease(ctx);
  for (const { key, value } of await readRequired(ctx.globals.bpfRoot, ENDPOINTS, release))
    addPair(pairs, endpointKeyText(key, release), endpointText(value, release));
  await printPairs(ctx, ['IP ADDRESS', 'LOCAL ENDPOINT INFO'], pairs, options);
}
