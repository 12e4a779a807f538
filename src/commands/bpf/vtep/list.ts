import type { Command } from 'commander';
import { vtepKey, vtepValue } from '../../../bpf/layouts/structs.ts';
import { vtepText } from '../../../bpf/layouts/texts.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { outputOption, requireRoot } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { addPair, type OutputOptions, type Pairs, printPairs, withRequired } from '../dump.ts';

/** Declares `bpf vtep list`. */
export function addBpfVtepListCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('list')
    .alias('ls')
    .description('List VTEP CIDR and their corresponding VTEP MAC/IP')
    .addOption(outputOption())
    .action((options: OutputOptions) => runBpfVtepList(options, ctx));
}

/** Prints the tunnel endpoints outside the cluster. */
export async function runBpfVtepList(options: OutputOptions, ctx: Context): Promise<void> {
  requireRoot('cilium bpf vtep list', ctx.uid);
  const pairs: Pairs = new Map();
  await withRequired(ctx, 'cilium_vtep_map', async (map) => {
    for (const { key, value } of await readRecords(map, vtepKey, vtepValue))
      addPair(pairs, key.ip, vtepText(value));
  });
  await printPairs(ctx, ['IP PREFIX/ADDRESS', 'VTEP'], pairs, options);
}
