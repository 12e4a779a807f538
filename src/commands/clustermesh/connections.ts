import { clustersOfStatus, decodeReplicaClusters } from '../../agent/decode/remote-clusters.ts';
import { readStatus } from '../../agent/decode/status.ts';
import { askAgent, askEach, reasonOf } from '../../cli/kube/each-agent.ts';
import { Connectivity, configuredClusters } from '../../cluster/clustermesh/connectivity.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, wordsOf } from '../../kube/client.ts';
import { MESH, meshFiles } from '../../kube/clustermesh.ts';
import { exec } from '../../kube/exec.ts';
import { listComponentPods } from '../../kube/workloads.ts';
import { bounded } from '../../lib/bounded.ts';
import { compareBytes } from '../../lib/order.ts';
import type { AgentStatus, RemoteClusterStatus } from '../../model/status.ts';

/** How long one that is asked may take. */
const ASK_MS = 30_000;
const CONCURRENCY = 10;
const MAX_PRINTED = 16 * 1024 * 1024;

/** KVStoreMesh of this release cannot be asked. */
export class NoKvstoremeshStatus extends UserError {
  override name = 'NoKvstoremeshStatus';
}

/** How the agents are connected to the clusters that the configuration names. */
export async function agentConnectivity(
  client: KubeClient,
  namespace: string,
  ownName: string,
  waitMs: number,
  ctx: Context,
): Promise<Connectivity> {
  const files = await meshFiles(client, namespace, MESH.agentSecret);
  const found = new Connectivity(configuredClusters(files, ownName));
  const timeoutMs = ctx.globals.timeoutMs ?? ASK_MS;
  const { said, silent } = await askEach(
    client,
    { waitMs },
    (agent, signal) =>
      within(timeoutMs, signal, (limited) =>
        askAgent(
          client,
          agent,
          {
            ask: async (asked) => clustersOf((await readStatus(asked, { brief: false, timeoutMs })).decode()),
            argv: ['status', '-o', 'json'],
            read: clustersOfStatus,
          },
          limited,
          ctx,
        ),
      ),
    ctx,
  );
  const all = [
    ...said.map(({ pod, value }) => ({ pod, add: () => found.add(pod, value) })),
    ...silent.map(({ pod, why }) => ({ pod, add: () => found.fail(pod, why) })),
  ];
  for (const { add } of all.toSorted((a, b) => compareBytes(a.pod, b.pod))) add();
  return found;
}

/** Does something that ends after so many milliseconds, whoever hangs. */
async function within<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = AbortSignal.timeout(limitMs);
  try {
    return await work(AbortSignal.any([signal, late]));
  } catch (error) {
    if (late.aborted && !signal.aborted) throw new UserError(`no answer within ${limitMs / 1000} s`);
    throw error;
  }
}

/** None where the agent knows of no mesh. */
function clustersOf({ clusterMesh }: AgentStatus): readonly RemoteClusterStatus[] | undefined {
  return clusterMesh?.clusters;
}

/** How the replicas of KVStoreMesh are connected. Throws NoKvstoremeshStatus where they cannot tell. */
export async function replicaConnectivity(
  client: KubeClient,
  namespace: string,
  ownName: string,
): Promise<Connectivity> {
  const files = await meshFiles(client, namespace, MESH.kvstoremeshSecret);
  const found = new Connectivity(configuredClusters(files, ownName));
  const pods = await listComponentPods(client, namespace, MESH.selector, MESH.kvstoremesh);
  const told = bounded(
    pods.toSorted((a, b) => compareBytes(a.name, b.name)),
    CONCURRENCY,
    async ({ name, container, phase }) => {
      if (!container?.isRunning) return { name, why: `the pod is ${container?.waiting || phase}` };
      try {
        return { name, clusters: await askReplica(client, namespace, name) };
      } catch (error) {
        client.signal.throwIfAborted();
        if (!(error instanceof UserError) || error instanceof NoKvstoremeshStatus) throw error;
        return { name, why: wordsOf(error) };
      }
    },
  );
  for (const { name, clusters, why } of await Promise.all(told))
    if (why === undefined) found.add(name, clusters);
    else found.fail(name, why);
  return found;
}

async function askReplica(
  client: KubeClient,
  namespace: string,
  pod: string,
): Promise<RemoteClusterStatus[]> {
  const command = ['/usr/bin/clustermesh-apiserver', 'kvstoremesh-dbg', 'status', '-o', 'json'];
  const target = { namespace, pod, container: MESH.kvstoremesh, command };
  const ran = await within(ASK_MS, client.signal, (signal) => exec(client, target, MAX_PRINTED, signal));
  const stdout = ran.stdout.toString('utf8');
  if (ran.exitCode !== 0) {
    if (/Usage:|unknown command/.test(ran.stderr)) throw new NoKvstoremeshStatus(ran.stderr.trim());
    throw new UserError(reasonOf({ ...ran, stdout }));
  }
  return decodeReplicaClusters(stdout);
}
