import { POD_CLUSTER } from '../../../model/label.ts';
import type { FlowRecord } from './connections.ts';
import type { Settings } from './settings.ts';

const CLUSTER = `k8s:${POD_CLUSTER}=`;

/** What flows show of the cluster that they were seen in. */
export class FlowFacts {
  /** Of the nodes that saw the flows. */
  readonly #ofNodes = new Set<string>();
  /** Of all pods, also those of other clusters. */
  readonly #ofPods = new Set<string>();
  #dualStack: boolean | undefined;
  readonly #learned = new WeakSet<readonly string[]>();

  add({ source, destination, node_name: node = '' }: FlowRecord): this {
    // `cluster/node`; agents of a cluster without a name of its own leave it out.
    if (node.includes('/')) this.#ofNodes.add(node.slice(0, node.indexOf('/')));
    this.#learn(source?.labels);
    this.#learn(destination?.labels);
    return this;
  }

  #learn(labels: readonly string[] = []): void {
    // Readers share what repeats.
    if (this.#learned.has(labels)) return;
    this.#learned.add(labels);
    for (const label of labels) {
      if (label.startsWith(CLUSTER)) this.#ofPods.add(label.slice(CLUSTER.length));
      if (label === 'reserved:world-ipv4' || label === 'reserved:world-ipv6') this.#dualStack = true;
      if (label === 'reserved:world') this.#dualStack ??= false;
    }
  }

  /** The settings that the flows show and that are not known. */
  settingsBeside(known: Partial<Settings>): Partial<Settings> {
    const [clusterName, ...others] = this.#ofNodes.size > 0 ? this.#ofNodes : this.#ofPods;
    const shown: Partial<Settings> = {
      ...(clusterName !== undefined && others.length === 0 && { clusterName }),
      ...(this.#dualStack !== undefined && { dualStack: this.#dualStack }),
    };
    const defined = Object.entries(known).filter(([, value]) => value !== undefined);
    return { ...shown, ...Object.fromEntries(defined) };
  }
}
