import type { Command } from 'commander';
import { outputOption, requireRoot } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { dumpAllPolicyMaps, type PolicyDumpOptions } from './dump.ts';

/** Declares `bpf policy list`. */
export function addBpfPolicyListCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('list')
    .alias('ls')
    .description('Dump all policy maps')
    .option('-n, --numeric', 'Do not resolve IDs')
    .addOption(outputOption())
    .action((options: PolicyDumpOptions) => runBpfPolicyList(options, ctx));
}

/** Prints the policy maps of all endpoints. */
export async function runBpfPolicyList(options: PolicyDumpOptions, ctx: Context): Promise<void> {
  requireRoot('cilium bpf policy list', ctx.uid);
  await dumpAllPolicyMaps(ctx, options);
}
