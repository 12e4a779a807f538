import type { Command } from 'commander';
import { mayWrite } from '../cli/confirm.ts';
import { PARTIAL } from '../cli/exit-codes.ts';
import { durationOption, examples } from '../cli/flags.ts';
import { restoreAwsNode } from '../cli/helm/aws-node.ts';
import { helmCommand } from '../cli/helm/command.ts';
import { type HelmFlags, helmFlags } from '../cli/helm/flags.ts';
import { cleanNodes, nodeNames } from '../cli/helm/node-cleanup.ts';
import { Patience } from '../cli/helm/patience.ts';
import { removeCrds } from '../cli/helm/remove-crds.ts';
import { namedTestNamespace, removeTestNamespaces } from '../cli/helm/test-namespaces.ts';
import { findCiliumRelease, requireRelease, upgradeRelease } from '../cli/helm/upgrade-release.ts';
import { seconds, write } from '../cli/helm/write.ts';
import { type ManifestObject, manifestObjects, shownObject } from '../cluster/install/manifest.ts';
import type { Context } from '../context.ts';
import { errorMessage, SilentExit, UserError } from '../errors.ts';
import { type KubeClient, type KubeObject, wordsOf } from '../kube/client.ts';
import { clusterNames } from '../kube/detect.ts';
import { findHelm, type Helm, helmFault, NoHelm, sameCluster } from '../kube/helm.ts';
import { ciliumNamespace } from '../kube/install.ts';
import { presenceOf, readLeftovers, removeAnnotations } from '../kube/leftovers.ts';
import { readOwnership } from '../kube/owner.ts';
import { listAll } from '../kube/pages.ts';
import { podsPath } from '../kube/pods.ts';
import { readRevisionStates } from '../kube/release.ts';
import { openCluster } from '../kube/road.ts';
import type { Leftovers } from '../model/leftovers.ts';
import { renderStillThere, renderUninstallPlan, type UninstallPlan } from '../render/cluster/uninstall.ts';
import { sanitizeCell } from '../render/text/sanitize.ts';

interface UninstallFlags extends HelmFlags {
  testNamespace?: string;
  wait?: boolean;
  timeout: number;
  keepCrds?: boolean;
  crds?: boolean;
  nodeCleanup?: boolean;
  image?: string;
  dryRun?: boolean;
  yes?: boolean;
}

/** Two blanks, as the reference writes them. */
const WHAT = 'Unable to uninstall Cilium: ';
const RELAY_PODS = { labelSelector: 'k8s-app=hubble-relay', namesOnly: true };

/** Declares `uninstall`. */
export function addUninstallCommand(command: Command, ctx: Context): void {
  command
    .option(
      '--test-namespace <name>',
      'Namespace to uninstall Cilium tests from (default: all that connectivity tests make)',
    )
    .option('--wait', 'Wait for uninstallation to have completed')
    .addOption(
      durationOption('--timeout <duration>', 'Maximum time to wait for resources to be deleted').default(
        300_000,
        '5m',
      ),
    )
    .option('--keep-crds', "Leave Cilium's definitions (CRDs) and all objects of them (the default)")
    .option('--crds', "Remove Cilium's definitions (CRDs), and with them all policies and other objects")
    .option('--node-cleanup', 'Clean every node up afterwards, by a privileged pod that ends (needs --image)')
    .option('--image <image>', "Image for --node-cleanup: the agents' own, or one with this program")
    .option('--dry-run', 'Print what would go and what would stay, and change nothing')
    .option('-y, --yes', 'Do not ask for confirmation');
  helmFlags(command)
    .addHelpText(
      'after',
      examples(
        'cilium uninstall --dry-run',
        'cilium uninstall --wait --timeout 10m',
        'cilium uninstall --crds --node-cleanup --image quay.io/cilium/cilium:v1.20.0',
      ),
    )
    .action((flags: UninstallFlags) => runUninstall(flags, ctx));
}

