import type { Command } from 'commander';
import { VTEP } from '../../../bpf/layouts/nodes.ts';
import { readRequired } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';

import { vtepText } from '../../../render/bpf/nodes.ts';

/** Declares `bpf vtep list`. */
export function addBpfVtepListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf vtep list'));
  listVerb(command, ctx, runBpfVtepList);
}

/** Prints the tunnel endpoints outside the cluster. */
export async function runBpfVtepList(options: ListFlags, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  for (const { key, value } of await readRequired(ctx.globals.bpfRoot, VTEP))
    addPair(pairs, key.ip, vtepText(value));
  await printPairs(ctx, ['IP PREFIX/ADDRESS', 'VTEP'], pairs, options);
}
