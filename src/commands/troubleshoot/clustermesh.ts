import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { agentAddress, connectAgent } from '../../agent/client.ts';
import { readConfig } from '../../agent/decode/config.ts';
import { durationOption, examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { errorCode, systemReason, UserError } from '../../errors.ts';
import { goQuote } from '../../lib/go-quote.ts';
import { compareBytes } from '../../lib/order.ts';
import { hasOptionsOf120 } from '../../model/config.ts';
import { withoutServiceResolution } from './kvstore.ts';
import { reportEtcd } from './report.ts';

interface TroubleshootClustermeshOptions {
  clustermeshConfig: string;
  timeout: number;
  H: string;
}

/** Declares `troubleshoot clustermesh`. */
export function addTroubleshootClustermeshCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium troubleshoot clustermesh', 'cilium troubleshoot clustermesh east west --timeout 2s'),
  );
  command
    .argument('[clusters...]', 'names of clusters; default all')
    .option(
      '--clustermesh-config <folder>',
      'Path to the ClusterMesh configuration directory',
      '/var/lib/cilium/clustermesh/',
    )
    .addOption(
      durationOption('--timeout <duration>', 'Timeout when checking connectivity to a given cluster').default(
        5000,
        '5s',
      ),
    )
    .addOption(withoutServiceResolution())
    .option('--H <uri>', 'URI to server-side API', '')
    .action((clusters: string[], options: TroubleshootClustermeshOptions) =>
      runTroubleshootClustermesh(clusters, options, ctx),
    );
}

async function runTroubleshootClustermesh(
  wanted: string[],
  options: TroubleshootClustermeshOptions,
  ctx: Context,
): Promise<void> {
  const local = await localCluster(options, ctx);
  const files = await clusterFiles(options.clustermeshConfig, local?.expectsNone === true, ctx);
  if (files === undefined) return;
  await ctx.out.write(`Found ${files.size} cluster configurations\n`);
  if (wanted.length > 0)
    await ctx.out.write(`Troubleshooting filtered subset of clusters: ${wanted.join(', ')}\n`);
  const clusters = (wanted.length > 0 ? wanted : [...files.keys()]).toSorted(compareBytes);
  for (const cluster of clusters) {
    await ctx.out.write(`\nCluster ${goQuote(cluster)}:\n`);
    if (cluster === local?.name) await ctx.out.write('ℹ️  This entry corresponds to the local cluster\n');
    const file = files.get(cluster);
    const wrong = clusterNameFault(cluster);
    if (wrong) await ctx.out.write(`❌ Invalid cluster name: ${wrong}\n`);
    else if (!file) await ctx.out.write('❌ Configuration not found\n');
    else await reportEtcd(ctx, file, options.timeout);
  }
}

function clusterNameFault(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (name.length > 32) return 'must not be more than 32 characters';
  return /^([a-z0-9][-a-z0-9]*)?[a-z0-9]$/.test(name)
    ? undefined
    : 'must consist of lower case alphanumeric characters and -, and start and end with an alphanumeric character';
}

/**
 * Files of the folder that are etcd configurations, by name; certificates lie beside them. Undefined when there is no
 * folder and that is no fault: from 1.20 on a cluster without a mesh is answered so.
 */
async function clusterFiles(
  folder: string,
  expectsNone: boolean,
  ctx: Context,
): Promise<Map<string, string> | undefined> {
  const files = new Map<string, string>();
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const why = systemReason(error);
    const unable = `Unable to retrieve cluster configurations: open ${folder}: ${why}\n`;
    if (expectsNone && errorCode(error) === 'ENOENT') {
      await ctx.out.write(`${unable}This is expected when Cluster Mesh is disabled\n`);
      return undefined;
    }
    await ctx.out.write(`${unable}Is ${goQuote(folder)} the correct configuration directory?\n`);
    throw new UserError(`cannot read the folder ${folder}: ${why}`, {
      hint: 'Name it with --clustermesh-config.',
    });
  }
  for (const name of names) {
    const path = join(folder, name);
    if (name.startsWith('..') || !(await stat(path).catch(() => undefined))?.isFile()) continue;
    if (/^endpoints:/m.test(await readFile(path, 'utf8').catch(() => ''))) files.set(name, path);
  }
  return files;
}

interface LocalCluster {
  name: string;
  /** Whether the agent's release takes a missing folder for a mesh that is off. */
  expectsNone: boolean;
}

/** The cluster that this agent belongs to. Not knowing it costs only a hint. */
async function localCluster(
  { H: host }: TroubleshootClustermeshOptions,
  ctx: Context,
): Promise<LocalCluster | undefined> {
  const address = host || agentAddress(ctx);
  try {
    const agent = connectAgent(address, ctx.signal);
    const config = await readConfig(agent);
    await agent.http.close();
    const name = config.readOnly?.ClusterName;
    return { name: typeof name === 'string' ? name : '', expectsNone: hasOptionsOf120(config) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await ctx.err.write("⚠️ Could not connect to the Cilium's API and retrieve the local cluster name\n");
    return undefined;
  }
}
