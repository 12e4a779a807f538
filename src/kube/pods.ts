import type { KubeObject } from './client.ts';
import { pathIn } from './paths.ts';

/** What a container does, or why it does not. */
interface ContainerState {
  waiting?: { reason?: string; message?: string };
  terminated?: { reason?: string; exitCode?: number };
  running?: object;
}

export interface ContainerStatus {
  name?: string;
  ready?: boolean;
  restartCount?: number;
  /** Tells the containers apart that ran one after the other. */
  containerID?: string;
  state?: ContainerState;
  lastState?: ContainerState;
}

/** A pod, as far as it says what runs where. */
export interface Pod extends KubeObject {
  spec?: {
    nodeName?: string;
    containers?: {
      name?: string;
      image?: string;
      command?: string[];
      ports?: { name?: string; containerPort?: number; protocol?: string }[];
    }[];
  };
  status?: {
    phase?: string;
    reason?: string;
    conditions?: { type?: string; status?: string; reason?: string; message?: string }[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

/** Path of the pods of a namespace, or of all. */
export function podsPath(namespace: string | undefined): string {
  return namespace === undefined ? '/api/v1/pods' : pathIn(namespace, 'pods');
}

/** Path of one pod. */
export function podPath(namespace: string, name: string): string {
  return `${podsPath(namespace)}/${encodeURIComponent(name)}`;
}

/** Status of one of a pod's containers. */
export function containerOf({ status }: Pod, container: string): ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === container);
}

/** The init container that has yet to end. One that runs beside the others and is ready is none. */
function openInit({ status }: Pod): ContainerStatus | undefined {
  return status?.initContainerStatuses?.find(
    ({ state, ready }) => state && !state.terminated && !(state.running && ready),
  );
}

/** The container that says why another one of a pod does not run: an init container that fails or goes on, else it. */
export function tellingContainer(pod: Pod, container: string): string {
  if (containerOf(pod, container)?.state?.running) return container;
  const failed = pod.status?.initContainerStatuses?.find(({ state }) => state?.terminated?.exitCode);
  return (openInit(pod) ?? failed)?.name ?? container;
}

/** Why a container of a pod does not run; undefined when it does. */
export function troubleOf(pod: Pod, container: string): string | undefined {
  const { metadata, status } = pod;
  const own = containerOf(pod, container);
  if (own?.state?.running) return undefined;
  const init = openInit(pod);
  const { waiting, terminated } = own?.state ?? {};
  if (metadata?.deletionTimestamp) return 'the pod is being deleted';
  if (init)
    return `the init container ${init.name} has not ended (${init.state?.waiting?.reason ?? 'running'})`;
  if (waiting) return `the container waits: ${waiting.reason ?? waiting.message ?? 'no reason is given'}`;
  if (terminated) return `the container ended: ${terminated.reason ?? `exit code ${terminated.exitCode}`}`;
  const unplaced = status?.conditions?.find((one) => one.type === 'PodScheduled' && one.status === 'False');
  if (unplaced)
    return `the pod is on no node: ${unplaced.message ?? unplaced.reason ?? 'no reason is given'}`;
  return `the pod is ${status?.reason ?? status?.phase ?? 'in an unknown phase'}`;
}

/** Why a container of a pod is not ready to be asked; undefined when it is. */
export function unreadyOf(pod: Pod, container: string): string | undefined {
  const trouble = troubleOf(pod, container);
  if (trouble !== undefined) return trouble;
  if (pod.metadata?.deletionTimestamp) return 'the pod is being deleted';
  const { ready, lastState } = containerOf(pod, container) ?? {};
  if (ready !== false) return undefined;
  const last = lastState?.terminated;
  const before = last && `; before that it ended: ${last.reason ?? `exit code ${last.exitCode}`}`;
  return `the container runs, and says that it is not ready${before ?? ''}`;
}
