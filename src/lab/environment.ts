import { join } from 'node:path';
import type { LabInfo } from './folder.ts';

/** The environment in which the toolkit asks the agent of a lab. */
export function agentEnvironment(info: LabInfo): Record<string, string> {
  return {
    CILIUM_LAB: info.dir,
    CILIUM_SOCK: info.sockets.agent,
    CILIUM_HEALTH_SOCK: info.sockets.health,
    CILIUM_MONITOR_SOCK: info.sockets.monitor,
    CILIUM_SHELL_SOCK: info.sockets.shell,
    // Also where there is no proxy: nothing that is meant for the lab should reach that of the node.
    CILIUM_ENVOY_ADMIN_SOCK: info.sockets.envoy,
    // The same of maps.
    CILIUM_BPF_ROOT: info.bpfRoot,
    CILIUM_STATE_DIR: join(info.dir, 'state'),
    HUBBLE_SERVER: `unix://${info.sockets.hubble}`,
  };
}

/** The environment in which every command of the toolkit talks to a lab: to its agent, or its cluster from outside. */
export function labEnvironment(info: LabInfo): Record<string, string> {
  if (!info.kube) return agentEnvironment(info);
  return { CILIUM_LAB: info.dir, CILIUM_BPF_ROOT: info.bpfRoot, KUBECONFIG: info.kube.kubeconfig };
}
