import type { Command } from 'commander';
import type { AgentClient } from '../../agent/client.ts';
import { type PrefilterChange, readPrefilter } from '../../agent/decode/prefilter.ts';
import { integer, stringSlice } from '../../cli/flags.ts';
import { addWaitOptions, type WaitFlags } from '../../cli/writes.ts';
import { UserError } from '../../errors.ts';
import { formatRange, parsePrefix } from '../../lib/address.ts';

interface PrefilterOptions extends WaitFlags {
  revision: number;
  cidr: string[];
}

/** Adds what both writing verbs take, and checks the ranges before `run` is called. */
export function declareChange(
  command: Command,
  purpose: string,
  run: (options: PrefilterOptions) => Promise<void>,
): void {
  command
    .addOption(integer('--revision <number>', 'Update revision', { min: 0 }).default(0, ''))
    .addOption(stringSlice('--cidr <cidrs>', `List of CIDR prefixes to ${purpose}`))
    .action(async (options: PrefilterOptions) => {
      for (const cidr of options.cidr)
        if (!parsePrefix(cidr))
          throw new UserError(`Cannot parse CIDR "${cidr}": invalid CIDR address: ${cidr}`, {
            hint: 'Expected an address and a length, as in 192.0.2.0/24.',
          });
      await run(options);
    });
  addWaitOptions(command, 'the agent shows the change');
}

/** The change that the flags ask for. */
export function changeOf({ revision, cidr }: PrefilterOptions): PrefilterChange {
  return { deny: cidr, ...(revision !== 0 && { revision }) };
}

/** The ranges that the agent filters, in canonical form. */
export async function readBlocks(agent: AgentClient): Promise<Set<string>> {
  return new Set((await readPrefilter(agent)).decode().deny.map(canonical));
}

/** A range as the agent writes it. */
export function canonical(text: string): string {
  const range = parsePrefix(text);
  return range ? formatRange(range) : text;
}
