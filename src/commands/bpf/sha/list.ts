import type { Command } from 'commander';
import { type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { readTemplates, stateFolder } from './templates.ts';

/** Declares `bpf sha list`. */
export function addBpfShaListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf sha list'));
  listVerb(command, ctx, runBpfShaList);
}

/** Prints which endpoints share compiled programs; a template that none uses shows a dash. */
export async function runBpfShaList(options: ListFlags, ctx: Context): Promise<void> {
  const templates = readTemplates(stateFolder(ctx.env));
  const pairs: Pairs = new Map(templates);
  if (options.output === '')
    for (const [sha, endpoints] of templates) if (endpoints.length === 0) pairs.set(sha, ['-']);
  await printPairs(ctx, ['Datapath SHA', 'Endpoint(s)'], pairs, options);
}
