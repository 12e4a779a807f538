import type { Command } from 'commander';
import { outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import {
  dumpAllPolicyMaps,
  dumpPolicyMap,
  missingEndpoint,
  openPolicyMap,
  type PolicyGetOptions,
} from './dump.ts';

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
  if (ctx.globals.archive) {
    const { printRecordedPolicy } = await import('./recorded.ts');
    return await printRecordedPolicy(endpoint, options, ctx);
  }
  if (options.all) return await dumpAllPolicyMaps(ctx, options);
  if (endpoint === undefined) throw missingEndpoint();
  using map = openPolicyMap(ctx, endpoint);
  await dumpPolicyMap(ctx, map, options);
}
