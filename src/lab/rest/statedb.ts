import type { Agent } from '../agent/agent.ts';
import { derivedNumber } from '../derive.ts';
import { plays } from '../version.ts';

/** Modules of the agent that report their health: path, component, message. */
const MODULES: readonly [string, string, string][] = [
  ['agent.controlplane.auth', 'observer-job-auth-gc-identity-events', 'OK'],
  ['agent.controlplane.cilium-health', 'timer-job-probe', 'OK (1.2ms)'],
  ['agent.controlplane.endpoint-manager', 'endpoint-gc', 'OK'],
  ['agent.controlplane.hubble', 'job-hubble', 'Running'],
  ['agent.controlplane.identity', 'timer-job-id-alloc-update-policy-maps', 'OK'],
  ['agent.controlplane.loadbalancer.reconciler', 'job-reconcile', 'OK, 0 object(s)'],
  ['agent.controlplane.node-manager', 'background-sync', 'Node validation successful'],
  ['agent.controlplane.node-manager', 'neighbor-link-updater', 'Node Neighbor Link Updater: empty queue'],
  ['agent.controlplane.policy', 'observer-job-policy-importer', 'Running'],
  ['agent.datapath.agent-liveness-updater', 'timer-job-agent-liveness-updater', 'OK (52µs)'],
  ['agent.datapath.iptables', 'job-iptables-reconciliation-loop', 'iptables rules update completed'],
  ['agent.datapath.orchestrator', 'job-reinitialize', 'OK'],
  ['agent.datapath.sysctl', 'job-reconcile', 'OK, 25 object(s)'],
  ['agent.infra.agent-healthz', 'job-agent-healthz-server-ipv4', 'Running'],
  ['agent.infra.shell', 'job-listener', 'Running'],
];

/**
 * Answers what agents from 1.17 on serve of their in-memory database beside the API: rows of a table, one JSON object a
 * line, or all tables in one. Undefined when there is no such table.
 */
export function tableAnswer(path: string, body: unknown, agent: Agent): string | undefined {
  if (!plays(agent.version, '1.17')) return undefined;
  if (path === '/statedb/dump') return `${JSON.stringify({ health: healthRows(agent) }, null, 2)}\n`;
  const table = typeof body === 'object' && body !== null && 'table' in body ? body.table : undefined;
  if (path !== '/statedb/query' || table !== 'health') return undefined;
  return healthRows(agent)
    .map((obj, i) => `${JSON.stringify({ rev: i + 1, obj })}\n`)
    .join('');
}

/** What the modules of the agent report; an endpoint that is not ready is a report as well. */
export function healthRows(agent: Agent) {
  const modules = MODULES.map(([path, component, message]) => row(path, component, 'OK', message, agent));
  const endpoints = agent.state.endpoints.map((endpoint) => {
    const name = `cilium-endpoint-${endpoint.id}${endpoint.pod ? ` (${endpoint.pod})` : ''}`;
    const well = endpoint.state === 'ready';
    const message = well ? 'Endpoint regeneration successful' : (endpoint.message ?? 'Endpoint is not ready');
    const path = `agent.controlplane.endpoint-manager.${name}`;
    return row(path, 'datapath-regenerate', well ? 'OK' : 'Degraded', message, agent);
  });
  return [...modules, ...endpoints];
}

function row(path: string, component: string, level: string, message: string, agent: Agent) {
  const ago = 1000 * derivedNumber(60, path, component);
  const updated = new Date(Math.max(agent.startedMs, agent.nowMs() - ago)).toISOString();
  const well = level === 'OK';
  return {
    ID: { Module: path.split('.'), Component: [component] },
    Level: level,
    Message: message,
    Error: well ? '' : message,
    LastOK: well ? updated : '0001-01-01T00:00:00Z',
    Updated: updated,
    Stopped: '0001-01-01T00:00:00Z',
    Final: '',
    Count: 1,
  };
}
