import type { Agent } from '../agent/agent.ts';
import { endpointControllers } from '../agent/controllers.ts';
import type { EndpointPolicyFacts } from '../policy/policy.ts';
import type { LabEndpoint } from '../state/state.ts';
import { ApiFailure, type Handlers, labelsIn, ok } from './call.ts';

export const endpointHandlers: Handlers = {
  'GET /endpoint': ({ body }, agent) => {
    const labels = labelsIn(body);
    const found = agent.state.endpoints.filter((endpoint) => {
      const have = [...endpoint.labels, ...endpoint.userLabels];
      return labels.every((label) => have.includes(label));
    });
    if (found.length === 0 && labels.length > 0) throw new ApiFailure(404);
    return ok(found.map((endpoint) => endpointModel(endpoint, agent)));
  },

  'GET /endpoint/{id}': ({ params }, agent) => ok(endpointModel(findEndpoint(params.id, agent), agent)),

  'GET /endpoint/{id}/config': ({ params }, agent) => {
    const { options } = findEndpoint(params.id, agent);
    return ok({ realized: { 'label-configuration': {}, options } });
  },

  'GET /endpoint/{id}/labels': ({ params }, agent) => {
    const endpoint = findEndpoint(params.id, agent);
    const spec = endpoint.userLabels.length > 0 ? { user: endpoint.userLabels } : {};
    return ok({ spec, status: labelStatus(endpoint) });
  },

  'GET /endpoint/{id}/log': ({ params }, agent) => {
    const { id } = findEndpoint(params.id, agent);
    return ok(agent.endpointLog(id).map(logModel));
  },

  'GET /endpoint/{id}/healthz': ({ params }, agent) => ok(healthModel(findEndpoint(params.id, agent))),
};

/** The endpoint that `[prefix:]value` names. */
export function findEndpoint(text = '', agent: Agent): LabEndpoint {
  const colon = text.indexOf(':');
  const prefix = colon === -1 ? 'cilium-local' : text.slice(0, colon);
  const value = text.slice(colon + 1);
  const { endpoints } = agent.state;
  const find = (test: (endpoint: LabEndpoint) => boolean): LabEndpoint => {
    const found = endpoints.find(test);
    if (!found) throw new ApiFailure(404);
    return found;
  };
  switch (prefix) {
    case 'cilium-local': {
      const id = /^(0[xX][0-9a-fA-F]+|\d+)$/.test(value) ? Number(value) : Number.NaN;
      if (Number.isNaN(id)) throw new ApiFailure(400, `invalid numeric endpoint id: ${value}`);
      if (id > 65_535) throw new ApiFailure(400, `endpoint id too large: ${id}`);
      return find((endpoint) => endpoint.id === id);
    }
    case 'container-id':
      return find((e) => e.containerId === value && value !== '');
    case 'container-name':
      return find((e) => e.containerName === value && value !== '');
    case 'pod-name':
    case 'cep-name':
      return find((e) => e.pod === value && value !== '');
    case 'cni-attachment-id':
      return find((e) => `${e.containerId}:eth0` === value);
    case 'ipv4':
      return find((e) => e.ipv4 === value);
    case 'ipv6':
      return find((e) => e.ipv6 === value);
    case 'docker-endpoint':
    case 'cilium-global':
      throw new ApiFailure(404);
    default:
      throw new ApiFailure(400, `unknown endpoint prefix "${prefix}"`);
  }
}

/** An endpoint as the API shows it. */
export function endpointModel(endpoint: LabEndpoint, agent: Agent) {
  const [namespace, name] = endpoint.pod.split('/');
  const configuration = { 'label-configuration': {}, options: endpoint.options };
  const realized = agent.realized(endpoint.id);
  const audit = endpoint.options.PolicyAuditMode === 'Enabled';
  const address = {
    ...(endpoint.ipv4 && { ipv4: endpoint.ipv4 }),
    ...(endpoint.ipv6 && { ipv6: endpoint.ipv6 }),
  };
  return {
    id: endpoint.id,
    spec: configuration,
    status: {
      controllers: endpointControllers(endpoint, agent),
      'external-identifiers': {
        ...(endpoint.containerId && {
          'cni-attachment-id': `${endpoint.containerId}:eth0`,
          'container-id': endpoint.containerId,
        }),
        ...(endpoint.containerName && { 'container-name': endpoint.containerName }),
        ...(namespace && name && { 'k8s-namespace': namespace, 'k8s-pod-name': name }),
        'pod-name': endpoint.pod || '/',
      },
      health: healthModel(endpoint),
      identity: agent.identities().find((identity) => identity.id === endpoint.identity) ?? {
        id: endpoint.identity,
        labels: endpoint.labels,
      },
      labels: labelStatus(endpoint),
      log: agent.endpointLog(endpoint.id).slice(0, 1).map(logModel),
      ...(endpoint.ports.length > 0 && { namedPorts: endpoint.ports }),
      networking: {
        addressing: [address],
        ...(endpoint.kind === 'pod' && { 'container-interface-name': 'eth0' }),
        'host-mac': endpoint.hostMac,
        'interface-index': endpoint.interfaceIndex,
        'interface-name': endpoint.interfaceName,
        mac: endpoint.mac,
      },
      policy: {
        'proxy-policy-revision': realized.revision,
        'proxy-statistics': [],
        realized: policyModel(endpoint, realized.policy, realized.revision, realized.builds, audit),
        spec: policyModel(
          endpoint,
          agent.desired(endpoint),
          agent.state.policy.revision,
          realized.builds,
          audit,
        ),
      },
      realized: configuration,
      state: agent.regenerating && endpoint.state === 'ready' ? 'regenerating' : endpoint.state,
    },
  };
}

function policyModel(
  endpoint: LabEndpoint,
  policy: EndpointPolicyFacts,
  revision: number,
  build: number,
  audit: boolean,
) {
  const { ingress, egress } = policy;
  const both = ingress.enforced && egress.enforced;
  const enabled = both ? 'both' : ingress.enforced ? 'ingress' : egress.enforced ? 'egress' : 'none';
  return {
    'allowed-egress-identities': egress.allowed,
    'allowed-ingress-identities': ingress.allowed,
    'denied-egress-identities': egress.denied,
    'denied-ingress-identities': ingress.denied,
    build,
    id: endpoint.identity,
    l4: { ingress: ingress.l4, egress: egress.l4 },
    'policy-enabled': audit && enabled !== 'none' ? `audit-${enabled}` : enabled,
    'policy-revision': revision,
  };
}

function labelStatus(endpoint: LabEndpoint) {
  return {
    realized: endpoint.userLabels.length > 0 ? { user: endpoint.userLabels } : {},
    'security-relevant': endpoint.labels.filter((label) => !endpoint.disabledLabels.includes(label)),
    ...(endpoint.disabledLabels.length > 0 && { disabled: endpoint.disabledLabels }),
  };
}

function logModel(line: { code: string; message: string; state: string; timeMs: number }) {
  const { code, message, state } = line;
  return { code, message, state, timestamp: new Date(line.timeMs).toISOString().replace(/\.\d+/, '') };
}

function healthModel(endpoint: LabEndpoint) {
  if (endpoint.health) return endpoint.health;
  const well = endpoint.state === 'ready';
  const word = well ? 'OK' : endpoint.state === 'not-ready' ? 'Failure' : 'Pending';
  return { bpf: word, policy: word, connected: endpoint.kind !== 'host' || well, overallHealth: word };
}
