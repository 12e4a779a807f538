import type { Command } from 'commander';
import { outputOption, requireRoot } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { type OutputOptions, type Pairs, printPairs } from '../dump.ts';
import { readTemplates, stateFolder } from './templates.ts';

/** Declares `bpf sha list`. */
export function addBpfShaListCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('list')
    .alias('ls')
    .description('List BPF template objects')
    .addOption(outputOption())
    .action((options: OutputOptions) => runBpfShaList(options, ctx));
}

/** Prints which endpoints share compiled programs; a template that none uses shows a dash. */
export async function runBpfShaList(options: OutputOptions, ctx: Context): Promise<void> {
  requireRoot('cilium bpf sha list', ctx.uid);
  const templates = readTemplates(stateFolder(ctx.env));
  const pairs: Pairs = new Map(templates);
  if (options.output === '')
    for (const [sha, endpoints] of templates) if (endpoints.length === 0) pairs.set(sha, ['-']);
  await printPairs(ctx, ['Datapath SHA', 'Endpoint(s)'], pairs, options);
}
