import type { KubeClient, KubeObject } from './client.ts';
import type { LogSource } from './logs.ts';
import { listAll } from './pages.ts';
import { containerOf, type Pod, podsPath } from './pods.ts';

/** The parts of Cilium that write logs: the label of their pods and the container. */
export const COMPONENTS = {
  agent: { label: 'k8s-app=cilium', container: 'cilium-agent' },
  operator: { label: 'io.cilium/app=operator', container: 'cilium-operator' },
  relay: { label: 'k8s-app=hubble-relay', container: 'hubble-relay' },
  envoy: { label: 'k8s-app=cilium-envoy', container: 'cilium-envoy' },
} as const;
export type Component = keyof typeof COMPONENTS;

/** A log, of which component it is, and whether its container has ended before. */
export interface ComponentLog extends LogSource {
  component: Component;
  hasEndedBefore: boolean;
}

/** The logs of a component in a namespace, in the order of the nodes. */
export async function listLogs(
  client: KubeClient,
  namespace: string,
  component: Component,
): Promise<ComponentLog[]> {
  const { label } = COMPONENTS[component];
  return listAll<Pod, ComponentLog>(client, podsPath(namespace), { labelSelector: label }, (pod) =>
    logOf(pod, component),
  );
}

/** The log of a pod; undefined while it is on no node. */
export function logOf(pod: Pod, component: Component): ComponentLog | undefined {
  const node = pod.spec?.nodeName;
  if (!node) return undefined;
  const { container } = COMPONENTS[component];
  const status = containerOf(pod, container);
  const { namespace = '', name = '', uid = '' } = pod.metadata ?? {};
  return {
    component,
    node,
    namespace,
    pod: name,
    uid,
    container,
    containerId: status?.containerID || undefined,
    restarts: status?.restartCount,
    hasEndedBefore: status?.lastState?.terminated !== undefined,
  };
}

/** The names of the nodes with these labels. */
export function listNodes(client: KubeClient, selector: string | undefined): Promise<string[]> {
  return listAll<KubeObject, string>(
    client,
    '/api/v1/nodes',
    { labelSelector: selector },
    ({ metadata }) => metadata?.name,
  );
}
