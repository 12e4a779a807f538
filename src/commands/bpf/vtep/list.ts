import type { Command } from 'commander';
import { vtepKey, vtepValue } from '../../../bpf/layouts/structs.ts';
import { vtepText } from '../../../bpf/layouts/texts.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs, withRequired } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';

/** Declares `bpf vtep list`. */
export function addBpfVtepListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfVtepList(options, ctx));
}

/** Prints the tunnel endpoints outside the cluster. */
export async function runBpfVtepList(options: OutputFlag, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  await withRequired(ctx, 'cilium_vtep_map', async (map) => {
    for (const { key, value } of await readRecords(map, vtepKey, vtepValue))
      addPair(pairs, key.ip, vtepText(value));
  });
  await printPairs(ctx, ['IP PREFIX/ADDRESS', 'VTEP'], pairs, options);
}
