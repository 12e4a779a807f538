import { formatAddress, parseAddress } from '../../../lib/address.ts';
import { protocolName } from '../../../model/protocol.ts';
import { protocolNumber } from '../maps/ports.ts';
import type { Backend, ClusterService, ServicePort } from '../selectors/cluster-objects.ts';
import { type Identity, identityOf, isNode, isOutside } from '../selectors/identities.ts';
import { type Answer, type ConnectionDecision, type Decision, decideConnection, rulesOf } from './decide.ts';
import type { PolicyEngine } from './engine.ts';
import type { Peer, Peers } from './peers.ts';
import type { Traffic } from './ports-of-traffic.ts';

/** What traffic to an address of a service becomes before policy sees it. */
export interface Balanced {
  /** `namespace/name`. */
  service: string;
  targets: readonly Target[];
  /** Nodes may put their own address in place of that of a client outside the cluster. */
  hidesClient: boolean;
  /** Why the targets are not known. */
  missing?: string;
}

/** A backend that may be chosen. */
export interface Target {
  identity: Identity;
  label: string;
  port: number | undefined;
}

/** How the connection is decided for one backend. */
export interface BackendDecision extends ConnectionDecision {
  label: string;
  port: number | undefined;
}

/** The verdict for a connection, with those for each backend where the destination is a service. */
export interface FullDecision extends ConnectionDecision {
  service?: string;
  backends?: readonly BackendDecision[];
}

/** A connection to decide. */
export interface Wanted {
  source: Identity;
  destination: Identity;
  traffic: Traffic;
  balanced?: Balanced | undefined;
}

/**
 * Decides a connection. Policy never sees the address of a service: the destination is one of its backends by then, so each
 * is decided. Where they differ, the answer is unknown and says so.
 */
export function decideWanted(
  engine: PolicyEngine,
  { source, destination, traffic, balanced }: Wanted,
): FullDecision {
  if (!balanced) return decideConnection(engine, source, destination, traffic);
  const { service, targets, missing, hidesClient } = balanced;
  const backends = targets.map(({ identity, label, port }): BackendDecision => {
    const behind = { protocol: traffic.protocol, port };
    const decision = decideConnection(engine, source, identity, behind);
    if (!hidesClient || !isOutside(source)) return { label, port, ...decision };
    const asNode = decideConnection(engine, NODE, identity, behind);
    return { label, port, ...decision, ...seenFromNode(decision, asNode) };
  });
  const [first] = backends;
  if (missing !== undefined || !first) {
    const why = missing ?? `no backend of the service ${service} is known`;
    return { ...bothUnknown(why, backends), service, backends };
  }
  const egress = ofAll(service, backends, 'egress');
  const ingress = ofAll(service, backends, 'ingress');
  const answers = new Set(backends.map(({ answer }) => answer));
  const answer: Answer = answers.size === 1 ? first.answer : 'unknown';
  return { answer, egress, ingress, service, backends };
}

/** The most pairs of identities that are tried where labels stand for several. */
const MOST_PAIRS = 4096;

/**
 * Decides a connection between peers as words name them. Where labels stand for several identities, the answer is that for
 * all of them, else unknown.
 */
export function decideNamed(
  { engine }: Peers,
  [source, destination]: readonly [Peer, Peer],
  traffic: Traffic,
  balanced: Balanced | undefined,
): FullDecision {
  const sources = [source.identity, ...(source.alike ?? [])];
  const destinations = balanced
    ? [destination.identity]
    : [destination.identity, ...(destination.alike ?? [])];
  const wanted = { source: source.identity, destination: destination.identity, traffic, balanced };
  const first = decideWanted(engine, wanted);
  if (sources.length * destinations.length > MOST_PAIRS) {
    const [peer, count] =
      sources.length > destinations.length ? [source, sources.length] : [destination, destinations.length];
    return { ...first, ...bothUnknown(`${count} identities have the labels ${peer.label}`, [first]) };
  }
  const others = sources.flatMap((from) =>
    destinations.map((to) => ({
      from,
      to,
      ...decideWanted(engine, { ...wanted, source: from, destination: to }),
    })),
  );
  const other = others.find(({ answer }) => answer !== first.answer);
  if (!other) return first;
  const [peer, id, own] =
    other.from === source.identity
      ? [destination, other.to.id, destination.identity.id]
      : [source, other.from.id, source.identity.id];
  const why = `several identities have the labels ${peer.label}: for ${own} it is ${first.answer}, for ${id} ${other.answer}`;
  return { ...first, ...bothUnknown(why, [first, other]) };
}

const NODE = identityOf(-1, ['reserved:remote-node']);

function seenFromNode(own: ConnectionDecision, asNode: ConnectionDecision): Partial<ConnectionDecision> {
  if (own.ingress.answer === asNode.ingress.answer) return {};
  const why = "the node may put its own address in place of the client's (externalTrafficPolicy: Cluster)";
  const ingress: Decision = { answer: 'unknown', reason: { kind: 'unknown', why, rules: [] } };
  return { ingress, answer: own.egress.answer === 'denied' ? 'denied' : 'unknown' };
}

function bothUnknown(why: string, backends: readonly ConnectionDecision[]): ConnectionDecision {
  const rules = backends.flatMap(({ egress, ingress }) => [...rulesOf(egress), ...rulesOf(ingress)]);
  const decision: Decision = { answer: 'unknown', reason: { kind: 'unknown', why, rules } };
  return { answer: 'unknown', egress: decision, ingress: decision };
}

