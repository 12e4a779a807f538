import type { Command } from 'commander';
import { IPCACHE } from '../../../bpf/layouts/ipcache.ts';
import { readRequired } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { ipcacheKeyText, ipcacheText } from '../../../render/bpf/ipcache.ts';

/** Declares `bpf ipcache list`. */
export function addBpfIpcacheListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf ipcache list', 'cilium bpf ipcache list --node worker-1 -o json'),
  );
  listVerb(command, ctx, runBpfIpcacheList);
}

/** Prints every prefix and the identity that the datapath gives it. */
export async function runBpfIpcacheList(options: ListFlags, ctx: Context): Promise<void> {
  const { bpfRoot } = ctx.globals;
  const release = await mapsRelease(ctx, IPCACHE);
  const pairs: Pairs = new Map();
  for (const { key, value } of await readRequired(bpfRoot, IPCACHE, release))
    addPair(pairs, ipcacheKeyText(key), ipcacheText(value, release));
  await printPairs(ctx, ['IP PREFIX/ADDRESS', 'IDENTITY'], pairs, options);
}
