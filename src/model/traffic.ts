/**
 * Who talks to whom: what a map of traffic, a report and a page show. Counts are of flows as Hubble tells them, so that a
 * packet that was seen at three points counts three times, as it does in every ranking.
 */
export interface Traffic {
  nodes: readonly TrafficNode[];
  edges: readonly TrafficEdge[];
  timeline: Timeline;
  /** Names of the clusters that the flows tell. */
  clusters: readonly string[];
  /** Flows counted, those included that no edge shows. */
  flows: number;
  /** Flows without both ends, which stand on no edge. */
  endless: number;
  /** Events that Hubble says it lost. */
  lost: number;
  /** Milliseconds since the epoch; undefined where no flow has a time. */
  firstMs: number | undefined;
  lastMs: number | undefined;
}

/**
 * What kind of thing stands at the end of traffic: a workload (a Deployment, a DaemonSet …), a pod of which no workload is
 * known, a service that was not translated yet, one of Cilium's reserved entities, a DNS name or an address outside,
 * or all the rest of a kind that there was no room for.
 */
export type NodeKind = 'workload' | 'pod' | 'service' | 'entity' | 'name' | 'address' | 'others';

/** One end of traffic. Names are as the cluster has them: whoever prints them makes them safe. */
export interface TrafficNode {
  /** Equal for the same thing in any capture. */
  id: string;
  kind: NodeKind;
  name: string;
  namespace: string | undefined;
  /** Only where the flows come from more than their own cluster. */
  cluster: string | undefined;
  /** Kind of the workload, as `Deployment`. */
  workload: string | undefined;
  /** Services that it was reached through, as `namespace/name`. */
  services: readonly string[];
  /** Pods that were seen of it, as `namespace/name`; of many not all. */
  pods: readonly string[];
  /** Of `others`: how many it stands for, at least. */
  folded: number;
}

/** The traffic of one end with another that it opened connections to; answers are counted with it. */
export interface TrafficEdge {
  client: string;
  server: string;
  flows: number;
  /** Of these, flows that were dropped, or ended in an error. */
  dropped: number;
  /** Of these, answers. */
  replies: number;
  firstMs: number;
  lastMs: number;
  /** Most flows first. */
  verdicts: readonly Count[];
  /** `443/TCP`; most flows first. */
  ports: readonly PortCount[];
  drops: readonly Drop[];
  /** Policies that Hubble names as deciding, as `namespace/name`, or `name` of one for the cluster. */
  policies: readonly PolicyCount[];
  http: Http | undefined;
  dns: Dns | undefined;
  /** Flows in each piece of the timeline: its number, all flows, those that were dropped. */
  times: readonly (readonly [number, number, number])[];
  /** It was cut to a part of the time: answers, requests and latency are still of the whole. */
  isPart?: true;
  /** What rules that are tried would do with its flows; absent where none are. */
  fate?: EdgeFate;
}

/** What would become of the flows of an edge under other rules, in numbers of flows: each counts once. */
export interface EdgeFate {
  newlyDenied: number;
  newlyAllowed: number;
  unchanged: number;
  /** Not decided, or there is no verdict to compare with. */
  open: number;
  /** They show nothing of what policy does, as those seen before it. */
  silent: number;
  /** The changes that its flows are part of: their numbers in the report, and how many flows. */
  changes: readonly { change: number; flows: number }[];
  /** Why flows are open; most flows first. */
  reasons: readonly Count[];
}

/** An edge with its ends. */
export interface EdgeWithEnds {
  edge: TrafficEdge;
  client: TrafficNode;
  server: TrafficNode;
}

/** How often something was seen. */
export interface Count {
  name: string;
  flows: number;
  /** Where a part of the time is shown: it is of the whole time, because it is not known of the part. */
  isWhole?: true;
}

/** How often something was seen, and when. */
export interface TimedCount extends Count {
  /** Flows in each piece of the timeline that has some: its number and the flows. Undefined where there was no room to keep it. */
  times: readonly (readonly [number, number])[] | undefined;
}

/** Flows to one port of a server. */
export interface PortCount extends Count {
  dropped: number;
}

/** Flows that a policy decided. */
export interface PolicyCount extends Count {
  denied: number;
}

/** The reason of a request that a proxy refused, for which Hubble has none. */
export const REFUSED_BY_PROXY = 'L7_DENIED';

/** Flows of one edge that were dropped for one reason. */
export interface Drop {
  /** As `POLICY_DENIED`; where Hubble tells no reason the verdict, or `L7_DENIED` for a request that a proxy refused. */
  reason: string;
  port: string;
  direction: 'ingress' | 'egress' | undefined;
  flows: number;
  firstMs: number;
  lastMs: number;
  policies: readonly string[];
  /** The first such flow, in the JSON form of Hubble. */
  example: object | undefined;
  /** As of a `TimedCount`. */
  times: TimedCount['times'];
  /** As of a `Count`. */
  isWhole?: true;
}

/** What HTTP did on an edge. */
export interface Http {
  requests: number;
  responses: number;
  /** By status. */
  codes: readonly TimedCount[];
  /** By method and path. */
  paths: readonly Count[];
  latency: Latency | undefined;
}

/** What DNS did on an edge. */
export interface Dns {
  queries: number;
  responses: number;
  /** Names that could not be resolved, with the code of the answer: `NXDOMAIN example.com.`. */
  failures: readonly TimedCount[];
  latency: Latency | undefined;
}

/** Times from request to response, in milliseconds; the percentiles are right to within a tenth. */
export interface Latency {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  most: number;
}

/** Pieces of time of one length, without gaps. */
export interface Timeline {
  /** Number of the first piece: it begins at `first * widthMs`. */
  first: number;
  widthMs: number;
  /** Flows of each piece, and those of them that were dropped. */
  flows: readonly number[];
  dropped: readonly number[];
}
