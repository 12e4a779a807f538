import type { Command } from 'commander';
import { listBgpRoutePolicies } from '../../agent/decode/bgp.ts';
import { outputOption } from '../../cli/output.ts';
import { addWatchOptions, type ListFlags, printAnswers } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { routePolicyTable } from '../../render/agent/bgp.ts';
import { unlessBgpIsDisabled } from './disabled.ts';
import { takeVRouter } from './vrouter.ts';

/** Declares `bgp route-policies`. */
export function addBgpRoutePoliciesCommand(command: Command, ctx: Context): void {
  command
    .usage('[vrouter <asn>]')
    .argument('[words...]', 'vrouter and its AS number')
    .addOption(outputOption())
    .action((words: string[], options: ListFlags) =>
      unlessBgpIsDisabled(ctx, () => runBgpRoutePolicies(words, options, ctx)),
    );
  addWatchOptions(command);
}

async function runBgpRoutePolicies(words: string[], options: ListFlags, ctx: Context): Promise<void> {
  const { asn } = takeVRouter(words);
  if (words.length > 0 && asn === undefined)
    throw new UserError('failed to parse vrouter ASN: missing `vrouter` parameter');
  await printAnswers(
    ctx,
    options,
    (agent) => listBgpRoutePolicies(agent, asn),
    'cannot get route policies list',
    ({ policies, families }) => routePolicyTable(policies, { families }),
  );
}
