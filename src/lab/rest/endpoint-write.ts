import type {
  EndpointBatchDeleteRequest,
  EndpointChangeRequest,
  EndpointConfigurationSpec,
  LabelConfigurationSpec,
} from '../../agent/decode/types.gen.ts';
import { POD_ACCOUNT, POD_CLUSTER, POD_NAMESPACE } from '../../model/label.ts';
import { type Agent, identityLabels } from '../agent/agent.ts';
import { derivedContainer, derivedMac } from '../derive.ts';
import { changeOptions, ENDPOINT_OPTIONS, OptionError } from '../state/options.ts';
import type { LabEndpoint, LabState } from '../state/state.ts';
import { freeAddress, takenAddresses } from '../world/ipam.ts';
import { identityFor } from '../world/world.ts';
import { ApiFailure, type Handlers, ok } from './call.ts';
import { endpointModel, findEndpoint } from './endpoint.ts';

export const endpointWriteHandlers: Handlers = {
  'PUT /endpoint/{id}': async ({ params: { id = '' }, body }, agent) => {
    const request = body as EndpointChangeRequest;
    const after = await agent.store.update((state) => createEndpoint(request, id, state, agent));
    const known = new Set(agent.state.endpoints.map((endpoint) => endpoint.id));
    const created = after.endpoints.findLast((endpoint) => known.has(endpoint.id) && isOf(endpoint, request));
    if (!created) throw new ApiFailure(500, 'the endpoint is gone again');
    return { status: 201, body: endpointModel(created, agent) };
  },

  'PATCH /endpoint/{id}': async ({ params, body }, agent) => {
    const { id } = findEndpoint(params.id, agent);
    const request = body as EndpointChangeRequest;
    await agent.store.update((state) =>
      changeEndpoint(state, id, (endpoint) => ({
        ...endpoint,
        state: request.state === 'waiting-for-identity' ? endpoint.state : request.state,
        ...(request.addressing?.ipv4 && { ipv4: request.addressing.ipv4 }),
        ...(request.addressing?.ipv6 && { ipv6: request.addressing.ipv6 }),
        ...(request.mac && { mac: request.mac }),
        ...(request['host-mac'] && { hostMac: request['host-mac'] }),
      })),
    );
    return ok();
  },

  'PATCH /endpoint/{id}/config': async ({ params, body }, agent) => {
    const { id } = findEndpoint(params.id, agent);
    const { options = {} } = body as EndpointConfigurationSpec;
    await agent.store.update((state) =>
      changeEndpoint(state, id, (endpoint) => ({ ...endpoint, options: optionsOf(endpoint, options) })),
    );
    return ok();
  },

  'PATCH /endpoint/{id}/labels': async ({ params, body }, agent) => {
    const { id } = findEndpoint(params.id, agent);
    const { user = [] } = body as LabelConfigurationSpec;
    await agent.store.update((state) => relabel(state, id, user, agent.world.cluster.id));
    return ok();
  },

  'DELETE /endpoint/{id}': async ({ params }, agent) => {
    const { id, kind } = findEndpoint(params.id, agent);
    if (kind === 'host') throw new ApiFailure(400, 'the host endpoint cannot be deleted');
    await agent.store.update((state) => removeEndpoints(state, (endpoint) => endpoint.id === id));
    return ok();
  },

  'DELETE /endpoint': async ({ body }, agent) => {
    const container = (body as EndpointBatchDeleteRequest)['container-id'];
    if (!container) throw new ApiFailure(400, 'a container id is needed');
    await agent.store.update((state) => removeEndpoints(state, (e) => e.containerId === container));
    return ok();
  },
};

function isOf(endpoint: LabEndpoint, request: EndpointChangeRequest): boolean {
  return request['container-id']
    ? endpoint.containerId === request['container-id']
    : endpoint.pod === podOf(request);
}

function podOf(request: EndpointChangeRequest): string {
  const { 'k8s-namespace': namespace, 'k8s-pod-name': name } = request;
  return namespace && name ? `${namespace}/${name}` : '';
}

