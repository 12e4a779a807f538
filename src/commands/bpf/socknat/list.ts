import type { Command } from 'commander';
import { SOCKETS4, SOCKETS6 } from '../../../bpf/layouts/services.ts';
import { readPinned } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { socketNatText } from '../../../render/bpf/services.ts';

/** Declares `bpf socknat list`. */
export function addBpfSocknatListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf socknat list'));
  listVerb(command, ctx, runBpfSocknatList);
}

/** Prints which frontend each translated socket was connected to. */
export async function runBpfSocknatList(options: ListFlags, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  const { bpfRoot } = ctx.globals;
  for (const { key, value } of [
    ...((await readPinned(bpfRoot, SOCKETS4)) ?? []),
    ...((await readPinned(bpfRoot, SOCKETS6)) ?? []),
  ])
    addPair(pairs, String(key.cookie), socketNatText(key, value));
  await printPairs(ctx, ['Socket Cookie', 'Backend -> Frontend'], pairs, {
    ...options,
    quietWhenEmpty: true,
  });
}
