import type { LabEndpoint, LabService } from '../../state/state.ts';
import type { PodObject } from './forms.ts';

/** A pod that is to run on a node. */
export interface PodToRun {
  pod: PodObject;
  node: string;
  /** Absent for a pod of its node's network. */
  endpoint?: LabEndpoint;
}

/** A name of the cluster's DNS with its addresses, without the cluster's domain: `echo.default.svc`. */
export interface ClusterName {
  name: string;
  addresses: string[];
  /** `_http._tcp` with its port. */
  ports: { service: string; port: number }[];
}

/** Runs pods for real; a lab without one plays them. */
export interface PodRunner {
  /** Resolves when the pod's programs answer. */
  start(pod: PodToRun): Promise<void>;
  stop(uid: string): Promise<void>;
  /** Has every node reach these services, and names resolve. */
  serve(services: readonly LabService[], names: readonly ClusterName[]): Promise<void>;
  /** How to run a command in a pod; undefined where no such pod runs. */
  command(uid: string, words: readonly string[]): { command: string; args: string[] } | undefined;
}
