import type { Command } from 'commander';
import { IPCACHE } from '../../../bpf/layouts/ipcache.ts';
import { readRequired } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { ipcacheKeyText, ipcacheText } from '../../../render/bpf/ipcache.ts';

/** Declares `bpf ipcache list`. */
export function addBpfIpcacheListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfIpcacheList(options, ctx));
}

/** Prints every prefix and the identity that the datapath gives it. */
export async function runBpfIpcacheList(options: OutputFlag, ctx: Context): Promise<void> {
  const { bpfRoot } = ctx.globals;
  const release = await mapsRelease(ctx, IPCACHE);
  const pairs: Pairs = new Map();
  for (const { key, value } of await readRequired(bpfRoot, IPCACHE, release))
    addPair(pairs, ipcacheKeyText(key), ipcacheText(value, release));
  await printPairs(ctx, ['IP PREFIX/ADDRESS', 'IDENTITY'], pairs, options);
}
