/** What the toolkit knows of an endpoint. */
export interface EndpointRow {
  id: number;
  /** `policy-enabled` of the realized policy; undefined when the agent says nothing. */
  policy: string | undefined;
  /** Revision of the realized policy; undefined when there is none. */
  policyRevision: number | undefined;
  /** Security identity; undefined when none has been given yet. */
  identity: number | undefined;
  /** Labels of the identity, in the agent's order. */
  identityLabels: string[];
  /** Security-relevant labels, sorted; empty when there are none. */
  labels: string[];
  /** The first address of each family; undefined without networking, null when it holds no address. */
  addresses: { ipv4: string; ipv6: string } | null | undefined;
  allAddresses: string[];
  /** Index of the host's interface; undefined when the agent does not tell. */
  ifindex: number | undefined;
  state: string | undefined;
  pod: string;
  namespace: string;
  /** The agent's own object, for `-o`. */
  document: unknown;
}

/** What `endpoint health` shows. */
export interface EndpointState {
  overall: string;
  bpf: string;
  policy: string;
  connected: boolean;
}

/** An entry of an endpoint's log. */
export interface EndpointChange {
  timestamp: string;
  code: string;
  state: string;
  message: string;
}

/** How an endpoint is configured. */
export interface EndpointConfig {
  /** Options fixed when the endpoint was made. */
  immutable: Record<string, string>;
  options: Record<string, string>;
  /** All that can be changed as the agent tells it, to be sent back with a change. */
  realized: Record<string, unknown>;
}
