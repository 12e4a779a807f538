import { type Command, Option } from 'commander';
import { deleteLookups, listLookups } from '../../../agent/decode/fqdn.ts';
import { failed } from '../../../cli/answer.ts';
import { confirm } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../../cli/writes.ts';
import type { Context } from '../../../context.ts';
import { lookupTable } from '../../../render/agent/fqdn.ts';
import { renderTable } from '../../../render/text/blocks.ts';

interface FqdnCacheCleanOptions extends WaitFlags {
  force?: boolean;
  matchpattern: string;
}

/** Declares `fqdn cache clean`. */
export function addFqdnCacheCleanCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples("cilium fqdn cache clean --matchpattern '*.example.com'"))
    .addOption(new Option('-f, --force', 'Skip confirmation'))
    .option('-p, --matchpattern <pattern>', 'Delete cache entries with FQDNs that match matchpattern', '')
    .action((options: FqdnCacheCleanOptions) => runFqdnCacheClean(options, ctx));
  addWaitOptions(command, 'the entries are gone');
}

async function runFqdnCacheClean(options: FqdnCacheCleanOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const filter = { matchpattern: options.matchpattern };
  if (!options.force) {
    await ctx.out.write('Following cache entries are going to be deleted:\n');
    const lookups = await listLookups(agent, filter).catch(failed('Cannot get the DNS cache'));
    await ctx.out.write(renderTable(lookupTable(lookups.decode())));
    if (!(await confirm(ctx))) return;
  }
  await deleteLookups(agent, options.matchpattern).catch(
    writeFailed('Cannot clean the DNS cache', 'cilium fqdn cache list'),
  );
  await ctx.out.write('FQDN proxy cache cleared\n');
  if (options.wait)
    await readBack(
      ctx,
      options,
      'an empty DNS cache',
      // Addresses in use stay as `connection` until their connections end.
      async () => (await listLookups(agent, { ...filter, source: 'lookup' })).decode().length === 0,
    );
}