/** Tells what goes and what stays, asks, removes, and looks again. */
export async function runUninstall(flags: UninstallFlags, ctx: Context): Promise<void> {
  if (flags.crds && flags.keepCrds) throw new UserError('--crds and --keep-crds cannot be used together');
  if (flags.nodeCleanup && flags.image === undefined)
    throw new UserError('--node-cleanup needs --image: what runs on each node is for you to say', {
      hint: "The agents' own image does: see cilium images.",
    });
  await using client = await openCluster(ctx);
  try {
    await uninstall(client, flags, ctx);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${WHAT} ${error.message}`, { hint: error.hint, cause: error });
  }
}

interface Place {
  client: KubeClient;
  namespace: string;
  release: string;
  helm: Helm | undefined;
}

async function uninstall(client: KubeClient, flags: UninstallFlags, ctx: Context): Promise<void> {
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const release = flags.helmReleaseName;
  const objects = await releaseObjects(client, namespace, flags);
  const { gitOps, isThere } = await readOwnership(client, namespace, release);
  if (gitOps)
    throw new UserError(`${gitOps.kind} (${gitOps.name}) owns this release: nothing was changed`, {
      hint: `Told by ${gitOps.by}. It would bring back what is removed here: remove it there.`,
    });
  // It runs, under another name or of other means: without its definitions it would lose all policies.
  if (objects === undefined && isThere)
    throw new UserError(
      `there is no Helm release ${release} in the namespace ${namespace}, and Cilium runs there: nothing was changed`,
      { hint: 'Under which name was it installed: --helm-release-name? Otherwise take it away first.' },
    );
  const left = await leftBeside(client, namespace, objects);
  const testNamespaces =
    flags.testNamespace === undefined
      ? left.testNamespaces
      : await namedTestNamespace(client, flags.testNamespace, ctx);
  const plan: UninstallPlan = {
    ...{ release, namespace, objects, left, testNamespaces },
    context: clusterNames(client).context,
    withCrds: flags.crds === true,
    cleanupImage: flags.nodeCleanup ? flags.image : undefined,
    nodes: flags.nodeCleanup ? (await nodeNames(client)).length : undefined,
  };
  if (flags.dryRun) return ctx.out.write(renderUninstallPlan(plan));
  const helm = objects === undefined ? undefined : await helmFor(flags, namespace, ctx);
  await ctx.err.write(renderUninstallPlan(plan));
  if (
    !(await mayWrite(ctx, `uninstall Cilium from the context ${plan.context}`, { yes: flags.yes === true }))
  )
    return;
  const short = await remove({ client, namespace, release, helm }, plan, flags, ctx);
  await lookAgain(client, plan, short, flags, ctx);
}

/** What is left beside the objects of the release. */
async function leftBeside(
  client: KubeClient,
  namespace: string,
  objects: readonly ManifestObject[] = [],
): Promise<Leftovers> {
  const left = await readLeftovers(client, namespace);
  const own = objects.filter(({ kind, isKept }) => kind === 'Secret' && !isKept).map(({ name }) => name);
  return { ...left, secrets: left.secrets.filter((name) => !own.includes(name)) };
}

/** What the release consists of; undefined where there is none, and more than a release is to be removed. */
async function releaseObjects(
  client: KubeClient,
  namespace: string,
  { helmReleaseName, crds, nodeCleanup }: UninstallFlags,
): Promise<ManifestObject[] | undefined> {
  const found = await findCiliumRelease(client, namespace, helmReleaseName);
  if (found) return manifestObjects(found.manifest);
  if (crds || nodeCleanup) return undefined;
  await requireRelease(client, namespace, helmReleaseName);
  return undefined;
}

async function helmFor(flags: UninstallFlags, namespace: string, ctx: Context): Promise<Helm> {
  try {
    return await findHelm(flags.helm, ctx);
  } catch (error) {
    if (!(error instanceof NoHelm)) throw error;
    const cluster = ctx.globals.cluster ?? {};
    const words = ['uninstall', flags.helmReleaseName];
    await ctx.out.write(`${helmCommand({ words, cluster, namespace, values: false })}\n`);
    throw new UserError(`${error.message}: nothing was changed`, {
      hint: `${error.hint ?? ''} Or run what is printed above.`.trim(),
      cause: error,
    });
  }
}

/** What came short of the plan, a line each. */
interface Short {
  failures: string[];
  /** What could not be looked at. */
  unseen: string[];
}

/** Does what the plan says. Returns what failed beside the release itself. */
async function remove(
  place: Place,
  plan: UninstallPlan,
  flags: UninstallFlags,
  ctx: Context,
): Promise<Short> {
  const { client, namespace, helm } = place;
  const patience = new Patience(flags.timeout, ctx);
  const failures = await removeTestNamespaces(
    client,
    plan.testNamespaces,
    flags.wait ? patience : undefined,
    ctx,
  );
  if (helm) {
    if (flags.wait) failures.push(...(await disableHubble(place, patience, flags, ctx)));
    await ctx.out.write('⌛ Uninstalling Cilium\n');
    failures.push(...(await helmUninstall({ ...place, helm }, plan, flags, ctx)));
  }
  failures.push(...(await cleanAnnotations(client, plan, ctx)));
  const awsNode = await restoreAwsNode(client, ctx);
  failures.push(...awsNode.failures);
  if (flags.crds) failures.push(...(await removeCrds(client, namespace, plan.left.crds, patience, ctx)));
  if (plan.cleanupImage !== undefined)
    failures.push(
      ...(await cleanNodes(client, { namespace, image: plan.cleanupImage, limitMs: flags.timeout }, ctx)),
    );
  return { failures, unseen: awsNode.unseen };
}

/** Relay's pods go while Cilium is still there to take their network away. */
async function disableHubble(
  { client, namespace, release }: Place,
  patience: Patience,
  flags: UninstallFlags,
  ctx: Context,
): Promise<string[]> {
  await ctx.out.write('⌛ Waiting to disable Hubble before uninstalling Cilium\n');
  const pods = () =>
    listAll<KubeObject, string>(client, podsPath(namespace), RELAY_PODS, ({ metadata }) => metadata?.name);
  try {
    if ((await pods()).length === 0) return [];
    await upgradeRelease(ctx, client, {
      namespace,
      release,
      helm: flags.helm,
      values: { hubble: { relay: { enabled: false }, ui: { enabled: false } } },
      waitMs: flags.timeout,
    });
    const isGone = await patience.until(async () => (await pods()).length === 0);
    return isGone ? [] : ['pods of hubble-relay did not end in time'];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await ctx.out.write(`⚠ ️ Failed to disable Hubble prior to uninstalling Cilium: ${errorMessage(error)}\n`);
    return [];
  }
}

/** Returns what is not gone although the release is. Throws where the release is still there: nothing else is done then. */
async function helmUninstall(
  { client, namespace, release, helm }: Place & { helm: Helm },
  plan: UninstallPlan,
  { wait, timeout }: UninstallFlags,
  ctx: Context,
): Promise<string[]> {
  const ran = await write(ctx, helm, {
    words: [
      ...['uninstall', release, '--timeout', seconds(timeout)],
      ...(wait ? ['--wait', '--cascade', 'foreground'] : []),
    ],
    cluster: sameCluster(client, ctx.globals.cluster ?? {}),
    namespace,
  });
  if (ran.code === 0) return [];
  const fault = helmFault(ran);
  const [newest] = await readRevisionStates(client, namespace, release);
  if (!newest) return [`helm: ${fault}`];
  const objects = plan.objects ?? [];
  const presence = await presenceOf(client, objects, namespace);
  const left = presence.filter((each) => each !== 'gone').length;
  throw new UserError(fault, {
    hint: `Revision ${newest.revision} of the release is left in the state "${newest.status}", and ${left} of its ${objects.length} objects are there. When what failed is mended, run it again.`,
  });
}

async function cleanAnnotations(
  client: KubeClient,
  { left }: UninstallPlan,
  ctx: Context,
): Promise<string[]> {
  await ctx.out.write('🔥 Cleaning up Cilium node annotations...\n');
  const failures: string[] = [];
  for (const node of left.nodes.filter(({ annotations }) => annotations.length > 0)) {
    await ctx.out.write(`  Removing annotations from node ${sanitizeCell(node.name)}\n`);
    try {
      await removeAnnotations(client, node);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(`annotations on node ${node.name}: ${wordsOf(error)}`);
    }
  }
  return failures;
}

/** Says what is still there, and ends with 1 where something is that should be gone. */
async function lookAgain(
  client: KubeClient,
  plan: UninstallPlan,
  { failures, unseen }: Short,
  flags: UninstallFlags,
  ctx: Context,
): Promise<void> {
  const objects = (plan.objects ?? []).filter(({ isKept }) => !isKept);
  const presence = await presenceOf(client, objects, plan.namespace);
  const are = (what: string) => objects.filter((_, i) => presence[i] === what).map(shownObject);
  const found = await leftBeside(client, plan.namespace, plan.objects);
  const left = { ...found, unseen: [...found.unseen, ...unseen] };
  const [there, going] = [are('there'), are('going')];
  await ctx.err.write(
    renderStillThere({
      ...{ there, going, left, failures },
      withCrds: flags.crds === true,
      isNodeStateLeft: plan.cleanupImage === undefined,
    }),
  );
  const isShort = there.length > 0 || failures.length > 0 || (flags.wait === true && going.length > 0);
  if (isShort || (flags.crds && left.crds.length > 0)) throw new SilentExit(1);
  if (left.unseen.length > 0) throw new SilentExit(PARTIAL);
}
