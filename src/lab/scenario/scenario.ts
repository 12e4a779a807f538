import type {
  BgpPeer,
  BgpRoute,
  BgpRoutePolicy,
  BPFMap,
  EndpointHealth,
  EndpointState,
  IPListEntry,
  LRPSpec,
  RecorderSpec,
  StatusResponse,
} from '../../agent/decode/types.gen.ts';

/** What a lab plays, as schemas/lab-scenario.json describes it. */
export interface Scenario {
  name: string;
  description?: string;
  cluster?: { name?: string; id?: number };
  /** Name of the node whose agent this is; absent: the first. */
  node?: string;
  nodes?: ScenarioNode[];
  endpoints?: ScenarioEndpoint[];
  identities?: { id: number; labels: string[] }[];
  ipcache?: IPListEntry[];
  services?: ScenarioService[];
  policies?: Record<string, unknown>[];
  config?: {
    options?: Record<string, string>;
    policyEnforcement?: 'default' | 'always' | 'never';
    readOnly?: Record<string, unknown>;
  };
  status?: StatusResponse;
  controllers?: ScenarioController[];
  dns?: ScenarioLookup[];
  prefilter?: { enabled?: boolean; deny?: string[] };
  lrp?: LRPSpec[];
  bgp?: { peers?: BgpPeer[]; routes?: BgpRoute[]; routePolicies?: BgpRoutePolicy[] };
  recorders?: RecorderSpec[];
  maps?: BPFMap[];
  /** Entries that pinned maps have room for, by name. */
  capacities?: Record<string, number>;
  flows?: { file?: string; rate?: number; ring?: number };
  traffic?: ScenarioTraffic[];
}

export interface ScenarioNode {
  name: string;
  ipv4: string;
  ipv6?: string;
  podCIDR?: string;
  podCIDR6?: string;
  /** `ok`, or the error that a probe gets. */
  health?: { node?: string; endpoint?: string };
}

export interface ScenarioEndpoint {
  /** namespace/name */
  pod: string;
  /** `app: web`, or `k8s:app=web` in a list. */
  labels?: Record<string, string> | string[];
  serviceAccount?: string;
  workload?: string;
  node?: string;
  id?: number;
  identity?: number;
  ipv4?: string;
  ipv6?: string;
  ports?: Record<string, string>;
  state?: EndpointState;
  health?: EndpointHealth;
  message?: string;
  controllers?: ScenarioController[];
}

export interface ScenarioService {
  name: string;
  id?: number;
  type?: 'ClusterIP' | 'NodePort' | 'ExternalIPs' | 'HostPort' | 'LoadBalancer' | 'LocalRedirect';
  frontend: string;
  backends?: string[];
  trafficPolicy?: 'Cluster' | 'Local';
  cluster?: string;
}

export interface ScenarioController {
  name: string;
  interval?: string;
  successes?: number;
  failures?: number;
  message?: string;
}

export interface ScenarioLookup {
  endpoint: string;
  name: string;
  ips: string[];
  /** Seconds. */
  ttl?: number;
  source?: 'lookup' | 'connection';
}

/** One conversation that repeats. */
export interface ScenarioTraffic {
  from: string;
  to: string;
  port?: string;
  http?: { method: string; path: string; code?: number; latencyMs?: number };
  dns?: { query: string; ips?: string[]; rcode?: number };
  name?: string;
  weight?: number;
  drop?: string;
  /** Connections that stay open besides, in the pinned maps only. */
  connections?: number;
}
