import type { DNSLookup, EndpointHealth, EndpointState, RecorderSpec } from '../../agent/decode/types.gen.ts';

/** All that a lab changes while it runs: written to its folder before a change is acknowledged. */
export interface LabState {
  format: 1;
  /** Which scenario the state began with. */
  scenario: { name: string; digest: string };
  policy: { revision: number; rules: PolicyRule[] };
  config: { options: Options; policyEnforcement: string; monitorPages: number };
  /** Endpoints of this node, in the order of their ids. */
  endpoints: LabEndpoint[];
  /** Identities without the reserved ones. */
  identities: LabIdentity[];
  services: LabService[];
  prefilter: { enabled: boolean; revision: number; deny: string[] };
  dns: DNSLookup[];
  recorders: RecorderSpec[];
  /** Addresses handed out through POST /ipam, with their owners. */
  ipam: Record<string, string>;
}

/** A rule as it was imported: unknown fields stay. */
export type PolicyRule = Readonly<Record<string, unknown>>;

export type Options = Record<string, string>;

export interface LabIdentity {
  id: number;
  /** `source:key=value`, sorted. */
  labels: string[];
}

export interface LabEndpoint {
  id: number;
  kind: 'pod' | 'host' | 'health';
  /** namespace/name; empty for those that are no pod. */
  pod: string;
  workload?: { kind: string; name: string };
  containerId: string;
  containerName?: string;
  /** Labels that the orchestrator gave. */
  labels: string[];
  /** Labels that a user added. */
  userLabels: string[];
  /** Labels of the orchestrator that a user switched off. */
  disabledLabels: string[];
  identity: number;
  ipv4?: string;
  ipv6?: string;
  mac: string;
  hostMac: string;
  interfaceIndex: number;
  interfaceName: string;
  options: Options;
  state: EndpointState;
  health?: EndpointHealth;
  ports: { name: string; port: number; protocol: string }[];
  message?: string;
}

/**
 * A service as the API shows it. Looser than its description: real agents answer protocols in upper case.
 */
export interface LabService {
  id: number;
  'frontend-address': { ip?: string; port?: number; protocol?: string; scope?: string };
  'backend-addresses': LabBackend[];
  flags: Record<string, unknown>;
}

export interface LabBackend {
  ip: string;
  port?: number;
  protocol?: string;
  nodeName?: string;
  state?: string;
  preferred?: boolean;
  weight?: number;
}
