import { UserError } from '../errors.ts';
import { FIELD_MANAGER } from './apply.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { listAll } from './pages.ts';

/** What runs pods of Cilium and can be rolled out anew. */
export interface Workload {
  kind: 'DaemonSet' | 'Deployment';
  namespace: string;
  name: string;
  path: string;
}

/** How far a roll-out came. */
export interface Rollout {
  done: boolean;
  /** `2 of 3 pods are new and ready`. */
  progress: string;
}

interface Template extends KubeObject {
  spec?: {
    replicas?: number;
    selector?: { matchLabels?: Record<string, string> };
    updateStrategy?: { type?: string };
  };
  metadata?: KubeObject['metadata'] & { generation?: number };
  status?: {
    observedGeneration?: number;
    desiredNumberScheduled?: number;
    updatedNumberScheduled?: number;
    numberAvailable?: number;
    replicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
  };
}

/** The annotation that `kubectl rollout restart` sets. */
const RESTARTED = 'kubectl.kubernetes.io/restartedAt';
const SOURCES = [
  // The operator first: it makes CRDs that a new agent may wait for.
  { kind: 'Deployment', resource: 'deployments', labelSelector: 'io.cilium/app=operator' },
  { kind: 'DaemonSet', resource: 'daemonsets', labelSelector: 'k8s-app=cilium' },
] as const;

/** The operator's Deployment and the agents' DaemonSet, in the order in which they are restarted. */
export async function findWorkloads(client: KubeClient, namespace: string): Promise<Workload[]> {
  const found = await Promise.all(
    SOURCES.map(async ({ kind, resource, labelSelector }) => {
      const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/${resource}`;
      return listAll<Template, Workload>(client, path, { labelSelector }, ({ metadata, spec }) => {
        const name = metadata?.name ?? '';
        if (spec?.updateStrategy?.type === 'OnDelete')
          throw new UserError(`${kind} ${namespace}/${name} replaces pods only when they are deleted`, {
            hint: 'Its updateStrategy is OnDelete: delete the pods of Cilium one by one.',
          });
        return { kind, namespace, name, path: `${path}/${encodeURIComponent(name)}` };
      });
    }),
  );
  return found.flat();
}

/** Has all pods of a workload replaced, as its update strategy says. */
export async function restart(client: KubeClient, { path }: Workload, now: Date): Promise<void> {
  await client.json({
    method: 'PATCH',
    path,
    query: { fieldManager: FIELD_MANAGER },
    body: { spec: { template: { metadata: { annotations: { [RESTARTED]: now.toISOString() } } } } },
    contentType: 'application/merge-patch+json',
  });
}

/** How far the roll-out of a workload came. */
export async function readRollout(client: KubeClient, { kind, path }: Workload): Promise<Rollout> {
  const { metadata, spec, status = {} } = await client.json<Template>({ path });
  const isSeen = (status.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
  const [wanted, updated, ready, all] =
    kind === 'DaemonSet'
      ? [status.desiredNumberScheduled ?? 0, status.updatedNumberScheduled, status.numberAvailable, 0]
      : [spec?.replicas ?? 1, status.updatedReplicas, status.availableReplicas, status.replicas];
  const fresh = isSeen ? Math.min(updated ?? 0, ready ?? 0) : 0;
  return {
    // Old replicas of a Deployment go after the new ones are there.
    done: isSeen && fresh >= wanted && (all ?? 0) <= Math.max(wanted, updated ?? 0),
    progress: isSeen ? `${fresh} of ${wanted} pods are new and ready` : 'not begun yet',
  };
}

interface Pod extends KubeObject {
  spec?: { nodeName?: string };
  status?: {
    phase?: string;
    conditions?: { type?: string; status?: string; reason?: string; message?: string }[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

interface ContainerStatus {
  name?: string;
  ready?: boolean;
  state?: {
    waiting?: { reason?: string; message?: string };
    terminated?: { reason?: string; exitCode?: number; message?: string };
    running?: object;
  };
}

/** Why pods of a workload are not ready: one line each. */
export async function stuckPods(client: KubeClient, { namespace, path }: Workload): Promise<string[]> {
  const { spec } = await client.json<Template>({ path });
  const labels = Object.entries(spec?.selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return listAll<Pod, string>(
    client,
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`,
    { labelSelector: labels.join(',') },
    (pod) => {
      const why = troubleOf(pod);
      const at = pod.spec?.nodeName === undefined ? '' : ` on ${pod.spec.nodeName}`;
      return why === undefined ? undefined : `pod ${pod.metadata?.name}${at}: ${why}`;
    },
  );
}

function troubleOf({ metadata, status }: Pod): string | undefined {
  if (metadata?.deletionTimestamp) return 'it is being deleted';
  const conditions = status?.conditions ?? [];
  if (conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True')) return undefined;
  const unplaced = conditions.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  if (unplaced) return `no node takes it: ${unplaced.message ?? unplaced.reason ?? 'no reason is given'}`;
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const { name, state = {} } of containers) {
    const { waiting, terminated } = state;
    if (waiting && waiting.reason !== 'PodInitializing')
      return `container ${name} waits: ${[waiting.reason, waiting.message].filter(Boolean).join(': ')}`;
    if (terminated && terminated.exitCode !== 0)
      return `container ${name} ended: ${terminated.reason ?? ''} (exit code ${terminated.exitCode})`;
  }
  const behind = containers.find(({ ready, state }) => state?.running && ready === false);
  if (behind) return `container ${behind.name} runs and is not ready yet`;
  return `it is ${status?.phase ?? 'in an unknown phase'}`;
}
