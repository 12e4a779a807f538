import type { Command } from 'commander';
import { type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { readTemplates, stateFolder } from './templates.ts';

/** Declares `bpf sha list`. */
export function addBpfShaListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfShaList(options, ctx));
}

/** Prints which endpoints share compiled programs; a template that none uses shows a dash. */
export async function runBpfShaList(options: OutputFlag, ctx: Context): Promise<void> {
  const templates = readTemplates(stateFolder(ctx.env));
  const pairs: Pairs = new Map(templates);
  if (options.output === '')
    for (const [sha, endpoints] of templates) if (endpoints.length === 0) pairs.set(sha, ['-']);
  await printPairs(ctx, ['Datapath SHA', 'Endpoint(s)'], pairs, options);
}
