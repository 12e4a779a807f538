import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { addListOptions, runList } from '../../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../../cli/output.ts';
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
  command.addHelpText(
    'after',
    examples(
      'cilium bpf policy get 637',
      'cilium bpf policy get shop/cart-6d9b-7hj2w',
      'cilium bpf policy get --all --numeric',
    ),
  );
  command
    .argument('[endpoint]', 'endpoint id, pod as NAMESPACE/NAME, reserved identity or path of a pinned map')
    .option('-n, --numeric', 'Do not resolve IDs')
    .option('--all', 'Dump all policy maps')
    .addOption(outputOption(...LIST_FORMATS))
    .action((endpoint: string | undefined, options: PolicyGetOptions) =>
      runList(ctx, options, (flags, here) => runBpfPolicyGet(endpoint, flags, here), 'The kernel'),
    );
  addListOptions(command);
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
  using map = await openPolicyMap(ctx, endpoint);
  await dumpPolicyMap(ctx, map, options);
}
