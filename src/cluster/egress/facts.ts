import type { LabelSelector } from '../../model/selector.ts';

/** Where traffic of a policy leaves the cluster. */
export interface EgressGateway {
  nodes: LabelSelector;
  egressIp: string | undefined;
  iface: string | undefined;
}

/** A CiliumEgressGatewayPolicy. */
export interface EgressPolicy {
  name: string;
  selectors: readonly {
    pods: LabelSelector | undefined;
    namespaces: LabelSelector | undefined;
    nodes: LabelSelector | undefined;
  }[];
  destinations: readonly string[];
  excluded: readonly string[];
  gateways: readonly EgressGateway[];
}

/** A node, and whether traffic can be sent to it. */
export interface EgressNode {
  name: string;
  labels: Readonly<Record<string, string>>;
  addresses: readonly string[];
  /** Why it is no gateway that works; undefined when nothing speaks against it. */
  trouble: string | undefined;
}

/** A pod. */
export interface EgressEndpoint {
  /** `namespace/name` */
  name: string;
  /** Labels of its identity, with their sources. */
  labels: readonly string[];
  addresses: readonly string[];
  /** Address of the node that it runs on. */
  host: string;
}

/** What an agent has written for the traffic of an address to a range. */
export interface EgressEntry {
  source: string;
  destination: string;
  /** Zero on nodes that are not the gateway. */
  egressIp: string;
  /** An address, or what stands for something else. */
  gateway: string;
}

/** What the agent of a node has written; `off` where it has no such map. */
export interface NodeEntries {
  node: string;
  entries: readonly EgressEntry[] | 'off';
}

/** What is known of a cluster's egress gateways. */
export interface EgressFacts {
  policies: readonly EgressPolicy[];
  nodes: readonly EgressNode[];
  endpoints: readonly EgressEndpoint[];
  views: readonly NodeEntries[];
}

/** Values of the gateway that stand for something else, as each release of the agent prints them. */
export const isNotFound = (gateway: string) => gateway === 'Not Found' || gateway === '0.0.0.0';
export const isExcluded = (gateway: string) => gateway === 'Excluded CIDR' || gateway === '0.0.0.1';
export const isZero = (address: string) => ['', '0.0.0.0', '::'].includes(address);
