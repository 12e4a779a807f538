import type { FaultLevel } from '../../model/problem.ts';

/** Flags of `status`. */
export interface StatusOptions {
  allAddresses?: boolean;
  allControllers?: boolean;
  allNodes?: boolean;
  allRedirects?: boolean;
  allClusters?: boolean;
  allHealth?: boolean;
  brief?: boolean;
  verbose?: boolean;
  timeout: number;
  requireK8sConnectivity: boolean;
  output: string;
  problems?: boolean;
  failOn?: FaultLevel;
  agent?: boolean;
  cluster?: boolean;
  wait?: boolean;
  /** Milliseconds. */
  waitDuration: number;
  ignoreWarnings?: boolean;
  /** How many agents of a cluster are asked at once. */
  workerCount: number;
  interactive: boolean;
  unmanaged?: boolean;
  rollout?: boolean;
  consistency?: boolean;
  watch?: boolean;
  /** Milliseconds. */
  interval: number;
  compatExit?: boolean;
}
