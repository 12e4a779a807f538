import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { addListOptions, runList } from '../../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { dumpAllPolicyMaps, type PolicyDumpOptions } from './dump.ts';

/** Declares `bpf policy list`. */
export function addBpfPolicyListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf policy list', 'cilium bpf policy list --numeric -o json'),
  );
  command
    .option('-n, --numeric', 'Do not resolve IDs')
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: PolicyDumpOptions) => runList(ctx, options, runBpfPolicyList, 'The kernel'));
  addListOptions(command);
}

/** Prints the policy maps of all endpoints. */
export async function runBpfPolicyList(options: PolicyDumpOptions, ctx: Context): Promise<void> {
  await dumpAllPolicyMaps(ctx, options);
}