function changeEndpoint(
  state: LabState,
  id: number,
  change: (endpoint: LabEndpoint) => LabEndpoint,
): LabState {
  const at = state.endpoints.findIndex((endpoint) => endpoint.id === id);
  const endpoint = state.endpoints[at];
  if (!endpoint) throw new ApiFailure(404);
  return { ...state, endpoints: state.endpoints.with(at, change(endpoint)) };
}

function removeEndpoints(state: LabState, gone: (endpoint: LabEndpoint) => boolean): LabState {
  const endpoints = state.endpoints.filter((endpoint) => !gone(endpoint));
  if (endpoints.length === state.endpoints.length) throw new ApiFailure(404);
  return { ...state, endpoints };
}

function optionsOf(endpoint: LabEndpoint, options: Record<string, string>) {
  try {
    return changeOptions(endpoint.options, options);
  } catch (error) {
    if (error instanceof OptionError) throw new ApiFailure(400, error.message);
    throw error;
  }
}

/** A new set of user labels is a new identity: an endpoint is what its labels are. */
function relabel(state: LabState, id: number, userLabels: string[], clusterId: number): LabState {
  let { identities } = state;
  const next = changeEndpoint(state, id, (endpoint) => {
    if (endpoint.kind !== 'pod') throw new ApiFailure(500, 'labels of reserved endpoints cannot be changed');
    const identity = identityFor(identityLabels({ ...endpoint, userLabels }), identities, clusterId);
    if (!identities.includes(identity) && identity.id > 255) identities = [...identities, identity];
    return { ...endpoint, userLabels, identity: identity.id };
  });
  return { ...next, identities };
}

function createEndpoint(
  request: EndpointChangeRequest,
  idText: string,
  state: LabState,
  agent: Agent,
): LabState {
  const { world } = agent;
  const wanted = /^\d+$/.test(idText) ? Number(idText) : (request.id ?? 0);
  const pod = podOf(request);
  const containerId = request['container-id'] ?? derivedContainer('created', pod, idText);
  const taken = new Set(state.endpoints.map((endpoint) => endpoint.id));
  if (taken.has(wanted) || state.endpoints.some((e) => e.containerId === containerId))
    throw new ApiFailure(409, `endpoint ${idText} exists already`);
  let id = wanted;
  while (id === 0 || taken.has(id)) id++;
  const addresses = takenAddresses(state, world);
  const ipv4 = request.addressing?.ipv4 || freeAddress(world.self.podCIDR, addresses);
  const ipv6 =
    request.addressing?.ipv6 || (world.self.podCIDR6 && freeAddress(world.self.podCIDR6, addresses));
  const labels = [...(request.labels ?? []), ...(pod ? podLabels(pod, world.cluster.name) : [])];
  const unique = [...new Set(labels.length > 0 ? labels : ['reserved:init'])].sort();
  const identity = identityFor(unique, state.identities, world.cluster.id);
  const created: LabEndpoint = {
    id,
    kind: 'pod',
    pod,
    containerId,
    ...(request['container-name'] && { containerName: request['container-name'] }),
    labels: unique,
    userLabels: [],
    disabledLabels: [],
    identity: identity.id,
    ...(ipv4 && { ipv4 }),
    ...(ipv6 && { ipv6 }),
    mac: request.mac || derivedMac('pod', containerId),
    hostMac: request['host-mac'] || derivedMac('host', containerId),
    interfaceIndex: request['interface-index'] || 100 + id,
    interfaceName: request['interface-name'] || `lxc${containerId.slice(0, 10)}`,
    options: { ...ENDPOINT_OPTIONS },
    state: 'ready',
    ports: [],
  };
  const fresh = identity.id > 255 && !state.identities.includes(identity);
  return {
    ...state,
    endpoints: [...state.endpoints, created].sort((a, b) => a.id - b.id),
    identities: fresh ? [...state.identities, identity] : state.identities,
  };
}

function podLabels(pod: string, cluster: string): string[] {
  return [
    `k8s:${POD_CLUSTER}=${cluster}`,
    `k8s:${POD_ACCOUNT}=default`,
    `k8s:${POD_NAMESPACE}=${pod.split('/')[0]}`,
  ];
}
