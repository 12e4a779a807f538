import type { IPListEntry } from '../../agent/decode/types.gen.ts';
import { contains, parseAddress, parsePrefix } from '../../lib/address.ts';
import type { Agent } from './agent.ts';

/** The address book of the node: every address and prefix with the identity behind it. */
export function ipcache(agent: Agent): IPListEntry[] {
  const { world, state } = agent;
  const { self } = world;
  const entries = new Map<string, IPListEntry>();
  const add = (
    address: string | undefined,
    identity: number,
    more: Omit<IPListEntry, 'cidr' | 'identity'> = {},
  ) => {
    if (address === undefined) return;
    const cidr = address.includes('/') ? address : `${address}/${address.includes(':') ? 128 : 32}`;
    entries.set(cidr, { cidr, identity, ...more });
  };
  if (self.ipv6) {
    add('0.0.0.0/0', 9);
    add('::/0', 10);
  } else add('0.0.0.0/0', 2);
  for (const identity of agent.localIdentities()) {
    const cidr = identity.labels.find((label) => label.startsWith('cidr:'));
    if (cidr) add(cidr.slice('cidr:'.length), identity.id);
  }
  for (const node of world.nodes) {
    const here = node === self;
    const host = here ? {} : { hostIP: node.ipv4 };
    add(node.ipv4, here ? 1 : 6, host);
    add(node.ipv6, here ? 1 : 6, host);
    add(node.router.ipv4, here ? 1 : 6, host);
    add(node.router.ipv6, here ? 1 : 6, host);
    add(node.healthEndpoint.ipv4, 4, { hostIP: node.ipv4 });
    add(node.healthEndpoint.ipv6, 4, { hostIP: node.ipv4 });
  }
  const addPod = (pod: string, identity: number, hostIP: string, addresses: (string | undefined)[]) => {
    const [namespace = '', name = ''] = pod.split('/');
    for (const address of addresses)
      add(address, identity, { hostIP, metadata: { source: 'k8s', namespace, name } });
  };
  for (const pod of world.remotePods) addPod(pod.pod, pod.identity, pod.node.ipv4, [pod.ipv4, pod.ipv6]);
  for (const endpoint of state.endpoints)
    if (endpoint.kind === 'pod')
      addPod(endpoint.pod, endpoint.identity, self.ipv4, [endpoint.ipv4, endpoint.ipv6]);
  for (const entry of world.scenario.ipcache ?? []) entries.set(entry.cidr, entry);
  return [...entries.values()];
}

/** The identity behind an address: that of the longest prefix. */
export function identityOfAddress(agent: Agent, ip: string): number {
  const address = parseAddress(ip);
  let best: { length: number; identity: number } | undefined;
  for (const entry of ipcache(agent)) {
    const prefix = parsePrefix(entry.cidr);
    if (!address || !prefix || !contains(prefix, address)) continue;
    if (!best || prefix.length > best.length) best = { length: prefix.length, identity: entry.identity };
  }
  return best?.identity ?? 2;
}