/** The decision of one direction for all backends: that of the first where they agree. */
function ofAll(
  service: string,
  backends: readonly BackendDecision[],
  direction: 'egress' | 'ingress',
): Decision {
  const [first, ...others] = backends.map((each) => each[direction]);
  if (first && others.every(({ answer }) => answer === first.answer)) return first;
  const list = backends.map((each) => `${each.label} ${each[direction].answer}`).join(', ');
  return bothUnknown(`the backends of ${service} differ: ${list}`, backends).egress;
}

/** The backends of a service that a flow names. */
export function balancedByName(
  peers: Peers,
  named: { namespace: string; name: string },
  traffic: Traffic,
): Balanced {
  const service = peers.state.objects.services.find(
    ({ namespace, name }) => namespace === named.namespace && name === named.name,
  );
  const port = service?.ports.find((each) => each.port === traffic.port && speaks(each, traffic));
  if (service && port) return balanced(peers, service, port, traffic, false);
  const name = `${named.namespace}/${named.name}`;
  return {
    service: name,
    targets: [],
    hidesClient: false,
    missing: `the backends of the service ${name} are not known`,
  };
}

/** The service that the destination is an address of; undefined when it is none that is known. */
export function balancedBy(
  peers: Peers,
  destination: { identity: Identity; ip?: string },
  traffic: Traffic,
): Balanced | undefined {
  const { services } = peers.state.objects;
  const { ip, identity } = destination;
  const address = ip === undefined ? undefined : textOf(ip);
  const owners = (address === undefined ? [] : services).flatMap((service) => {
    const own = service.ips.find((each) => textOf(each.address) === address);
    const port = service.ports.find((each) => each.port === traffic.port && speaks(each, traffic));
    return own ? [{ service, port, hidesClient: own.outer && !service.keepsClient }] : [];
  });
  const owner = owners.find(({ port }) => port) ?? owners[0];
  if (owner) return balanced(peers, owner.service, owner.port, traffic, owner.hidesClient);
  // The port, too, would be another one behind a service.
  if (identity.gap?.of === 'any' && peers.hidesServices())
    return { service: '?', targets: [], hidesClient: false, missing: identity.gap.why };
  const mayBeNode = identity.gap?.of === 'any';
  if (!isNode(identity) && !mayBeNode) return undefined;
  if (services.length === 0 && mayBeNodePort(traffic)) {
    const missing = `no services are known, and port ${traffic.port} may be a node port of one`;
    return { service: '?', targets: [], hidesClient: false, missing };
  }
  for (const service of services) {
    const port = service.ports.find(
      ({ nodePort, ...each }) => nodePort !== undefined && nodePort === traffic.port && speaks(each, traffic),
    );
    if (!port) continue;
    if (!mayBeNode) return balanced(peers, service, port, traffic, !service.keepsClient);
    const missing = `${identity.gap?.why}, and port ${traffic.port} of a node is one of ${service.namespace}/${service.name}`;
    return { service: `${service.namespace}/${service.name}`, targets: [], hidesClient: false, missing };
  }
  return undefined;
}

/** The range that Kubernetes takes node ports from, unless it is told another. */
function mayBeNodePort({ protocol, port = 0 }: Traffic): boolean {
  return (protocol === 6 || protocol === 17 || protocol === 132) && port >= 30_000 && port <= 32_767;
}

function textOf(ip: string): string | undefined {
  const address = parseAddress(ip);
  return address && formatAddress(address);
}

function speaks({ protocol }: Pick<ServicePort, 'protocol'>, traffic: Traffic): boolean {
  return protocol === 'ANY' || protocolNumber(protocol) === traffic.protocol;
}

function balanced(
  peers: Peers,
  service: ClusterService,
  port: ServicePort | undefined,
  { protocol, port: asked }: Traffic,
  hidesClient: boolean,
): Balanced {
  const name = `${service.namespace}/${service.name}`;
  if (!port) {
    const text = `${asked ?? '?'}/${protocol === undefined ? '?' : protocolName(protocol)}`;
    return { service: name, targets: [], hidesClient, missing: `the service ${name} has no port ${text}` };
  }
  return { service: name, targets: targetsOf(peers, service, port), hidesClient };
}

/** The endpoints where they are known, else the identities that the service selects, else its selector as a pod. */
function targetsOf(peers: Peers, service: ClusterService, port: ServicePort): Target[] {
  const listed = service.backends.map((backend): Target => {
    const identity = peers.backend(backend, service);
    return {
      identity,
      label: backend.pod ?? backend.ip,
      port: portAt(backend, port) ?? numberOf(peers, identity, port),
    };
  });
  if (listed.length > 0) return withoutRepeats(listed);
  if (!service.selector) return [];
  const wanted = Object.entries(service.selector);
  const pods = peers.selected(wanted, service.namespace);
  return pods.map((identity) => ({
    identity,
    label: wanted.map(([key, value]) => `${key}=${value}`).join(','),
    port: numberOf(peers, identity, port),
  }));
}

function portAt({ ports }: Backend, { name, protocol }: ServicePort): number | undefined {
  return ports.find((each) => each.name === name && each.protocol === protocol)?.port;
}

/** The number of the container's port; undefined when it has a name whose number is not known, or several. */
function numberOf(
  { engine }: Peers,
  identity: Identity,
  { target, protocol }: ServicePort,
): number | undefined {
  if (typeof target === 'number') return target;
  if (/^\d+$/.test(target)) return Number(target);
  const numbers = engine.portsNamed(target.toLowerCase(), protocolNumber(protocol) ?? 0, identity);
  return numbers?.size === 1 ? [...numbers][0] : undefined;
}

function withoutRepeats(targets: readonly Target[]): Target[] {
  return [...new Map(targets.map((each) => [`${each.identity.id} ${each.port}`, each])).values()];
}
