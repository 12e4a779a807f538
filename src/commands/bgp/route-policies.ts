import type { Command } from 'commander';
import { listBgpRoutePolicies } from '../../agent/decode/bgp.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printAnswers } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../cli/output.ts';
import { releaseOfForms } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { NEWEST_RELEASE } from '../../model/release.ts';
import { routePolicyTable } from '../../render/agent/bgp.ts';
import { unlessBgpIsDisabled } from './disabled.ts';
import { takeVRouter } from './vrouter.ts';

/** Declares `bgp route-policies`. */
export function addBgpRoutePoliciesCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bgp route-policies --node worker-1', 'cilium bgp route-policies vrouter 65001 -o json'),
  );
  command
    .usage('[vrouter <asn>]')
    .argument('[words...]', 'vrouter and its AS number')
    .addOption(outputOption(...LIST_FORMATS))
    .action((words: string[], options: ListFlags) =>
      unlessBgpIsDisabled(ctx, () => runBgpRoutePolicies(words, options, ctx)),
    );
  addListOptions(command);
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
    async ({ policies, areLists }) => {
      const known = policies.some(({ statements }) => statements.some(({ families }) => families.length > 0));
      const unsaid = !areLists ? NEWEST_RELEASE : known ? '1.18' : '1.16';
      return routePolicyTable(policies, await releaseOfForms(ctx, unsaid));
    },
  );
}
