import type { Command } from 'commander';
import { outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { UsageError } from '../../../errors.ts';
import { dumpAllPolicyMaps, dumpPolicyMap, openPolicyMap, type PolicyDumpOptions } from './dump.ts';

interface PolicyGetOptions extends PolicyDumpOptions {
  all?: boolean;
}

/** Declares `bpf policy get`. */
export function addBpfPolicyGetCommand(command: Command, ctx: Context): void {
  command
    .argument('[endpoint]', 'endpoint id, reserved identity or path of a pinned map')
    .option('-n, --numeric', 'Do not resolve IDs')
    .option('--all', 'Dump all policy maps')
    .addOption(outputOption())
    .action((endpoint: string | undefined, options: PolicyGetOptions) =>
      runBpfPolicyGet(endpoint, options, ctx),
    );
}

/** Prints what an endpoint may talk to, as the datapath has it. */
export async function runBpfPolicyGet(
  endpoint: string | undefined,
  options: PolicyGetOptions,
  ctx: Context,
): Promise<void> {
  if (options.all) return await dumpAllPolicyMaps(ctx, options);
  if (endpoint === undefined)
    throw new UsageError('Missing endpoint id argument', { hint: 'Name an endpoint, or all with --all.' });
  using map = openPolicyMap(ctx, endpoint);
  await dumpPolicyMap(ctx, map, options);
}
