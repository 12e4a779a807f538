import { UserError } from '../../../errors.ts';
import { isRecord } from '../../../lib/record.ts';
import type { AgentLists, ContainerPort } from '../../../model/agent-lists.ts';
import { RESERVED_IDS, reservedLabels } from '../../../model/reserved-identity.ts';
import { takeAgentService } from '../selectors/agent-services.ts';
import { type ClusterObjects, noObjects, OBJECT_KINDS, takeObject } from '../selectors/cluster-objects.ts';
import { type Identity, identityOf } from '../selectors/identities.ts';
import type { CidrMatchMode } from '../selectors/surroundings.ts';
import type { Endpoint } from './endpoint-maps.ts';

/** What the evaluator needs to know of a cluster besides the rules. */
export interface PolicyState {
  identities: Identity[];
  endpoints: Endpoint[];
  /** Which identity an address or prefix has. */
  addresses: { cidr: string; identity: number }[];
  /** Identity of a pod by `namespace/name`. */
  pods: Map<string, number>;
  /** Kubernetes objects that rules refer to. */
  objects: ClusterObjects;
  /** Of the pods' addresses it has those of one node. */
  localOnly?: true;
  /** Whether the nodes' own traffic is subject to policy, if the state says so. */
  hostFirewall?: boolean;
  /** Which peers of the cluster CIDR rules select, if the state says so. */
  cidrMatchMode?: CidrMatchMode;
  /** Whether the agents read ClusterNetworkPolicy, if the state says so. */
  clusterNetworkPolicy?: boolean;
  /** Whether peers are of the own cluster unless they name one, if the state says so. */
  defaultLocalCluster?: boolean;
}

export function emptyState(): PolicyState {
  return { identities: [], endpoints: [], addresses: [], pods: new Map(), objects: noObjects() };
}

/**
 * Reads a state document: `{identities: [{id, labels}], endpoints: [{id, identity}], ips: [{cidr, identity}],
 * objects: […]}`, or a list of Kubernetes objects. `file` is for messages.
 */
export function stateOf(document: unknown, file: string): PolicyState {
  if (!isRecord(document)) throw wrong(file, 'expected an object with "identities" and "endpoints"');
  if (Array.isArray(document.items) && document.identities === undefined)
    return { ...emptyState(), objects: objectsOfList(document.items) };
  if (!Array.isArray(document.identities)) throw wrong(file, 'the list "identities" is missing');
  const identities = document.identities.map((item: unknown, i) =>
    identityAt(item, file, `identities[${i}]`),
  );
  const known = new Set(identities.map(({ id }) => id));
  const list = Array.isArray(document.endpoints) ? document.endpoints : [];
  const endpoints = list.map((item: unknown, i) => endpointAt(item, file, `endpoints[${i}]`));
  for (const [i, { identity }] of endpoints.entries())
    if (!known.has(identity))
      throw wrong(file, `endpoints[${i}].identity: identity ${identity} is not among "identities"`);
  return {
    identities,
    endpoints,
    addresses: addressesOf(document.ips),
    pods: podsOf(list),
    objects: objectsOf(document.objects, file),
    ...switchOf('hostFirewall', document, file),
    ...switchOf('clusterNetworkPolicy', document, file),
    ...switchOf('defaultLocalCluster', document, file),
    ...modeOf(document.cidrMatchMode, file),
  };
}

function switchOf<K extends 'hostFirewall' | 'clusterNetworkPolicy' | 'defaultLocalCluster'>(
  name: K,
  document: Readonly<Record<string, unknown>>,
  file: string,
): { [name in K]?: boolean } {
  const value = document[name];
  if (value === undefined) return {};
  if (typeof value !== 'boolean') throw wrong(file, `"${name}" must be true or false`);
  return { [name]: value } as { [name in K]?: boolean };
}

function modeOf(value: unknown, file: string): Pick<PolicyState, 'cidrMatchMode'> {
  if (value === undefined) return {};
  const list: readonly unknown[] | undefined = Array.isArray(value) ? value : undefined;
  const modes = list?.filter((mode) => mode === 'nodes' || mode === 'pods');
  if (!list || !modes || modes.length < list.length)
    throw wrong(file, '"cidrMatchMode" must be a list of "nodes" and "pods"');
  return { cidrMatchMode: modes };
}

