import { FIELD_MANAGER } from './apply.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { deleteAt } from './leftovers.ts';
import { listAll } from './pages.ts';
import { type Pod, podPath, podsPath, troubleOf } from './pods.ts';
import { readRecentLog } from './workloads.ts';

const LABELS = {
  'app.kubernetes.io/name': 'cilium-node-cleanup',
  'app.kubernetes.io/managed-by': FIELD_MANAGER,
};
const SELECTOR = Object.entries(LABELS)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');
const CONTAINER = 'cleanup';
/** In the agents' image and in this program's: the one word that both have for it. */
const CLEANUP_COMMAND = ['cilium', 'post-uninstall-cleanup', '--all-state', '-f'];
/** What of the node a cleanup changes. */
const PLACES: readonly [name: string, path: string, propagation?: string][] = [
  ['bpf', '/sys/fs/bpf', 'Bidirectional'],
  ['cgroup', '/sys/fs/cgroup'],
  ['run-cilium', '/var/run/cilium', 'Bidirectional'],
  ['run-netns', '/var/run/netns', 'HostToContainer'],
  ['cni-conf', '/etc/cni'],
  ['cni-bin', '/opt/cni'],
  ['modules', '/lib/modules'],
  ['xtables', '/run/xtables.lock'],
  ['sysctl', '/etc/sysctl.d'],
  ['undo', '/var/lib/cilium-toolkit'],
];

/** Takes away what an earlier run has left. */
export async function removeCleanupPods(client: KubeClient, namespace: string): Promise<void> {
  const names = await listAll<KubeObject, string>(
    client,
    podsPath(namespace),
    { labelSelector: SELECTOR, namesOnly: true },
    ({ metadata }) => metadata?.name,
  );
  for (const name of names) await deleteAt(client, podPath(namespace, name));
}

/** Starts a pod that cleans a node up and then ends, at the latest after so long. Returns its name. */
export async function startCleanup(
  client: KubeClient,
  { namespace, node, image, limitMs }: { namespace: string; node: string; image: string; limitMs: number },
): Promise<string> {
  const { metadata } = await client.json<KubeObject>({
    method: 'POST',
    path: podsPath(namespace),
    query: { fieldManager: FIELD_MANAGER },
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'cilium-node-cleanup-', labels: LABELS },
      spec: {
        nodeName: node,
        hostNetwork: true,
        hostPID: true,
        restartPolicy: 'Never',
        activeDeadlineSeconds: Math.max(1, Math.ceil(limitMs / 1000)),
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 5,
        tolerations: [{ operator: 'Exists' }],
        containers: [
          {
            name: CONTAINER,
            image,
            command: CLEANUP_COMMAND,
            securityContext: { privileged: true },
            volumeMounts: PLACES.map(([name, mountPath, mountPropagation]) => ({
              name,
              mountPath,
              ...(mountPropagation && { mountPropagation }),
            })),
          },
        ],
        volumes: PLACES.map(([name, path]) => ({
          name,
          hostPath: { path, type: name === 'xtables' ? 'FileOrCreate' : 'DirectoryOrCreate' },
        })),
      },
    },
  });
  return metadata?.name ?? '';
}

/** How far a cleanup came: undefined while it runs, else why it failed, or an empty text. */
export async function cleanupOutcome(
  client: KubeClient,
  namespace: string,
  pod: string,
): Promise<string | undefined> {
  const found = await client.find<Pod>({ path: podPath(namespace, pod) });
  if (!found) return 'its pod is gone';
  const { phase, reason } = found.status ?? {};
  if (phase === 'Succeeded') return '';
  if (phase !== 'Failed') return undefined;
  const log = await readRecentLog(
    client,
    { namespace, name: pod },
    {
      container: CONTAINER,
      sinceTime: '1970-01-01T00:00:00Z',
      previous: false,
    },
  ).catch(() => '');
  const [last = ''] = log.trim().split('\n').slice(-1);
  return last.replace(/^\d{4}-\S+Z /, '') || reason || 'its pod failed';
}

/** Why a cleanup has not ended. */
export async function cleanupTrouble(client: KubeClient, namespace: string, pod: string): Promise<string> {
  const found = await client.find<Pod>({ path: podPath(namespace, pod) });
  return (found && troubleOf(found, CONTAINER)) ?? 'it has not ended';
}
