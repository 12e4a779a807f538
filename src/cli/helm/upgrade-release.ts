import type { Cluster, Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { writeChart } from '../../kube/chart.ts';
import type { KubeClient } from '../../kube/client.ts';
import { findHelm, type Helm, helmFault, NoHelm, sameCluster } from '../../kube/helm.ts';
import { type Ownership, readOwnership } from '../../kube/owner.ts';
import { findRelease, type HelmRelease, readRevisionStates } from '../../kube/release.ts';
import { valuesYaml } from '../../render/cluster/values.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { helmCommand } from './command.ts';
import { failedUpgrade } from './failure.ts';
import { waitWords, write } from './write.ts';

/** Values that are to be set in the release as it is, with the chart that it has. */
export interface ReleaseChange {
  /** Nested as in values.yaml; they go before those of the release. */
  values: Record<string, unknown>;
  /** All values that the release is to have, instead of its own with those on top, and the revision that they were made of. */
  whole?: { values: Record<string, unknown>; revision: number } | undefined;
  /** Where Cilium is installed. */
  namespace: string;
  /** Default `cilium`. */
  release?: string | undefined;
  /** The cluster that `client` leads to; default the one that the command line names. */
  cluster?: Cluster | undefined;
  /** The program, where a flag names it. */
  helm?: string | undefined;
  /** Waits until what was changed is ready, at most so long. */
  waitMs?: number | undefined;
}

/** What became of it. */
export interface ReleaseChanged {
  revision: number;
  before: HelmRelease;
}

/**
 * Upgrades the release of Cilium with further values: all others stay as they are, and so does the chart, which is taken from the
 * release itself, so that nothing is fetched. Throws UserError where there is no release, where Argo CD or Flux owns it (what is to
 * be committed goes to stdout), where there is no helm (the command and the values go to stdout), and where helm fails.
 */
export async function upgradeRelease(
  ctx: Context,
  client: KubeClient,
  change: ReleaseChange,
): Promise<ReleaseChanged> {
  const { values, namespace, release = 'cilium', waitMs } = change;
  const cluster = change.cluster ?? ctx.globals.cluster ?? {};
  const before = await requireRelease(client, namespace, release);
  await refusePending(client, before, { namespace, release, cluster });
  const { whole } = change;
  if (whole && whole.revision !== before.revision)
    throw new UserError(
      `the release ${release} was changed meanwhile: revision ${whole.revision} was looked at, and ${before.revision} is there`,
      { hint: 'Nothing was changed. Run the same again.' },
    );
  const ownership = await readOwnership(client, namespace, release);
  await refuseGitOps(ctx, ownership, values);
  const words = ['upgrade', release, whole ? '--reset-values' : '--reuse-values'];
  const helm = await helmOrCommand(ctx, change.helm, async () => values, {
    words: [...words, 'cilium', '--version', before.chartVersion, '--repo', REPOSITORY],
    cluster,
    namespace,
  });
  await using chart = await writeChart(before.chart, ctx.env);
  const [verb, name, ...flags] = words;
  const ran = await write(ctx, helm, {
    words: [
      ...[verb ?? '', name ?? '', chart.path, ...flags, '-o', 'json', '--history-max', '10'],
      ...(waitMs === undefined ? [] : waitWords(waitMs)),
    ],
    cluster: sameCluster(client, cluster),
    namespace,
    values: [{ text: JSON.stringify(whole?.values ?? values) }],
  });
  if (ran.code !== 0)
    throw await failedUpgrade(client, { namespace, release, cluster, fault: helmFault(ran), before });
  const after = await findRelease(client, namespace, release);
  return { revision: after?.revision ?? before.revision + 1, before };
}

/** Where Cilium's charts are published. */
export const REPOSITORY = 'https://helm.cilium.io';

/** The release of Cilium that is there. Throws UserError where there is none, or it is of another chart. */
export async function requireRelease(
  client: KubeClient,
  namespace: string,
  release: string,
): Promise<HelmRelease> {
  const found = await findCiliumRelease(client, namespace, release);
  if (found) return found;
  const { gitOps, isThere } = await readOwnership(client, namespace, release);
  throw new UserError(`there is no Helm release ${release} in the namespace ${namespace}`, {
    hint: gitOps
      ? `${gitOps.kind} (${gitOps.name}) installs Cilium there: change it where it is written.`
      : isThere
        ? 'Cilium is there, but Helm did not install it, or under another name: --helm-release-name.'
        : 'Name the place and the release: --namespace, --helm-release-name. To install it: cilium install',
  });
}

/** The release of Cilium, if there is one. Throws UserError where the one of the name is of another chart. */
export async function findCiliumRelease(
  client: KubeClient,
  namespace: string,
  release: string,
): Promise<HelmRelease | undefined> {
  const found = await findRelease(client, namespace, release);
  if (!found || found.chartName === 'cilium') return found;
  const { chartName, chartVersion } = found;
  const chart =
    chartName === '' ? 'of a chart without a name' : `of the chart ${chartName} ${chartVersion}`.trimEnd();
  throw new UserError(
    `the Helm release ${release} in the namespace ${namespace} is ${chart}, not of cilium: nothing was changed`,
    { hint: 'Name the place and the release of Cilium: --namespace, --helm-release-name. See: helm list -A' },
  );
}

/** Throws where helm is at work, or was ended in the middle: it would refuse to do anything. */
export async function refusePending(
  client: KubeClient,
  { revision }: HelmRelease,
  { namespace, release, cluster }: { namespace: string; release: string; cluster: Cluster },
): Promise<void> {
  const [newest] = await readRevisionStates(client, namespace, release);
  if (!newest?.status.startsWith('pending')) return;
  const words = ['rollback', release, String(revision)];
  throw new UserError('another operation (install/upgrade/rollback) is in progress', {
    hint: `Revision ${newest.revision} is in the state "${newest.status}". If no helm runs any more: ${helmCommand({ words, cluster, namespace, values: false })}`,
  });
}

/** Throws where Argo CD or Flux owns the release: it would set back what is changed here. What is to be committed is printed. */
export async function refuseGitOps(
  ctx: Context,
  { gitOps, unseen }: Ownership,
  values: Record<string, unknown>,
): Promise<void> {
  if (!gitOps) {
    for (const why of unseen)
      await ctx.err.write(
        `Note: whether Argo CD or Flux owns the release is not certain: ${sanitizeCell(why)}\n`,
      );
    return;
  }
  await ctx.out.write(await valuesYaml(values));
  throw new UserError(`${gitOps.kind} (${gitOps.name}) owns this release: nothing was changed`, {
    hint: `Told by ${gitOps.by}. Commit the values above where ${gitOps.kind} reads them.`,
  });
}

/** The program; where there is none, what somebody else can run goes to stdout, and the error says so. */
export async function helmOrCommand(
  ctx: Context,
  named: string | undefined,
  values: () => Promise<Record<string, unknown>>,
  run: { words: readonly string[]; cluster: Cluster; namespace: string },
): Promise<Helm> {
  try {
    return await findHelm(named, ctx);
  } catch (error) {
    if (!(error instanceof NoHelm)) throw error;
    await ctx.out.write(`# values.yaml, for:\n#   ${helmCommand(run)}\n${await valuesYaml(await values())}`);
    throw new UserError(`${error.message}: nothing was changed`, {
      hint: `${error.hint ?? ''} Or save what is printed above as values.yaml, and run the command in it.`.trim(),
      cause: error,
    });
  }
}
