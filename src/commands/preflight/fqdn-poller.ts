import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readFqdnAddresses } from '../../agent/decode/policy-fqdns.ts';
import { failed } from '../../cli/answer.ts';
import { examples, integer } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { systemReason, UserError } from '../../errors.ts';
import { goJson } from '../../render/text/json.ts';

interface FqdnPollerOptions {
  tofqdnsPreCache: string;
  tofqdnsPreCacheTtl: number;
}

/** Declares `preflight fqdn-poller`. */
export function addPreflightFqdnPollerCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium preflight fqdn-poller --tofqdns-pre-cache fqdn-cache.json --tofqdns-pre-cache-ttl 3600'),
  );
  command
    .option('--tofqdns-pre-cache <file>', 'The path to write serialized ToFQDNs pre-cache information', '')
    .addOption(
      integer(
        '--tofqdns-pre-cache-ttl <seconds>',
        'TTL, in seconds, to set on generated ToFQDNs pre-cache information',
      ).default(604800),
    )
    .action((options: FqdnPollerOptions) => runFqdnPoller(options, ctx));
}

async function runFqdnPoller(options: FqdnPollerOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const what = 'Cannot extract DNS data from local cilium-agent';
  const names = await readFqdnAddresses(agent).catch(failed(what));
  const now = ctx.clock.nowMs();
  const ttl = options.tofqdnsPreCacheTtl;
  const lookups = [...names].map(([fqdn, ips]) => ({
    fqdn,
    'lookup-time': new Date(now).toISOString(),
    'expiration-time': new Date(now + ttl * 1000).toISOString(),
    ttl,
    ips,
  }));
  if (lookups.length === 0)
    await ctx.err.write(
      'Note: no rule has a matchName beside the addresses that agents before 1.4 added: the cache is empty.\n',
    );
  const text = goJson(lookups);
  if (options.tofqdnsPreCache === '') return ctx.out.write(text);
  try {
    await writeFile(resolve(ctx.cwd, options.tofqdnsPreCache), text);
  } catch (error) {
    throw new UserError(
      `Cannot open target destination for DNS pre-cache data: ${options.tofqdnsPreCache}: ${systemReason(error)}`,
      { cause: error },
    );
  }
}
