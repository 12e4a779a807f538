import { compareBytes } from '../../lib/order.ts';
import type { RemoteClusterStatus } from '../../model/status.ts';

/** Why a cluster is not connected, and which advice goes with it. */
export interface Fault {
  text: string;
  advice: 'connection' | 'configuration' | 'none';
}

/** How a remote cluster is, over all who are to be connected to it. */
export interface ClusterCount {
  configured: number;
  connected: number;
}

const UNKNOWN: Fault = { text: 'unknown status', advice: 'none' };

/** How agents, or the replicas of KVStoreMesh, are connected to the remote clusters. */
export class Connectivity {
  /** Pods that are looked at, whether they answered or not. */
  total = 0;
  notReady = 0;
  readonly clusters = new Map<string, ClusterCount>();
  /** By pod and cluster. */
  readonly faults = new Map<string, Map<string, Fault[]>>();
  /** Pods that could not be asked, and why. */
  readonly silent = new Map<string, string>();
  /** How many clusters each pod is connected to that answered. */
  readonly #ready: number[] = [];

  /** `expected` are the clusters that the configuration names. */
  constructor(private readonly expected: readonly string[]) {
    for (const name of expected) this.clusters.set(name, { configured: 0, connected: 0 });
  }

  /** Over the pods that answered; the least is -1 where none did. */
  get connected(): { min: number; avg: number; max: number } {
    if (this.#ready.length === 0) return { min: -1, avg: 0, max: 0 };
    const sum = this.#ready.reduce((all, one) => all + one, 0);
    return { min: Math.min(...this.#ready), avg: sum / this.#ready.length, max: Math.max(...this.#ready) };
  }

  /** Takes in what a pod says; undefined where it knows of no mesh at all. */
  add(pod: string, told: readonly RemoteClusterStatus[] | undefined): void {
    if (told === undefined) {
      // As long as none is connected that is how it has to be.
      if (this.expected.length > 0) this.fail(pod, 'ClusterMesh status is not available');
      return;
    }
    this.total++;
    let ready = 0;
    const byName = new Map(told.map((cluster) => [cluster.name, cluster]));
    for (const [name, cluster] of byName) {
      const count = this.clusters.get(name) ?? { configured: 0, connected: 0 };
      this.clusters.set(name, count);
      count.configured++;
      if (cluster.ready) {
        ready++;
        count.connected++;
      } else this.#note(pod, name, faultOf(cluster));
    }
    const missing = this.expected.filter((name) => !byName.has(name));
    for (const name of missing) this.#note(pod, name, UNKNOWN);
    if (missing.length > 0 || ready !== byName.size) this.notReady++;
    this.#ready.push(ready);
  }

  /** Takes in that a pod could not be asked: nothing is known to be well then. */
  fail(pod: string, why: string): void {
    this.total++;
    this.notReady++;
    this.silent.set(pod, why);
  }

  /** Faults in the order of pods and clusters. */
  sorted(): [pod: string, cluster: string, faults: readonly Fault[]][] {
    return byKey(this.faults).flatMap(([pod, clusters]) =>
      byKey(clusters).map(([cluster, faults]): [string, string, readonly Fault[]] => [pod, cluster, faults]),
    );
  }

  #note(pod: string, cluster: string, fault: Fault): void {
    const clusters = this.faults.get(pod) ?? new Map<string, Fault[]>();
    this.faults.set(pod, clusters);
    clusters.set(cluster, [...(clusters.get(cluster) ?? []), fault]);
  }
}

function byKey<V>(map: ReadonlyMap<string, V>): [string, V][] {
  return [...map].toSorted(([a], [b]) => compareBytes(a, b));
}

/** The entries of a map by key. */
export const sortedClusters = byKey<ClusterCount>;

/** Why a cluster is not ready: the first step that has not been taken. */
function faultOf({ connected, status, config, synced }: RemoteClusterStatus): Fault {
  const fault = (text: string): Fault => ({ text, advice: 'none' });
  if (!connected) return { text: status, advice: 'connection' };
  if (!config) return fault('remote cluster configuration retrieval status unknown');
  if (config.required && !config.retrieved)
    return { text: 'remote cluster configuration required but not found', advice: 'configuration' };
  if (!synced) return fault('synchronization status unknown');
  const { endpoints, identities, nodes, services, serviceExports, endpointSlices } = synced;
  if (endpoints && identities && nodes && services && serviceExports !== false) return fault('not ready');
  const parts: [name: string, isSynced: boolean | undefined][] = [
    ['endpoints', endpoints],
    ['identities', identities],
    ['nodes', nodes],
    ['services', services],
    ['service-exports', serviceExports],
    ['endpoint-slices', endpointSlices],
  ];
  const open = parts.filter(([, isSynced]) => isSynced === false).map(([name]) => name);
  return fault(`synchronization in progress for ${open.join(', ')}`);
}

/** The remote clusters that a Secret of the mesh configures: one file for each, that says where it is. */
export function configuredClusters(files: Readonly<Record<string, string>>, ownName: string): string[] {
  return Object.entries(files)
    .filter(([name, text]) => name !== ownName && text.includes('endpoints:'))
    .map(([name]) => name);
}
