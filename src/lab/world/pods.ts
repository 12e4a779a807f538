import { derivedAddress, derivedContainer, derivedMac, derivedNumber } from '../derive.ts';
import { ENDPOINT_OPTIONS } from '../state/options.ts';
import type { LabEndpoint, LabIdentity, LabState } from '../state/state.ts';
import { freeAddress, takenAddresses } from './ipam.ts';
import { identityFor, type LabNode, mustParse, type RemotePod } from './world.ts';

/** A pod that came while the lab runs. */
export interface NewPod {
  /** namespace/name */
  pod: string;
  /** Of its identity, sorted. */
  labels: string[];
  workload?: { kind: string; name: string };
  ports: LabEndpoint['ports'];
  nowMs: number;
}

/** The state with an endpoint for a new pod of this node, with addresses of the node's own; as it was when there is one already. */
export function withPod(state: LabState, pod: NewPod, self: LabNode, clusterId: number): LabState {
  if (state.endpoints.some((endpoint) => endpoint.pod === pod.pod)) return state;
  const taken = takenAddresses(state, { self });
  const address = (cidr: string | undefined) => {
    if (cidr === undefined) return undefined;
    const wanted = derivedAddress(mustParse(cidr), 'pod', pod.pod);
    return taken.has(wanted) ? freeAddress(cidr, taken) : wanted;
  };
  const ipv4 = address(self.podCIDR);
  const ipv6 = address(self.podCIDR6);
  const ids = new Set(state.endpoints.map(({ id }) => id));
  let id = 1 + derivedNumber(4095, 'endpoint', pod.pod);
  while (ids.has(id)) id = (id % 4095) + 1;
  const containerId = derivedContainer('container', pod.pod, String(pod.nowMs));
  const identity = identityFor(pod.labels, state.identities, clusterId);
  const links = state.endpoints.map(({ interfaceIndex }) => interfaceIndex);
  const endpoint: LabEndpoint = {
    id,
    kind: 'pod',
    pod: pod.pod,
    ...(pod.workload && { workload: pod.workload }),
    containerId,
    labels: pod.labels,
    userLabels: [],
    disabledLabels: [],
    identity: identity.id,
    ...(ipv4 !== undefined && { ipv4 }),
    ...(ipv6 !== undefined && { ipv6 }),
    mac: derivedMac('pod', pod.pod),
    hostMac: derivedMac('host', pod.pod),
    interfaceIndex: 2 + Math.max(11, ...links),
    interfaceName: `lxc${containerId.slice(0, 10)}`,
    options: { ...ENDPOINT_OPTIONS },
    state: 'ready',
    ports: pod.ports,
  };
  return {
    ...withIdentities(state, [identity]),
    endpoints: [...state.endpoints, endpoint].sort((a, b) => a.id - b.id),
  };
}

export function withoutPod(state: LabState, pod: string): LabState {
  const endpoints = state.endpoints.filter((endpoint) => endpoint.pod !== pod);
  return endpoints.length === state.endpoints.length ? state : { ...state, endpoints };
}

/** The state with an endpoint's labels changed, and with that its identity. */
export function relabelled(state: LabState, pod: string, labels: string[], clusterId: number): LabState {
  const at = state.endpoints.findIndex((endpoint) => endpoint.pod === pod);
  const endpoint = state.endpoints[at];
  if (!endpoint || endpoint.labels.join() === labels.join()) return state;
  const identity = identityFor([...labels, ...endpoint.userLabels], state.identities, clusterId);
  return {
    ...withIdentities(state, [identity]),
    endpoints: state.endpoints.with(at, { ...endpoint, labels, identity: identity.id }),
  };
}

/** Identities are known to every agent of a cluster. */
export function withIdentities(state: LabState, identities: readonly LabIdentity[]): LabState {
  const fresh = identities.filter(({ id }) => id > 255 && !state.identities.some((known) => known.id === id));
  return fresh.length === 0 ? state : { ...state, identities: [...state.identities, ...fresh] };
}

/** The pods of a node as the agents of other nodes see them. */
export function seenFromAway(node: LabNode, state: LabState): RemotePod[] {
  return state.endpoints.flatMap(({ kind, pod, labels, identity, ipv4, ipv6 }) =>
    kind === 'pod' && ipv4 !== undefined
      ? [{ pod, labels, identity, node, ipv4, ...(ipv6 !== undefined && { ipv6 }) }]
      : [],
  );
}
