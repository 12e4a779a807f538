import type { Command } from 'commander';
import { readPrefilter } from '../../agent/decode/prefilter.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';

/** Declares `prefilter list`. */
export function addPrefilterListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium prefilter list'));
  command.addOption(outputOption()).action((options: OutputFlag) => runPrefilterList(options, ctx));
}

async function runPrefilterList(options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readPrefilter(agent).catch(failed('Cannot get CIDR list'));
  if (options.output) return writeAnswer(ctx, options.output, answer);
  const { revision, deny } = answer.decode();
  await ctx.out.write(`Revision: ${revision}\n${deny.map((cidr) => `${sanitizeCell(cidr)}\n`).join('')}`);
}
