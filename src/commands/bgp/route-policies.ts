import type { Command } from 'commander';
import { decodeRoutePolicies } from '../../agent/decode/bgp.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { addWatchOptions, printList, type WatchFlags } from '../../cli/watch.ts';
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
  const fetch = () =>
    agent
      .get('/bgp/route-policies', { query: { router_asn: asn } })
      .catch(failed('cannot get route policies list'));
  if (options.output) return writeStructured(ctx, options.output, await fetch(), 'BgpRoutePolicy[]');
  await printList(ctx, options, async () => {
    const { policies, families } = decodeRoutePolicies(await fetch());
    return routePolicyTable(policies, { families });
  });
}
