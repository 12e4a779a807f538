import type { Rollout, RolloutPod } from '../model/cluster.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { listAll } from './pages.ts';
import { pathIn } from './paths.ts';
import { type Pod, podsPath, tellingContainer, unreadyOf } from './pods.ts';

interface WorkloadObject extends KubeObject {
  spec?: {
    replicas?: number;
    paused?: boolean;
    selector?: { matchLabels?: Record<string, string> };
    updateStrategy?: { type?: string };
    template?: { spec?: { containers?: { name?: string; image?: string }[] } };
  };
  status?: { observedGeneration?: number; desiredNumberScheduled?: number };
}

interface Revision extends KubeObject {
  revision?: number;
}

type LeftOut = Rollout['leftOut'][number];

/** The labels of pods and revisions that name the template which they are of. */
const HASH = { DaemonSet: 'controller-revision-hash', Deployment: 'pod-template-hash' } as const;
const FORBIDDEN = 403;
const REVISION = 'deployment.kubernetes.io/revision';

/** A workload with its pods; undefined where there is none. `untold` is why templates are not known: they may not be read. */
export async function readRevisions(
  client: KubeClient,
  namespace: string,
  type: Rollout['type'],
  name: string,
): Promise<{ rollout: Rollout; untold: string | undefined } | undefined> {
  const root = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}`;
  const found = await client.find<WorkloadObject>({ path: `${root}/${type.toLowerCase()}s/${name}` });
  if (!found) return undefined;
  const { metadata, spec, status } = found;
  const labelSelector = Object.entries(spec?.selector?.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  // The first container is what the workload is for.
  const [main] = spec?.template?.spec?.containers ?? [];
  const container = main?.name ?? '';
  let untold: string | undefined;
  const newest = await newestHash(client, root, type, name, labelSelector).catch((error: unknown) => {
    if (!(error instanceof KubeRefusal && error.code === FORBIDDEN)) throw error;
    untold = error.status.message ?? error.message;
    return undefined;
  });
  const listed = await listAll<Pod, { pod: RolloutPod } | { left: LeftOut }>(
    client,
    podsPath(namespace),
    { labelSelector },
    (pod) => {
      const hash = pod.metadata?.labels?.[HASH[type]];
      const place = { name: pod.metadata?.name ?? '', node: pod.spec?.nodeName ?? '' };
      const why = whyLeftOut(pod);
      if (why !== undefined) return { left: { ...place, why } };
      return {
        pod: {
          ...place,
          image: pod.spec?.containers?.find((each) => each.name === container)?.image ?? '',
          isNew: newest === undefined || hash === undefined ? undefined : hash === newest,
          trouble: unreadyOf(pod, container),
          container: tellingContainer(pod, container),
          createdAt: pod.metadata?.creationTimestamp ?? '',
        },
      };
    },
  );
  const rollout: Rollout = {
    type,
    name,
    desired: type === 'DaemonSet' ? (status?.desiredNumberScheduled ?? 0) : (spec?.replicas ?? 1),
    image: main?.image ?? '',
    isObserved: (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0),
    pause:
      spec?.updateStrategy?.type === 'OnDelete'
        ? 'its pods are replaced only when they are deleted (updateStrategy OnDelete)'
        : spec?.paused
          ? 'it is paused: kubectl rollout resume goes on'
          : undefined,
    pods: listed.flatMap((one) => ('pod' in one ? [one.pod] : [])),
    leftOut: listed.flatMap((one) => ('left' in one ? [one.left] : [])),
  };
  return { rollout, untold };
}

/** Why a pod is none of its workload any more, as its controller sees it; undefined where it is. */
function whyLeftOut({ metadata, status }: Pod): string | undefined {
  if (metadata?.deletionTimestamp) return 'it is being deleted';
  const { phase, reason } = status ?? {};
  return phase === 'Failed' || phase === 'Succeeded' ? `it has ended (${reason ?? phase})` : undefined;
}

/** The hash of the newest template; undefined where no revision tells. */
async function newestHash(
  client: KubeClient,
  root: string,
  type: Rollout['type'],
  name: string,
  labelSelector: string,
): Promise<string | undefined> {
  const plural = type === 'DaemonSet' ? 'controllerrevisions' : 'replicasets';
  const revisions = await listAll<Revision, { revision: number; hash: string }>(
    client,
    `${root}/${plural}`,
    { labelSelector },
    ({ metadata, revision }) => {
      const hash = metadata?.labels?.[HASH[type]];
      const isOwn = metadata?.ownerReferences?.some((owner) => owner.kind === type && owner.name === name);
      const number = type === 'DaemonSet' ? revision : Number(metadata?.annotations?.[REVISION]);
      return isOwn && hash !== undefined && number !== undefined && Number.isFinite(number)
        ? { revision: number, hash }
        : undefined;
    },
  );
  return revisions.toSorted((a, b) => b.revision - a.revision)[0]?.hash;
}

/** Something that happened to an object. */
export interface Happening {
  /** RFC 3339; undefined where the event does not say. */
  at: string | undefined;
  reason: string;
  message: string;
}

interface EventObject extends KubeObject {
  type?: string;
  reason?: string;
  message?: string;
  lastTimestamp?: string;
  eventTime?: string;
  involvedObject?: { name?: string };
}

/** The last warning about a pod; undefined where there is none. */
export async function lastWarning(
  client: KubeClient,
  namespace: string,
  pod: string,
): Promise<Happening | undefined> {
  const path = pathIn(namespace, 'events');
  const query = { fieldSelector: `involvedObject.name=${pod}` };
  const found = await listAll<EventObject, Happening>(client, path, query, (event) => {
    if (event.type !== 'Warning' || event.involvedObject?.name !== pod) return undefined;
    return {
      at: event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp,
      reason: event.reason ?? '',
      message: event.message ?? '',
    };
  });
  return found.toSorted((a, b) => ((a.at ?? '') < (b.at ?? '') ? 1 : -1))[0];
}
