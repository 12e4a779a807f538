import { arch, platform, release } from 'node:os';
import type { Agent } from '../agent/agent.ts';
import { ipcache } from '../agent/ipcache.ts';
import { fullStatus } from '../agent/status.ts';
import { agentRelease } from '../version.ts';
import { type Handlers, ok } from './call.ts';
import { endpointModel } from './endpoint.ts';
import { serviceModel } from './service.ts';

interface LabMetric {
  name: string;
  value: number;
  labels?: Record<string, string>;
}

export const debugHandlers: Handlers = {
  'GET /debuginfo': (_, agent) => ok(debugInfo(agent)),
  'GET /metrics/': (_, agent) => ok(metrics(agent)),
};

function debugInfo(agent: Agent) {
  const { policy } = agent.state;
  return {
    'cilium-memory-map': '',
    'cilium-status': fullStatus(agent),
    'cilium-version': `${agentRelease(agent.version)} lab 2026-01-01T00:00:00+00:00 go version none ${platform()}/${arch()}`,
    encryption: {},
    'endpoint-list': agent.state.endpoints.map((endpoint) => endpointModel(endpoint, agent)),
    'environment-variables': [
      `cluster-name:${agent.world.cluster.name}`,
      `cluster-id:${agent.world.cluster.id}`,
      `debug:${agent.state.config.options.Debug === 'Enabled'}`,
      `enable-ipv6:${agent.world.self.ipv6 !== undefined}`,
      `enable-policy:${agent.state.config.policyEnforcement}`,
    ],
    'kernel-version': release(),
    policy: {
      policy: JSON.stringify(agent.policy.describe(policy.rules), null, 2),
      revision: policy.revision,
    },
    'service-list': agent.state.services.map(serviceModel),
    subsystem: {
      'cilium-lab': `scenario ${agent.world.scenario.name}, agent version ${agent.version}`,
    },
  };
}

/** Metrics that follow from the state of the lab. */
export function metrics(agent: Agent): LabMetric[] {
  const { state } = agent;
  const states = new Map<string, number>();
  for (const endpoint of state.endpoints) states.set(endpoint.state, (states.get(endpoint.state) ?? 0) + 1);
  const drops = agent.dropCounts?.() ?? new Map<string, number>();
  return [
    { name: 'cilium_agent_bootstrap_seconds', value: 0.1, labels: { scope: 'overall', outcome: 'success' } },
    ...[...drops].map(([reason, value]) => ({
      name: 'cilium_drop_count_total',
      value,
      labels: { reason, direction: 'INGRESS' },
    })),
    { name: 'cilium_endpoint_count', value: state.endpoints.length },
    ...[...states].map(([name, value]) => ({
      name: 'cilium_endpoint_state',
      value,
      labels: { endpoint_state: name },
    })),
    { name: 'cilium_identity_count', value: agent.identities().length },
    { name: 'cilium_ip_addresses', value: ipcache(agent).length, labels: { family: 'ipv4' } },
    { name: 'cilium_nodes_all_num', value: agent.world.nodes.length },
    { name: 'cilium_policy_count', value: state.policy.rules.length },
    { name: 'cilium_policy_max_revision', value: state.policy.revision },
    { name: 'cilium_services_events_total', value: state.services.length, labels: { action: 'add' } },
  ];
}
