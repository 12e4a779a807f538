/** What a list shows of an endpoint. */
export interface EndpointRow {
  id: number;
  /** `policy-enabled` of the realized policy; undefined when the agent says nothing. */
  policy: string | undefined;
  /** Security identity; undefined when none has been given yet. */
  identity: number | undefined;
  /** Sorted; empty when there are none. */
  labels: string[];
  /** The first address of each family; undefined without networking, null when it holds no address. */
  addresses: { ipv4: string; ipv6: string } | null | undefined;
  state: string | undefined;
  pod: string;
  namespace: string;
}
