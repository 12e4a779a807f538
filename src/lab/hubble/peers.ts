import type { Endpoint } from '../../model/hubble.gen.ts';
import type { Agent } from '../agent/agent.ts';
import { identityOfAddress } from '../agent/ipcache.ts';
import { derivedMac, derivedNumber } from '../derive.ts';
import type { LabEndpoint } from '../state/state.ts';

/** One end of a conversation, as the agent knows it. */
export interface Peer {
  ip: string;
  identity: number;
  endpoint: Endpoint;
  mac: string;
  /** Set for endpoints of this node. */
  local?: LabEndpoint;
  /** DNS names of an address outside. */
  names?: string[];
  /** The service that was called, and the port of the backend that answered. */
  service?: { namespace: string; name: string; port: number | undefined };
}

/** Finds who a scenario means by `namespace/pod`, `service/namespace/name` or an address; undefined when it is gone. */
export function findPeer(text: string, agent: Agent, turn = 0): Peer | undefined {
  if (text.startsWith('service/')) return findBackend(text.slice('service/'.length), agent, turn);
  if (!text.includes('/')) return outside(text, agent);
  const { cluster, remotePods, scenario } = agent.world;
  const local = agent.state.endpoints.find((endpoint) => endpoint.pod === text);
  const remote = remotePods.find((pod) => pod.pod === text);
  const ip = local?.ipv4 ?? remote?.ipv4;
  const identity = local?.identity ?? remote?.identity;
  if (ip === undefined || identity === undefined) return undefined;
  const [namespace = '', pod = ''] = text.split('/');
  const [kind, name] = (scenario.endpoints?.find((e) => e.pod === text)?.workload ?? '').split('/');
  return {
    ip,
    identity,
    mac: local?.mac ?? derivedMac('pod', text),
    ...(local && { local }),
    endpoint: {
      ...(local && { ID: local.id }),
      identity,
      cluster_name: cluster.name,
      namespace,
      labels: labelsOf(identity, agent),
      pod_name: pod,
      ...(kind && name && { workloads: [{ name, kind }] }),
    },
  };
}

/** Who has an address. */
export function peerAt(ip: string, agent: Agent): Peer {
  const { endpoints } = agent.state;
  const pod =
    endpoints.find((one) => one.kind === 'pod' && (one.ipv4 === ip || one.ipv6 === ip))?.pod ??
    agent.world.remotePods.find((one) => one.ipv4 === ip || one.ipv6 === ip)?.pod;
  const found = pod === undefined ? undefined : findPeer(pod, agent);
  return found ? { ...found, ip } : outside(ip, agent);
}

function findBackend(service: string, agent: Agent, turn: number): Peer | undefined {
  const [namespace = '', name = ''] = service.split('/');
  const found = agent.state.services.find((s) => s.flags.namespace === namespace && s.flags.name === name);
  const backends = (found?.['backend-addresses'] ?? []).filter((b) => b.state === 'active');
  const backend = backends[turn % Math.max(1, backends.length)];
  if (!backend) return undefined;
  const local = agent.state.endpoints.find((endpoint) => endpoint.ipv4 === backend.ip);
  const remote = agent.world.remotePods.find((pod) => pod.ipv4 === backend.ip);
  const pod = local?.pod ?? remote?.pod;
  const peer = pod === undefined ? outside(backend.ip, agent) : findPeer(pod, agent);
  return peer && { ...peer, service: { namespace, name, port: backend.port } };
}

function outside(ip: string, agent: Agent): Peer {
  const identity = identityOfAddress(agent, ip);
  const names = agent.state.dns
    .filter((lookup) => lookup.ips?.includes(ip))
    .map((lookup) => (lookup.fqdn ?? '').replace(/\.$/, ''));
  return {
    ip,
    identity,
    mac: derivedMac('outside', ip),
    endpoint: { identity, labels: labelsOf(identity, agent) },
    ...(names.length > 0 && { names: [...new Set(names)] }),
  };
}

function labelsOf(identity: number, agent: Agent): string[] {
  return agent.identities().find((known) => known.id === identity)?.labels ?? [];
}

/** A client's port that depends on the conversation and its turn only. */
export function clientPort(from: string, to: string, turn: number): number {
  return 32_768 + derivedNumber(28_000, from, to, String(turn));
}
