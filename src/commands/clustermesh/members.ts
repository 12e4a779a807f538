import { lookup } from 'node:dns/promises';
import { type Command, Option } from 'commander';
import { type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { stringSlice } from '../../cli/flags.ts';
import { type HelmFlags, helmFlags } from '../../cli/helm/flags.ts';
import { requireRelease } from '../../cli/helm/upgrade-release.ts';
import { type Access, accessOf } from '../../cluster/clustermesh/access.ts';
import { clustersOf, type NamedClusters } from '../../cluster/clustermesh/values.ts';
import type { Cluster, Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { wordsOf } from '../../kube/client.ts';
import { meshCa, meshConfig, meshNodes, meshService } from '../../kube/clustermesh.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import type { HelmRelease } from '../../kube/release.ts';
import { openCluster } from '../../kube/road.ts';
import { CONNECTION_MODES, type ConnectionMode } from '../../model/connection-mode.ts';

/** Flags of all verbs that connect or disconnect. */
export interface MeshFlags extends HelmFlags, WriteOptions {
  connectionMode: string;
  destinationContext: string[];
}

/** Adds them. */
export function addMeshFlags(command: Command): Command {
  command
    .addOption(
      new Option(
        '--connection-mode <mode>',
        'Which clusters are changed: bidirectional (this one and each other), mesh (each with each) or unicast (this one)',
      ).default('bidirectional'),
    )
    .addOption(
      stringSlice(
        '--destination-context <contexts>',
        'Contexts of the kubeconfig that lead to the other clusters',
      ),
    );
  return writeFlags(helmFlags(command));
}

/** Reads `--connection-mode`. What is wrong is told as the reference tells it. */
export async function modeOf(given: string, what: string, ctx: Context): Promise<ConnectionMode> {
  const found = CONNECTION_MODES.find((one) => one === given);
  if (found) return found;
  await ctx.out.write(
    `❌ ${given} is not a correct connection mode.\nAvailable connection modes: ${CONNECTION_MODES.join(', ')}\n`,
  );
  throw new UserError(`${what}: Bad connection mode`);
}

/** One of the clusters that are connected or disconnected. */
export interface Member {
  client: KubeClient;
  /** The flags that lead to it. */
  cluster: Cluster;
  /** What the kubeconfig calls it. */
  title: string;
  namespace: string;
  config: Readonly<Record<string, string>>;
  release: HelmRelease;
  known: NamedClusters;
}

/** Opens the clusters: the one that the command line means, and those of the other contexts. The caller disposes of the clients. */
export async function openMembers(
  flags: MeshFlags,
  ctx: Context,
): Promise<AsyncDisposable & { local: KubeClient; remotes: { context: string; client: KubeClient }[] }> {
  const stack = new AsyncDisposableStack();
  const local = stack.use(await openCluster(ctx));
  const contexts = [...new Set(flags.destinationContext)];
  const remotes: { context: string; client: KubeClient }[] = [];
  for (const context of contexts) {
    const { cluster } = ctx.globals;
    const globals = { ...ctx.globals, cluster: { ...cluster, context, isNamed: true } };
    const client = await openCluster({ ...ctx, globals }).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(
        `unable to create Kubernetes client to access remote cluster "${context}": ${wordsOf(error)}`,
        { hint: error.hint, cause: error },
      );
    });
    remotes.push({ context, client: stack.use(client) });
  }
  return { local, remotes, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Reads what a cluster has of a mesh. `which` is what an error calls it: target or remote. */
export async function readMember(
  client: KubeClient,
  context: string | undefined,
  which: 'target' | 'remote',
  { helmReleaseName }: HelmFlags,
  ctx: Context,
): Promise<Member> {
  const given: Cluster = ctx.globals.cluster ?? {};
  const namespace = await ciliumNamespace(client, given.namespace);
  const release = await requireRelease(client, namespace, helmReleaseName).catch(async (error: unknown) => {
    if (error instanceof UserError)
      await ctx.out.write(`❌ Unable to find Helm release for the ${which} cluster\n`);
    throw error;
  });
  return {
    client,
    cluster: context === undefined ? given : { ...given, context },
    title: client.config.getCurrentCluster()?.name ?? '',
    namespace,
    config: await meshConfig(client, namespace),
    release,
    known: clustersOf(release.values),
  };
}

/** How a cluster is reached by others, told as it is found out. */
export async function readAccess(
  { client, namespace, config, title }: Member,
  endpoints: readonly string[],
  ctx: Context,
): Promise<Access> {
  const log = (line: string) => ctx.out.write(`${line}\n`);
  try {
    const name = config['cluster-name'];
    if (name === undefined) throw new UserError('cluster-name is not set in ConfigMap "cilium-config"');
    await log(`✨ Extracting access information of cluster ${name}...`);
    const service = await meshService(client, namespace);
    await log(`🔑 Extracting secrets from cluster ${name}...`);
    const ca = await meshCa(client, namespace, log);
    const facts = { config, service, ca, nodes: () => meshNodes(client) };
    const access = await accessOf(facts, endpoints, {
      log,
      resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    });
    await log(`ℹ️  Found ClusterMesh service IPs: [${access.ips.join(' ')}]`);
    return access;
  } catch (error) {
    if (error instanceof UserError)
      await log(`❌ Unable to retrieve access information of cluster "${title}": ${wordsOf(error)}`);
    throw error;
  }
}
