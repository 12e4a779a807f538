import type { FlowRecord } from './connections.ts';
import type { Settings } from './engine.ts';

const CLUSTER = 'k8s:io.cilium.k8s.policy.cluster=';

/** What flows show of the cluster that they were seen in. */
export class FlowFacts {
  #clusterName: string | undefined;
  #dualStack: boolean | undefined;

  add({ source, destination }: FlowRecord): this {
    for (const label of [...(source?.labels ?? []), ...(destination?.labels ?? [])]) {
      if (label.startsWith(CLUSTER)) this.#clusterName ??= label.slice(CLUSTER.length);
      if (label === 'reserved:world-ipv4' || label === 'reserved:world-ipv6') this.#dualStack = true;
      if (label === 'reserved:world') this.#dualStack ??= false;
    }
    return this;
  }

  /** The settings that the flows show and that are not known. */
  settingsBeside(known: Partial<Settings>): Partial<Settings> {
    const shown: Partial<Settings> = {
      ...(this.#clusterName !== undefined && { clusterName: this.#clusterName }),
      ...(this.#dualStack !== undefined && { dualStack: this.#dualStack }),
    };
    const defined = Object.entries(known).filter(([, value]) => value !== undefined);
    return { ...shown, ...Object.fromEntries(defined) };
  }
}
