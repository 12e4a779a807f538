import type { Command } from 'commander';
import { listBgpRoutePolicies } from '../../agent/decode/bgp.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption } from '../../cli/output.ts';
import { addWatchOptions, printAnswers, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { routePolicyTable } from '../../render/agent/bgp.ts';
import { unlessBgpIsDisabled } from './disabled.ts';
import { takeVRouter } from './vrouter.ts';

interface BgpRoutePoliciesOptions extends OutputFlag, WatchFlags {}

/** Declares `bgp route-policies`. */
export function addBgpRoutePoliciesCommand(command: Command, ctx: Context): void {
  command
    .usage('[vrouter <asn>]')
    .argument('[words...]', 'vrouter and its AS number')
    .addOption(outputOption())
    .action((words: string[], options: BgpRoutePoliciesOptions) =>
      unlessBgpIsDisabled(ctx, () => runBgpRoutePolicies(words, options, ctx)),
    );
  addWatchOptions(command);
}

async function runBgpRoutePolicies(
  words: string[],
  options: BgpRoutePoliciesOptions,
  ctx: Context,
): Promise<void> {
  const { asn } = takeVRouter(words);
  if (words.length > 0 && asn === undefined)
    throw new UserError('failed to parse vrouter ASN: missing `vrouter` parameter');
  const agent = await ctx.agent();
  const ask = () => listBgpRoutePolicies(agent, asn).catch(failed('cannot get route policies list'));
  await printAnswers(ctx, options, ask, ({ policies, families }) => routePolicyTable(policies, { families }));
}
