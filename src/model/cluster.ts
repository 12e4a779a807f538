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
