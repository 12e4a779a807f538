import type { Agent } from '../agent.ts';
import { derivedNumber } from '../derive.ts';

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

/** Rows of a table of the agent's in-memory database, one JSON object a line; undefined when there is no such table. */
export function queryTable(body: unknown, agent: Agent): string | undefined {
  const table = typeof body === 'object' && body !== null && 'table' in body ? body.table : undefined;
  if (agent.version === '1.9' || table !== 'health') return undefined;
  const rows = [...MODULES.map(([path, component, message]) => row(path, component, 'OK', message, agent))];
  for (const endpoint of agent.state.endpoints) {
    const name = `cilium-endpoint-${endpoint.id}${endpoint.pod ? ` (${endpoint.pod})` : ''}`;
    const well = endpoint.state === 'ready';
    const message = well ? 'Endpoint regeneration successful' : (endpoint.message ?? 'Endpoint is not ready');
    rows.push(
      row(
        `agent.controlplane.endpoint-manager.${name}`,
        'datapath-regenerate',
        well ? 'OK' : 'Degraded',
        message,
        agent,
      ),
    );
  }
  return rows.map((obj, i) => `${JSON.stringify({ rev: i + 1, obj })}\n`).join('');
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
