import type { Command } from 'commander';
import { ENDPOINTS } from '../../../bpf/layouts/endpoints.ts';
import { readRequired } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { endpointKeyText, endpointText } from '../../../render/bpf/endpoints.ts';

/** Declares `bpf endpoint list`. */
export function addBpfEndpointListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf endpoint list', 'cilium bpf endpoint list -o json'));
  listVerb(command, ctx, runBpfEndpointList);
}

/** Prints the addresses of this node's endpoints and what the datapath knows of each. */
export async function runBpfEndpointList(options: ListFlags, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  const release = await mapsRelease(ctx);
  for (const { key, value } of await readRequired(ctx.globals.bpfRoot, ENDPOINTS, release))
    addPair(pairs, endpointKeyText(key, release), endpointText(value, release));
  await printPairs(ctx, ['IP ADDRESS', 'LOCAL ENDPOINT INFO'], pairs, { ...options, quietWhenEmpty: true });
}
