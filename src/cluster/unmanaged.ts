import { compareBytes } from '../lib/order.ts';
import type { ComponentPod, NetworkPod } from '../model/cluster.ts';

/** A pod with a network of its own that Cilium does not manage. */
export interface UnmanagedPod {
  /** `namespace/name`. */
  name: string;
  node: string;
  reason: string;
}

/**
 * The pods that have no endpoint, by name, each with the reason as far as the cluster shows it. Agents are undefined where
 * they could not be listed.
 */
export function unmanagedPods(
  pods: readonly NetworkPod[],
  managed: ReadonlySet<string>,
  agents: readonly ComponentPod[] | undefined,
): UnmanagedPod[] {
  const byNode = agents && new Map(agents.map((agent) => [agent.node, agent]));
  return pods
    .filter(({ name }) => !managed.has(name))
    .map((pod) => ({ name: pod.name, node: pod.node, reason: reasonOf(pod, byNode) }))
    .toSorted((a, b) => compareBytes(a.name, b.name));
}

function reasonOf(
  { node, phase, startTime }: NetworkPod,
  agents: ReadonlyMap<string, ComponentPod> | undefined,
): string {
  if (node === '') return 'it is not on a node yet';
  if (!agents) return 'it has no CiliumEndpoint; the agents could not be listed';
  const agent = agents.get(node);
  if (!agent) return 'no agent of Cilium runs on its node';
  if (!agent.container?.isRunning) return `the agent of its node does not run: ${agent.name}`;
  if (phase === 'Pending') return 'it has not started: its network may not be set up yet';
  const isOlder = startTime !== '' && agent.startTime !== '' && startTime < agent.startTime;
  return isOlder
    ? 'it started before the agent of its node: if another CNI set its network up, start it anew'
    : 'it has no CiliumEndpoint: another CNI set its network up, or the agent has not made it';
}
