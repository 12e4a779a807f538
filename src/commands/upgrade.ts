import type { Command } from 'commander';
import { mayWrite } from '../cli/confirm.ts';
import { examples } from '../cli/flags.ts';
import { chartWords, openChart } from '../cli/helm/chart.ts';
import { detect } from '../cli/helm/detect.ts';
import { failedUpgrade } from '../cli/helm/failure.ts';
import { type InstallFlags, installFlags } from '../cli/helm/install-flags.ts';
import { checkValues } from '../cli/helm/lint.ts';
import { printVersions } from '../cli/helm/list-versions.ts';
import { asFailure, telling, tellStuck } from '../cli/helm/told.ts';
import { helmOrCommand, refuseGitOps, refusePending, requireRelease } from '../cli/helm/upgrade-release.ts';
import { readValues } from '../cli/helm/values.ts';
import { type Rendered, rendered, seconds, write } from '../cli/helm/write.ts';
import { lookAtRollouts, notesOf, waitForEnd } from '../cli/kube/rollouts.ts';
import { NO_SCHEDULE_PAIRS } from '../cluster/install/automatic.ts';
import { diffManifests, manifestObjects } from '../cluster/install/manifest.ts';
import { mergeValues } from '../cluster/install/set-values.ts';
import { jumpOf } from '../cluster/install/version.ts';
import type { Cluster, Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { clusterNames } from '../kube/detect.ts';
import { helmFault, sameCluster } from '../kube/helm.ts';
import { ciliumNamespace } from '../kube/install.ts';
import { readOwnership } from '../kube/owner.ts';
import type { HelmRelease } from '../kube/release.ts';
import { openCluster } from '../kube/road.ts';
import { findWorkloads, restart } from '../kube/rollout.ts';
import { renderManifestDiff } from '../render/cluster/manifest-diff.ts';
import { valuesYaml } from '../render/cluster/values.ts';

interface UpgradeFlags extends InstallFlags {
  resetThenReuseValues: boolean;
  resetValues?: boolean;
  reuseValues?: boolean;
  restart?: boolean;
  diff?: boolean;
  allowVersionJump?: boolean;
  forceConflicts?: boolean;
  rollbackOnFailure?: boolean;
}

const WHAT = 'Unable to upgrade Cilium';

/** Declares `upgrade`. */
export function addUpgradeCommand(command: Command, ctx: Context): void {
  installFlags(command)
    .option(
      '--reset-then-reuse-values',
      "Take the new chart's values, those of the release over them, and those given here over both",
      true,
    )
    .option('--reset-values', "Take the new chart's values, and forget those of the release")
    .option(
      '--reuse-values',
      "Keep the release's values and those of its old chart; goes before --reset-values",
    )
    .option('-r, --restart', 'Roll the operator and the agents out anew')
    .option('--diff', 'Print what would change, object by object, and change nothing')
    .option('--allow-version-jump', 'Go over a minor version, or back to an older one, all the same')
    .option('--force-conflicts', 'Take over fields that another manager has set (helm 4)')
    .option('--rollback-on-failure', 'Have helm go back to the revision before when it fails; waits')
    .addHelpText(
      'after',
      examples(
        'cilium upgrade --version 1.20.1 --diff',
        'cilium upgrade --version 1.20.1 --wait',
        'cilium upgrade --set bpf.masquerade=true --restart --wait',
        'cilium upgrade --chart ./cilium-1.20.1.tgz --dry-run > manifest.yaml',
      ),
    )
    .action((flags: UpgradeFlags) => runUpgrade(flags, ctx));
}

/** Upgrades the release of Cilium through helm, after showing what changes. */
export async function runUpgrade(flags: UpgradeFlags, ctx: Context): Promise<void> {
  await using client = await openCluster(ctx);
  try {
    if (flags.listVersions) await printVersions(flags, ctx);
    else await upgrade(client, flags, ctx);
  } catch (error) {
    throw asFailure(WHAT, error);
  }
}

/** Which values count beside the given ones, in helm's words. */
function reuseWords({ reuseValues, resetValues, resetThenReuseValues }: UpgradeFlags): string[] {
  if (reuseValues) return ['--reuse-values'];
  if (resetValues) return ['--reset-values'];
  return resetThenReuseValues ? ['--reset-then-reuse-values'] : [];
}

async function upgrade(client: KubeClient, flags: UpgradeFlags, ctx: Context): Promise<void> {
  const cluster: Cluster = ctx.globals.cluster ?? {};
  const namespace = await ciliumNamespace(client, cluster.namespace);
  const release = flags.helmReleaseName;
  const isDry = flags.dryRun === true || flags.dryRunHelmValues === true;
  const before = await requireRelease(client, namespace, release);
  if (!isDry) await refusePending(client, before, { namespace, release, cluster });
  const given = await readValues(flags, flags.nodesWithoutCilium ? NO_SCHEDULE_PAIRS : [], ctx);
  const words = reuseWords(flags);
  const run = { cluster, namespace };
  const helm = await helmOrCommand(ctx, flags.helm, async () => given.merged, {
    ...run,
    words: ['upgrade', release, ...chartWords(flags), ...words],
  });
  await using chart = await openChart(helm, flags, ctx);
  const isReset = words.includes('--reset-values');
  const kept = isReset ? {} : before.values;
  const found = await detect(
    client,
    flags,
    { chartVersion: chart.version, known: mergeValues(kept, given.merged), forInstall: false },
    telling(ctx, isDry || flags.diff === true),
    ctx,
  );
  const all = { all: flags.ignoreLint === true || isDry || flags.diff === true, what: WHAT };
  await checkValues(given, { from: 'release', values: kept }, chart.version, all, ctx);
  const jump = jumpOf(before.chartVersion, chart.version);
  const values = [...given.sources, { text: JSON.stringify(found.proxy) }];
  const full = {
    ...{ namespace, cluster: sameCluster(client, cluster), values },
    words: ['upgrade', release, chart.path, ...words],
  };
  if (jump !== undefined && !flags.allowVersionJump) {
    if (!isDry && !flags.diff)
      throw new UserError(`${jump}: nothing was changed`, {
        hint: 'Upgrade one minor version after the other. To do it all the same: --allow-version-jump',
      });
    await ctx.err.write(`Note: ${jump}. In earnest this needs --allow-version-jump.\n`);
  }
  if (isDry) {
    const { manifest, config } = await rendered(ctx, helm, full, 'client');
    if (flags.dryRun) await ctx.out.write(`${manifest}\n`);
    if (flags.dryRunHelmValues) await ctx.out.write(`${await valuesYaml(config)}\n`);
    return;
  }
  if (!flags.diff) await refuseGitOps(ctx, await readOwnership(client, namespace, release), given.merged);
  const diff = await diffText(before, await rendered(ctx, helm, full, 'server'), chart.version);
  if (flags.diff) return await ctx.out.write(diff);
  await ctx.err.write(diff);
  const { context } = clusterNames(client);
  const what = `upgrade Cilium ${before.chartVersion} to ${chart.version} in the namespace ${namespace} of the context ${context}`;
  if (!(await mayWrite(ctx, what, { yes: flags.yes === true }))) return;
  if (flags.forceConflicts && helm.major < 4)
    throw new UserError(`--force-conflicts needs helm 4: ${helm.path} is ${helm.version}`, {
      hint: 'helm 3 does not look at who manages a field: it overwrites them all.',
    });
  const ran = await write(ctx, helm, {
    ...full,
    words: [
      ...[...full.words, '-o', 'json', '--timeout', seconds(flags.waitDuration)],
      ...['--history-max', String(flags.historyMax)],
      ...(flags.wait ? ['--wait'] : []),
      ...(flags.forceConflicts ? ['--force-conflicts'] : []),
      ...(flags.rollbackOnFailure ? [helm.major < 4 ? '--atomic' : '--rollback-on-failure'] : []),
    ],
  });
  if (ran.code !== 0) {
    if (flags.wait) await tellStuck(client, namespace, ctx);
    throw await failedUpgrade(client, { namespace, release, cluster, fault: helmFault(ran), before });
  }
  await afterwards(client, namespace, flags, ctx);
}

async function diffText(before: HelmRelease, after: Rendered, version: string): Promise<string> {
  const [old, fresh] = [await manifestObjects(before.manifest), await manifestObjects(after.manifest)];
  return renderManifestDiff(diffManifests(old, fresh), {
    from: `revision ${before.revision} (${before.chartVersion})`,
    to: version,
    hooks: after.hooks.map(({ name }) => name),
  });
}

async function afterwards(
  client: KubeClient,
  namespace: string,
  { restart: isRestarted, wait, waitDuration }: UpgradeFlags,
  ctx: Context,
): Promise<void> {
  if (!isRestarted)
    return ctx.out.write('⚠️  You maybe need to restart Cilium pods for configmap changes to take effect\n');
  for (const workload of await findWorkloads(client, namespace))
    await restart(client, workload, new Date(ctx.clock.nowMs()));
  await ctx.out.write('♻️  Force restarted Cilium pods\n');
  if (!wait) return;
  const view = await waitForEnd(() => lookAtRollouts(client, namespace, ctx), waitDuration, ctx);
  await ctx.err.write(notesOf(view));
  if (view.state !== 'open') return;
  await ctx.err.write(view.text);
  throw new UserError(`the restart is not done after ${waitDuration / 1000} s`, {
    hint: 'The upgrade itself was done. How far it is: cilium status --rollout --wait',
  });
}
