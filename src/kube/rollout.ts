import { UserError } from '../errors.ts';
import { FIELD_MANAGER } from './apply.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { listAll } from './pages.ts';
import { pathIn } from './paths.ts';
import { type Pod, podsPath, unreadyOf } from './pods.ts';

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
    template?: { spec?: { containers?: { name?: string }[] } };
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
      const path = pathIn(namespace, `apps/v1/${resource}`);
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

/** Why pods of a workload are not ready: one line each. */
export async function stuckPods(client: KubeClient, { namespace, path }: Workload): Promise<string[]> {
  const { spec } = await client.json<Template>({ path });
  const labels = Object.entries(spec?.selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  // The first container is what the workload is for.
  const container = spec?.template?.spec?.containers?.[0]?.name ?? '';
  return listAll<Pod, string>(client, podsPath(namespace), { labelSelector: labels.join(',') }, (pod) => {
    const why = unreadyOf(pod, container);
    const at = pod.spec?.nodeName === undefined ? '' : ` on ${pod.spec.nodeName}`;
    return why === undefined ? undefined : `pod ${pod.metadata?.name}${at}: ${why}`;
  });
}
