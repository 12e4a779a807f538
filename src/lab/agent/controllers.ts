import { derivedNumber, derivedUuid } from '../derive.ts';
import type { ScenarioController } from '../scenario/scenario.ts';
import type { LabEndpoint } from '../state/state.ts';
import type { Agent } from './agent.ts';

const NEVER = '0001-01-01T00:00:00.000Z';

interface Facts {
  name: string;
  interval?: string;
  successes?: number;
  failures?: number;
  message?: string;
  errorRetryBase?: string;
}

/** A controller as the API shows it. */
function model(facts: Facts, agent: Agent) {
  const { failures = 0 } = facts;
  const successes = facts.successes ?? (failures > 0 ? 0 : 1);
  const ago = 1000 * (1 + derivedNumber(50, facts.name));
  const time = (happened: boolean) =>
    happened ? new Date(Math.max(agent.startedMs, agent.nowMs() - ago)).toISOString() : NEVER;
  return {
    configuration: {
      'error-retry': true,
      ...(facts.errorRetryBase && { 'error-retry-base': facts.errorRetryBase }),
      ...(facts.interval && { interval: facts.interval }),
    },
    name: facts.name,
    status: {
      ...(successes > 0 && { 'success-count': successes }),
      ...(failures > 0 && {
        'failure-count': failures,
        'consecutive-failure-count': failures,
        'last-failure-msg': facts.message ?? 'failed',
      }),
      'last-failure-timestamp': time(failures > 0),
      'last-success-timestamp': time(successes > 0),
    },
    uuid: derivedUuid('controller', facts.name),
  };
}

function fromScenario(controller: ScenarioController): Facts {
  return controller;
}

/** The controllers of one endpoint. */
export function endpointControllers(endpoint: LabEndpoint, agent: Agent) {
  const { id } = endpoint;
  const extra = agent.world.scenario.endpoints?.find((e) => e.pod === endpoint.pod && e.pod !== '');
  const own: Facts[] = [
    { name: `endpoint-${id}-regeneration-recovery`, interval: '1s', errorRetryBase: '2s', successes: 0 },
    { name: `resolve-identity-${id}`, interval: '5m0s' },
    ...(endpoint.ipv4 ? [{ name: `sync-IPv4-identity-mapping (${id})`, interval: '5m0s' }] : []),
    ...(endpoint.ipv6 ? [{ name: `sync-IPv6-identity-mapping (${id})`, interval: '5m0s' }] : []),
    { name: `sync-policymap-${id}`, interval: '15m0s' },
    ...(extra?.controllers ?? []).map(fromScenario),
  ];
  return own.map((facts) => model(facts, agent));
}

/** Every controller of the agent, those of endpoints included. */
export function allControllers(agent: Agent) {
  const own: Facts[] = [
    { name: 'cilium-health-ep', interval: '1m0s', successes: 2 },
    { name: 'ct-map-pressure', interval: '30s', successes: 4 },
    { name: 'endpoint-gc', interval: '5m0s' },
    { name: 'endpoint-periodic-regeneration', interval: '2m0s' },
    { name: 'ipcache-inject-labels', successes: 12 },
    { name: 'k8s-heartbeat', interval: '30s', successes: 4 },
    { name: 'local-identity-checkpoint', successes: 2 },
    ...(agent.world.scenario.controllers ?? []).map(fromScenario),
  ];
  return [
    ...own.map((facts) => model(facts, agent)),
    ...agent.state.endpoints.flatMap((endpoint) => endpointControllers(endpoint, agent)),
  ];
}
