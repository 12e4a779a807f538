import { type Command, Option } from 'commander';
import { listIps } from '../../agent/decode/identities.ts';
import { failed } from '../../cli/answer.ts';
import { examples, requiredArgument, stringSlice } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { parsePrefix } from '../../lib/address.ts';
import { formatLabel, labelsByKey } from '../../model/label.ts';
import { ipBriefTable, ipTable } from '../../render/agent/identity.ts';
import { renderTable } from '../../render/text/blocks.ts';
import { sanitize } from '../../render/text/sanitize.ts';
import { nameIdentities } from './names.ts';

interface IpGetOptions extends OutputFlag {
  labels: string[];
  verbose?: boolean;
}

/** Declares `ip get`. */
export function addIpGetCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium ip get 10.244.0.85/32'))
    .argument('[cidr]', 'block of addresses, such as 10.0.0.1/32')
    .addOption(stringSlice('-l, --labels <labels>', 'List of labels'))
    .addOption(new Option('-v, --verbose', 'Print all fields of ipcache'))
    .addOption(outputOption())
    .action((cidr: string | undefined, options: IpGetOptions) => {
      if (options.labels.length > 0 && cidr !== undefined)
        throw new UsageError('Cannot provide both cidr and labels arguments concurrently');
      return options.labels.length > 0
        ? getByLabels(options, ctx)
        : getByCidr(requiredArgument(command, cidr, 'cidr'), options, ctx);
    });
}

async function getByCidr(cidr: string, options: IpGetOptions, ctx: Context): Promise<void> {
  if (!parsePrefix(cidr))
    throw new UserError(`Unable to parse CIDR "${cidr}": invalid CIDR address: ${cidr}`, {
      hint: 'An address alone is written with its length: 192.0.2.1/32 or 2001:db8::1/128.',
    });
  const agent = await ctx.agent();
  const answer = await listIps(agent, { cidr }).catch(failed('Cannot get ipcache entries. err'));
  if (options.output) return writeAnswer(ctx, options.output, answer);
  const rows = await nameIdentities(answer.decode(), agent, ctx);
  await ctx.out.write(renderTable(ipTable(rows, options)));
}

async function getByLabels(options: IpGetOptions, ctx: Context): Promise<void> {
  const labels = [...labelsByKey(options.labels).values()].map(formatLabel);
  if (labels.length === 0) throw new UserError(`Labels cannot be empty [${options.labels.join(' ')}]`);
  const rule = '===========================\n';
  await ctx.out.write(`${rule}Labels:\n${labels.map((label) => `    ${sanitize(label)}\n`).join('')}${rule}`);
  const agent = await ctx.agent();
  const answer = await listIps(agent, { labels }).catch(failed('Cannot get ipcache entries. err'));
  if (options.output) return writeAnswer(ctx, options.output, answer);
  const rows = answer.decode();
  await ctx.out.write(
    renderTable(
      options.verbose ? ipTable(await nameIdentities(rows, agent, ctx), options) : ipBriefTable(rows),
    ),
  );
}
