/** A port that a pod gives a name. */
export interface ContainerPort {
  name: string;
  port: number;
  protocol: string;
}

/** One address and port of a service, with the backends that the agent has for it. */
export interface AgentService {
  ip: string;
  port: number;
  /** Empty where the agent does not tell protocols apart. */
  protocol: string;
  namespace: string;
  /** Empty where the agent does not name its services. */
  name: string;
  /** `ClusterIP`, `NodePort` …; empty where the agent does not say. */
  type: string;
  /** Whether backends see the client's own address. */
  keepsClient: boolean;
  backends: { ip: string; port: number }[];
}

/** The identities, endpoints, addresses and services that an agent knows: what its verdicts rest on. */
export interface AgentLists {
  identities: { id: number; labels: string[] }[];
  /** Those that have an identity. `pod` is `namespace/name`. */
  endpoints: {
    id: number;
    identity: number;
    labels: string[];
    namedPorts?: ContainerPort[];
    pod?: string;
  }[];
  ips: { cidr: string; identity: number; pod?: string }[];
  services: AgentService[];
}