/** A list as `kubectl get pods,services,endpointslices,namespaces -A -o json` prints it. Other kinds are passed over. */
function objectsOfList(items: readonly unknown[]): ClusterObjects {
  const taken = noObjects();
  for (const item of items) if (isRecord(item)) takeObject(item, taken);
  return taken;
}

/** `objects`: a list of Kubernetes objects, as kubectl prints them. */
function objectsOf(value: unknown, file: string): ClusterObjects {
  const taken = noObjects();
  if (value === undefined) return taken;
  if (!Array.isArray(value)) throw wrong(file, '"objects" must be a list of Kubernetes objects');
  for (const [i, item] of value.entries())
    if (!isRecord(item) || !takeObject(item, taken))
      throw wrong(file, `objects[${i}].kind: expected ${OBJECT_KINDS}`);
  return taken;
}

/** The state that an agent knows, or its debug information, which lists only the identities of endpoints. */
export function stateOfAgent({ identities, endpoints, ips, services }: AgentLists): PolicyState {
  const all = new Map<number, Identity>();
  const keep = (id: number, labels: readonly string[]) => all.set(id, identityOf(id, labels));
  for (const [name, id] of Object.entries(RESERVED_IDS)) keep(id, reservedLabels(name));
  for (const { id, labels } of identities) keep(id, labels);
  const state = emptyState();
  for (const { id, identity, labels, namedPorts, pod } of endpoints) {
    // The host's endpoint has the labels of its node, its identity in the list has not.
    const known = all.get(identity);
    if (!known || known.gap?.of === 'node') keep(identity, labels);
    state.endpoints.push({ id, identity, ...(namedPorts && { namedPorts }) });
    if (pod) state.pods.set(pod, identity);
  }
  for (const { cidr, identity, pod } of ips) {
    state.addresses.push({ cidr, identity });
    if (pod) state.pods.set(pod, identity);
  }
  state.identities = [...all.values()];
  for (const service of services) takeAgentService(service, state.objects);
  return state;
}

function identityAt(item: unknown, file: string, at: string): Identity {
  if (!isRecord(item) || !isId(item.id)) throw wrong(file, `${at}.id: expected a number`);
  const labels = texts(item.labels);
  if (!labels) throw wrong(file, `${at}.labels: expected a list of labels such as "k8s:app=api"`);
  return identityOf(item.id, labels);
}

function endpointAt(item: unknown, file: string, at: string): Endpoint {
  if (!isRecord(item) || !isId(item.id)) throw wrong(file, `${at}.id: expected a number`);
  if (!isId(item.identity)) throw wrong(file, `${at}.identity: expected the number of an identity`);
  const namedPorts = portsOf(item.namedPorts);
  return { id: item.id, identity: item.identity, ...(namedPorts && { namedPorts }) };
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Labels as strings, from a list of strings or of objects with source, key and value. */
function texts(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const labels: string[] = [];
  for (const item of value) {
    if (typeof item === 'string') labels.push(item);
    else if (isRecord(item) && typeof item.key === 'string')
      labels.push(`${item.source ?? 'unspec'}:${item.key}${item.value ? `=${item.value}` : ''}`);
    else return undefined;
  }
  return labels;
}

function portsOf(value: unknown): ContainerPort[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((item: unknown) =>
    isRecord(item) && typeof item.name === 'string' && typeof item.port === 'number'
      ? [{ name: item.name, port: item.port, protocol: String(item.protocol ?? 'TCP') }]
      : [],
  );
}

function addressesOf(value: unknown): PolicyState['addresses'] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) =>
    isRecord(item) && typeof item.cidr === 'string' && typeof item.identity === 'number'
      ? [{ cidr: item.cidr, identity: item.identity }]
      : [],
  );
}

/** A state document may name the pod of an endpoint: `pod: namespace/name`. */
function podsOf(list: readonly unknown[]): Map<string, number> {
  const pods = new Map<string, number>();
  for (const item of list)
    if (isRecord(item) && typeof item.pod === 'string' && typeof item.identity === 'number')
      pods.set(item.pod, item.identity);
  return pods;
}

function wrong(file: string, what: string): UserError {
  return new UserError(`${file}: ${what}`, {
    hint: 'A state document is {"identities": [{"id": 1, "labels": ["reserved:host"]}], "endpoints": [{"id": 7, "identity": 1}]}.',
  });
}
