/** A DaemonSet or Deployment and how far it has come; numbers of pods. */
export interface Workload {
  type: 'DaemonSet' | 'Deployment';
  name: string;
  desired: number;
  ready: number;
  available: number;
  unavailable: number;
  updated: number;
  /** False while its controller has not seen the last change. */
  isObserved: boolean;
}

/** A pod of a component, reduced to what is judged. */
export interface ComponentPod {
  namespace: string;
  name: string;
  node: string;
  phase: string;
  reason: string;
  message: string;
  images: string[];
  /** When it started (RFC 3339); empty before. */
  startTime: string;
  /** Its main container; undefined before there is one. */
  container: ContainerState | undefined;
}

/** The state of a container. */
export interface ContainerState {
  name: string;
  isRunning: boolean;
  /** Why it waits; empty when it does not. */
  waiting: string;
  restarts: number;
  /** How its last run ended. */
  ended?: { exitCode: number; message: string; finishedAt: string } | undefined;
}

/** A pod that Cilium has to do with: of its own network, and not at its end. */
export interface NetworkPod {
  /** `namespace/name`. */
  name: string;
  node: string;
  phase: string;
  startTime: string;
}

/** A pod that has a network of its own and is not at its end. */
export interface PodFact {
  /** `namespace/name`. */
  name: string;
  /** Empty before it is on one. */
  node: string;
  /** False while it has yet to start, and once it is being deleted. */
  runs: boolean;
  addresses: readonly string[];
}

/** An endpoint, as one of those who keep it tells. */
export interface EndpointFact {
  /** The pod: `namespace/name`. */
  name: string;
  /** Undefined: none has been given yet. */
  identity: number | undefined;
  addresses: readonly string[];
}

/** A node, as Kubernetes has it. */
export interface NodeFact {
  name: string;
  /** Keys of its taints. */
  taints: readonly string[];
}

/** A node at a glance. What Kubernetes does not tell is empty. */
export interface NodeInfo {
  name: string;
  /** `True`, `False`, or `Unknown` where the node has not been heard of. */
  ready: string;
  /** Why it is not ready. */
  why: string;
  kubelet: string;
  kernel: string;
}

/** An agent. Without endpoints it could not be asked. */
export interface AgentFact {
  isReady: boolean;
  endpoints?: readonly EndpointFact[];
}

/** A pod of a workload, and whether it was made of the newest template. */
export interface RolloutPod {
  name: string;
  /** Empty before it is on one. */
  node: string;
  /** Of the main container. */
  image: string;
  /** Undefined: not known. */
  isNew: boolean | undefined;
  /** Why it is not ready; undefined when it is. */
  trouble: string | undefined;
  /** The container whose log says more: the main one, or the init container that has not ended. */
  container: string;
  /** When it was made (RFC 3339). */
  createdAt: string;
}

/** A workload and how far its newest template has come. */
export interface Rollout {
  type: 'DaemonSet' | 'Deployment';
  name: string;
  /** How many pods it is to have. */
  desired: number;
  /** The main container's, as the template has it. */
  image: string;
  /** Its controller has seen the last change. */
  isObserved: boolean;
  /** Why its pods are not replaced, where its specification says so. */
  pause: string | undefined;
  pods: readonly RolloutPod[];
  /** Pods that do not count: they have ended or are being deleted. */
  leftOut: readonly { name: string; node: string; why: string }[];
}

/** A metric of a feature; what Go leaves out is zero. */
export interface FeatureMetric {
  name?: string;
  labels?: Record<string, string>;
  value?: number;
}
