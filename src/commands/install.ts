import type { Command } from 'commander';
import { mayWrite } from '../cli/confirm.ts';
import { examples } from '../cli/flags.ts';
import { evictAwsNode } from '../cli/helm/aws-node.ts';
import { chartWords, openChart } from '../cli/helm/chart.ts';
import { type Detected, detect } from '../cli/helm/detect.ts';
import { failedUpgrade } from '../cli/helm/failure.ts';
import { type InstallFlags, installFlags } from '../cli/helm/install-flags.ts';
import { checkValues } from '../cli/helm/lint.ts';
import { printVersions } from '../cli/helm/list-versions.ts';
import { asFailure, telling, tellStuck } from '../cli/helm/told.ts';
import { helmOrCommand, refuseGitOps } from '../cli/helm/upgrade-release.ts';
import { readValues } from '../cli/helm/values.ts';
import { rendered, seconds, write } from '../cli/helm/write.ts';
import { NO_SCHEDULE_PAIRS, OLDEST_CHART } from '../cluster/install/automatic.ts';
import { mergeValues } from '../cluster/install/set-values.ts';
import { compareVersions, parseChartVersion } from '../cluster/install/version.ts';
import type { Cluster, Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { clusterNames } from '../kube/detect.ts';
import { type HelmValues, helmFault, sameCluster } from '../kube/helm.ts';
import { readOwnership } from '../kube/owner.ts';
import { readRevisionStates } from '../kube/release.ts';
import { openCluster } from '../kube/road.ts';
import { valuesYaml } from '../render/cluster/values.ts';

const WHAT = 'Unable to install Cilium';
/** Where the reference installs Cilium when nobody says otherwise. */
const USUAL_NAMESPACE = 'kube-system';

/** Declares `install`. */
export function addInstallCommand(command: Command, ctx: Context): void {
  installFlags(command)
    .addHelpText(
      'after',
      examples(
        'cilium install',
        'cilium install --version 1.20.0 --set cluster.id=1 --set cluster.name=cluster1 --wait',
        'cilium install --chart ./cilium-1.20.0.tgz -f values.yaml --dry-run | kubectl diff -f -',
        'cilium install --dry-run-helm-values > values.yaml',
      ),
    )
    .action((flags: InstallFlags) => runInstall(flags, ctx));
}

/** Installs Cilium through helm, with values that fit the cluster. */
export async function runInstall(flags: InstallFlags, ctx: Context): Promise<void> {
  await using client = await openCluster(ctx);
  try {
    if (flags.listVersions) await printVersions(flags, ctx);
    else await install(client, flags, ctx);
  } catch (error) {
    throw asFailure(WHAT, error);
  }
}

async function install(client: KubeClient, flags: InstallFlags, ctx: Context): Promise<void> {
  const cluster: Cluster = ctx.globals.cluster ?? {};
  const namespace = cluster.namespace ?? USUAL_NAMESPACE;
  const release = flags.helmReleaseName;
  const isDry = flags.dryRun === true || flags.dryRunHelmValues === true;
  if (!isDry) await refuseSecond(client, namespace, release);
  const given = await readValues(flags, flags.nodesWithoutCilium ? NO_SCHEDULE_PAIRS : [], ctx);
  const words = ['install', release, ...chartWords(flags)];
  const look = (chartVersion: string, isQuiet: boolean) =>
    detect(
      client,
      flags,
      { chartVersion, known: given.merged, forInstall: true },
      telling(ctx, isQuiet),
      ctx,
    );
  const together = ({ automatic, proxy }: Detected) =>
    mergeValues(mergeValues(automatic, given.merged), proxy);
  const values = async () => together(await look(flags.version ?? '', true));
  const helm = await helmOrCommand(ctx, flags.helm, values, { words, cluster, namespace });
  await using chart = await openChart(helm, flags, ctx);
  refuseOld(chart.version);
  const found = await look(chart.version, isDry);
  await checkValues(
    given,
    { from: 'found out', values: found.automatic },
    chart.version,
    { all: flags.ignoreLint === true, what: WHAT },
    ctx,
  );
  const sources: HelmValues[] = [
    { text: JSON.stringify(found.automatic) },
    ...given.sources,
    { text: JSON.stringify(found.proxy) },
  ];
  const run = {
    words: ['install', release, chart.path],
    ...{ cluster: sameCluster(client, cluster), namespace, values: sources },
  };
  if (isDry) {
    const { manifest, config } = await rendered(ctx, helm, run, 'client');
    if (flags.dryRun) await ctx.out.write(`${manifest}\n`);
    if (flags.dryRunHelmValues) await ctx.out.write(`${await valuesYaml(config)}\n`);
    return;
  }
  await refuseGitOps(ctx, await readOwnership(client, namespace, release), together(found));
  const { context } = clusterNames(client);
  const what = `install Cilium ${chart.version} in the namespace ${namespace} of the context ${context}`;
  if (!(await mayWrite(ctx, what, { yes: flags.yes === true }))) return;
  if (found.flavour === 'EKS') await evictAwsNode(client, given.merged, ctx);
  const ran = await write(ctx, helm, {
    ...run,
    words: [
      ...[...run.words, '-o', 'json', '--timeout', seconds(flags.waitDuration)],
      ...(flags.wait ? ['--wait'] : []),
    ],
  });
  if (ran.code !== 0) {
    if (flags.wait) await tellStuck(client, namespace, ctx);
    throw await failedUpgrade(client, {
      namespace,
      release,
      cluster,
      fault: helmFault(ran),
      before: undefined,
    });
  }
  await ctx.err.write(
    `Cilium ${chart.version} is installed as release ${release}.${flags.wait ? '' : ' How far it is: cilium status --rollout --wait'}\n`,
  );
}

/** Helm would refuse it as well, after everything has been rendered. */
async function refuseSecond(client: KubeClient, namespace: string, release: string): Promise<void> {
  const [newest] = await readRevisionStates(client, namespace, release);
  if (!newest || newest.status === 'uninstalled') return;
  throw new UserError('release name check failed: cannot reuse a name that is still in use', {
    hint:
      newest.status === 'deployed'
        ? `The release ${release} is there, at revision ${newest.revision}. To change it: cilium upgrade`
        : `Revision ${newest.revision} of the release ${release} is left in the state "${newest.status}". To take it away: cilium uninstall`,
  });
}

function refuseOld(version: string): void {
  const [own, oldest] = [parseChartVersion(version), parseChartVersion(OLDEST_CHART)];
  if (own && oldest && compareVersions(own, oldest) < 0)
    throw new UserError(`cilium version unsupported ${version}`, {
      hint: `The oldest chart that is installed is ${OLDEST_CHART}.`,
    });
}
