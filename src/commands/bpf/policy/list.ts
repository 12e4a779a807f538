import type { Command } from 'commander';
import { outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { dumpAllPolicyMaps, type PolicyDumpOptions } from './dump.ts';

/** Declares `bpf policy list`. */
export function addBpfPolicyListCommand(command: Command, ctx: Context): void {
  command
    .option('-n, --numeric', 'Do not resolve IDs')
    .addOption(outputOption())
    .action((options: PolicyDumpOptions) => runBpfPolicyList(options, ctx));
}

/** Prints the policy maps of all endpoints. */
export async function runBpfPolicyList(options: PolicyDumpOptions, ctx: Context): Promise<void> {
  await dumpAllPolicyMaps(ctx, options);
}
