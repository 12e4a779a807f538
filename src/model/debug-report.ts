import type { EndpointRow } from './endpoint.ts';
import type { AgentPolicy } from './policy.ts';
import type { ServiceRow } from './service.ts';
import type { AgentStatus, WireguardState } from './status.ts';

/** What the agent tells about itself for a report of a fault. */
export interface DebugReport {
  version: string;
  kernelVersion: string;
  status: AgentStatus | undefined;
  endpoints: EndpointRow[];
  services: ServiceRow[];
  policy: AgentPolicy;
  /** `NAME:value`. */
  environment: string[];
  /** Name → its state as text. */
  subsystems: Record<string, string>;
  wireguard: WireguardState | undefined;
  memoryMap: string;
  monitorMemoryMap: string;
}
