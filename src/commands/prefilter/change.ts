import type { Command } from 'commander';
import type { AgentClient } from '../../agent/client.ts';
import { Reader } from '../../agent/decode/reader.ts';
import type { Prefilter } from '../../agent/decode/types.gen.ts';
import { integer, stringSlice } from '../../cli/flags.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { formatIp, parseCidr } from '../../lib/cidr.ts';

interface PrefilterOptions extends WaitFlags {
  revision: number;
  cidr: string[];
}

/** Declares `prefilter update`. */
export function addPrefilterUpdateCommand(command: Command, ctx: Context): void {
  declare(command, 'block', async (options) => {
    const agent = await ctx.agent();
    await agent
      .patch('/prefilter', { body: bodyOf(options) })
      .catch(writeFailed('Cannot add/update prefilter', 'cilium prefilter list'));
    await ctx.out.write(`Updated ${options.cidr.length} prefilter entries\n`);
    await readBack(ctx, options, 'the blocks in the prefilter', async () => {
      const held = await readBlocks(agent);
      return options.cidr.every((cidr) => held.has(canonical(cidr)));
    });
  });
}

/** Declares `prefilter delete`. */
export function addPrefilterDeleteCommand(command: Command, ctx: Context): void {
  declare(command, 'delete', async (options) => {
    const agent = await ctx.agent();
    await agent
      .delete('/prefilter', { body: bodyOf(options) })
      .catch(writeFailed('Cannot delete prefilter', 'cilium prefilter list'));
    await ctx.out.write(`Deleted ${options.cidr.length} prefilter entries\n`);
    await readBack(ctx, options, 'the prefilter without the blocks', async () => {
      const held = await readBlocks(agent);
      return !options.cidr.some((cidr) => held.has(canonical(cidr)));
    });
  });
}

function declare(command: Command, purpose: string, run: (options: PrefilterOptions) => Promise<void>): void {
  command
    .addOption(integer('--revision <number>', 'Update revision', { min: 0 }).default(0, ''))
    .addOption(stringSlice('--cidr <cidrs>', `List of CIDR prefixes to ${purpose}`))
    .action(async (options: PrefilterOptions) => {
      for (const cidr of options.cidr)
        if (!parseCidr(cidr))
          throw new UserError(`Cannot parse CIDR "${cidr}": invalid CIDR address: ${cidr}`, {
            hint: 'Expected an address and a length, as in 192.0.2.0/24.',
          });
      await run(options);
    });
  addWaitOptions(command, 'the agent shows the change');
}

function bodyOf({ revision, cidr }: PrefilterOptions) {
  return { ...(cidr.length > 0 && { deny: cidr }), ...(revision !== 0 && { revision }) };
}

async function readBlocks(agent: AgentClient): Promise<Set<string>> {
  const prefilter = new Reader<Prefilter>('GET /prefilter', await agent.get('/prefilter'));
  return new Set(prefilter.at('status').at('realized').texts('deny').map(canonical));
}

function canonical(text: string): string {
  const cidr = parseCidr(text);
  return cidr ? `${formatIp(cidr.network)}/${cidr.length}` : text;
}
