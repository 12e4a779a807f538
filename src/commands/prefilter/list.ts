import type { Command } from 'commander';
import { Reader } from '../../agent/decode/reader.ts';
import type { Prefilter } from '../../agent/decode/types.gen.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';

/** Declares `prefilter list`. */
export function addPrefilterListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runPrefilterList(options, ctx));
}

async function runPrefilterList(options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await agent.get('/prefilter').catch(failed('Cannot get CIDR list'));
  const realized = new Reader<Prefilter>('GET /prefilter', answer).at('status').at('realized');
  if (!realized.present) throw new UserError('Cannot get CIDR list: empty response');
  if (options.output) return writeStructured(ctx, options.output, answer, 'Prefilter');
  const blocks = realized.texts('deny').map((cidr) => `${sanitizeCell(cidr)}\n`);
  await ctx.out.write(`Revision: ${realized.integer('revision')}\n${blocks.join('')}`);
}
