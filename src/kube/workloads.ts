import { UserError } from '../errors.ts';
import type { ComponentPod, ContainerState, NetworkPod, Workload } from '../model/cluster.ts';
import { collect, type KubeClient, type KubeObject } from './client.ts';
import { listAll } from './pages.ts';
import { pathIn } from './paths.ts';
import { podPath, podsPath } from './pods.ts';

interface WorkloadObject extends KubeObject {
  status?: Partial<
    Record<
      | 'observedGeneration'
      | 'desiredNumberScheduled'
      | 'numberReady'
      | 'numberAvailable'
      | 'numberUnavailable'
      | 'updatedNumberScheduled'
      | 'replicas'
      | 'readyReplicas'
      | 'availableReplicas'
      | 'unavailableReplicas'
      | 'updatedReplicas',
      number
    >
  >;
}

interface ContainerStatus {
  name?: string;
  restartCount?: number;
  state?: { running?: object; waiting?: { reason?: string } };
  lastState?: { terminated?: { exitCode?: number; message?: string; finishedAt?: string } };
}

interface PodObject extends KubeObject {
  spec?: { nodeName?: string; hostNetwork?: boolean; containers?: { image?: string }[] };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    startTime?: string;
    containerStatuses?: ContainerStatus[];
  };
}

/** A DaemonSet or Deployment; undefined where there is none. */
export async function findWorkload(
  client: KubeClient,
  type: Workload['type'],
  namespace: string,
  name: string,
): Promise<Workload | undefined> {
  const path = pathIn(namespace, `apps/v1/${type.toLowerCase()}s`, name);
  const found = await client.find<WorkloadObject>({ path });
  if (!found) return undefined;
  const { status: s = {}, metadata } = found;
  const isObserved = s.observedGeneration === metadata?.generation;
  const numbers =
    type === 'DaemonSet'
      ? [
          s.desiredNumberScheduled,
          s.numberReady,
          s.numberAvailable,
          s.numberUnavailable,
          s.updatedNumberScheduled,
        ]
      : [s.replicas, s.readyReplicas, s.availableReplicas, s.unavailableReplicas, s.updatedReplicas];
  const [desired = 0, ready = 0, available = 0, unavailable = 0, updated = 0] = numbers;
  return { type, name, desired, ready, available, unavailable, updated, isObserved };
}

/** Pods are large, and little of each is kept: many at once would only take room. */
const PODS_PAGE = 100;

/** The pods of a component, with the state of the container that is named. */
export function listComponentPods(
  client: KubeClient,
  namespace: string,
  labelSelector: string,
  container: string,
): Promise<ComponentPod[]> {
  return listAll<PodObject, ComponentPod>(
    client,
    podsPath(namespace),
    { labelSelector, limit: PODS_PAGE },
    (pod) => componentPod(pod, container),
  );
}

function componentPod({ metadata, spec, status }: PodObject, container: string): ComponentPod {
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    node: spec?.nodeName ?? '',
    phase: status?.phase ?? '',
    reason: status?.reason ?? '',
    message: status?.message ?? '',
    images: (spec?.containers ?? []).map(({ image = '' }) => image),
    startTime: status?.startTime ?? '',
    container: containerState(status?.containerStatuses?.find(({ name }) => name === container)),
  };
}

function containerState(status: ContainerStatus | undefined): ContainerState | undefined {
  if (!status) return undefined;
  const { terminated } = status.lastState ?? {};
  return {
    name: status.name ?? '',
    isRunning: status.state?.running !== undefined,
    waiting: status.state?.waiting?.reason ?? '',
    restarts: status.restartCount ?? 0,
    ended: terminated && {
      exitCode: terminated.exitCode ?? 0,
      message: terminated.message ?? '',
      finishedAt: terminated.finishedAt ?? '',
    },
  };
}

/** The pods of the whole cluster that have a network of their own and run or will. */
export function listNetworkPods(client: KubeClient): Promise<NetworkPod[]> {
  return listAll<PodObject, NetworkPod>(
    client,
    '/api/v1/pods',
    { limit: PODS_PAGE },
    ({ metadata, spec, status }) => {
      const { phase = '', startTime = '' } = status ?? {};
      if (spec?.hostNetwork || (phase !== 'Running' && phase !== 'Pending')) return undefined;
      const name = `${metadata?.namespace}/${metadata?.name}`;
      return { name, node: spec?.nodeName ?? '', phase, startTime };
    },
  );
}

/** Names (`namespace/name`) of all CiliumEndpoints; none where the cluster has no such kind. */
export async function listEndpointNames(client: KubeClient): Promise<string[]> {
  if (!(await client.find({ path: '/apis/cilium.io/v2/ciliumendpoints', query: { limit: 1 } }))) return [];
  return listAll<KubeObject, string>(
    client,
    '/apis/cilium.io/v2/ciliumendpoints',
    { namesOnly: true },
    ({ metadata }) => `${metadata?.namespace}/${metadata?.name}`,
  );
}

const MAX_LOG_BYTES = 4 * 1024 * 1024;
const MAX_LOG_MS = 30_000;

/** The log of a container since a time, of its last run if `previous`. */
export async function readRecentLog(
  client: KubeClient,
  { namespace, name }: Pick<ComponentPod, 'namespace' | 'name'>,
  { container, sinceTime, previous }: { container: string; sinceTime: string; previous: boolean },
): Promise<string> {
  const path = `${podPath(namespace, name)}/log`;
  const query = { container, sinceTime, previous, timestamps: true, limitBytes: MAX_LOG_BYTES };
  const request = { path, query, accept: '*/*' };
  // No part of a status is waited for without end, even where no limit was asked for.
  const limitMs = client.timeoutMs || MAX_LOG_MS;
  const deadline = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([client.signal, deadline]);
  try {
    const body = await client.open({ ...request, signal });
    return (await collect(body, 2 * MAX_LOG_BYTES)).toString('utf8');
  } catch (error) {
    client.signal.throwIfAborted();
    if (deadline.aborted) throw client.tooLate(request, limitMs);
    throw error instanceof UserError ? error : client.explain(error, request);
  }
}
