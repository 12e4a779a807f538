import type { Command } from 'commander';
import type { AgentClient } from '../../../agent/client.ts';
import { listLookups } from '../../../agent/decode/fqdn.ts';
import { endpointNumber } from '../../../cli/endpoint-number.ts';
import { examples } from '../../../cli/flags.ts';
import { addListOptions, type ListFlags, printAnswers } from '../../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { lookupTable } from '../../../render/agent/fqdn.ts';

interface FqdnCacheListOptions extends ListFlags {
  matchpattern: string;
  endpoint: string;
  source: string;
}

/** Declares `fqdn cache list`. */
export function addFqdnCacheListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium fqdn cache list',
      "cilium fqdn cache list --matchpattern '*.example' --source lookup",
      'cilium fqdn cache list --endpoint 3147 -o json',
    ),
  );
  command
    .option('-p, --matchpattern <pattern>', 'List cache entries with FQDN that match matchpattern', '')
    .option(
      '-e, --endpoint <id>',
      'List cache entries for a specific endpoint id, or pod as NAMESPACE/NAME',
      '',
    )
    .option('-s, --source <source>', 'List cache entries from a specific source (lookup, connection)', '')
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: FqdnCacheListOptions) => runFqdnCacheList(options, ctx));
  addListOptions(command);
}

async function runFqdnCacheList(options: FqdnCacheListOptions, ctx: Context): Promise<void> {
  const filter = { ...options, endpoint: await endpointNumber(options.endpoint, ctx) };
  const ask = (agent: AgentClient) => listLookups(agent, filter);
  await printAnswers(ctx, options, ask, 'Cannot get the DNS cache', lookupTable);
}
