import type { Command } from 'commander';
import { socketEntry4, socketEntry6, socketTuple4, socketTuple6 } from '../../../bpf/layouts/structs.ts';
import { socketNatText } from '../../../bpf/layouts/texts.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs, withRequired } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';

/** Declares `bpf socknat list`. */
export function addBpfSocknatListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfSocknatList(options, ctx));
}

/** Prints which frontend each translated socket was connected to. */
export async function runBpfSocknatList(options: OutputFlag, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  await withRequired(ctx, 'cilium_lb4_reverse_sk', async (map) => {
    for (const { key, value } of await readRecords(map, socketTuple4, socketEntry4))
      addPair(pairs, String(key.cookie), socketNatText(key, value));
  });
  await withRequired(ctx, 'cilium_lb6_reverse_sk', async (map) => {
    for (const { key, value } of await readRecords(map, socketTuple6, socketEntry6))
      addPair(pairs, String(key.cookie), socketNatText(key, value));
  });
  await printPairs(ctx, ['Socket Cookie', 'Backend -> Frontend'], pairs, {
    ...options,
    quietWhenEmpty: true,
  });
}
