/**
 * Whether an agent of 1.20 was started with options of the release: its early snapshots name the same version and lack
 * parts of it.
 */
export function hasOptionsOf120({ readOnly = {} }: Pick<AgentConfig, 'readOnly'>): boolean {
  return ['PreferIpv6', 'EnableFibTableIDAnnotation', 'EnableK8sClusterNetworkPolicy'].some((name) =>
    Object.hasOwn(readOnly, name),
  );
}

/** What the agent says of its configuration. */
export interface AgentConfig {
  /** Options that can be changed while it runs, as they are realized. */
  options: Record<string, string>;
  policyEnforcement: string;
  /** Options fixed at start that look like the above (1.9). */
  immutable: Record<string, string>;
  /** Everything the agent was started with, by Go field name; undefined before 1.11. */
  readOnly: Record<string, unknown> | undefined;
  kubernetesConfiguration: string;
  kubernetesEndpoint: string;
  /** The key-value store that the agent uses; without a type there is none. */
  kvstore: { type: string; options: Record<string, string> };
  /** Pages of the monitor's ring buffer; undefined when there is none. */
  monitorPages: number | undefined;
}
