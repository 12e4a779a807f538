import { protocolName } from '../../model/protocol.ts';
import { pinName, policyPinName } from '../pin-names.ts';
import type { LabBackend, LabService } from '../state/state.ts';
import { pinsRelease } from '../version.ts';
import type { Agent } from './agent.ts';
import { ipcache } from './ipcache.ts';

/** Port of the lab's one proxy. */
export const PROXY_PORT = 43_175;

const PINNED = '/sys/fs/bpf/tc/globals/';

/** One entry of a map as the agent remembers it. */
export interface MapEntry {
  key: string;
  value: string;
  'desired-action'?: string;
}

/** Maps whose content the agent does not remember. */
const UNCACHED = [
  'cilium_node_map_v2',
  'cilium_policystats',
  'cilium_skip_lb4',
  'cilium_skip_lb6',
  'cilium_auth_map',
  'cilium_l2_responder_v4',
  'cilium_metrics',
];

/** Maps that are there and empty. */
const EMPTY = [
  'cilium_ct4_global',
  'cilium_ct_any4_global',
  'cilium_ct6_global',
  'cilium_ct_any6_global',
  'cilium_lb4_affinity',
  'cilium_lb4_source_range',
  'cilium_lb6_services_v2',
  'cilium_lb6_backends_v3',
  'cilium_snat_v4_external',
  'cilium_snat_v6_external',
  'cilium_ratelimit',
];

/** Every pinned map by its name; `undefined` where the agent remembers no content. */
export function mapsOf(agent: Agent): Map<string, MapEntry[] | undefined> {
  const release = pinsRelease(agent.version);
  const maps = new Map<string, MapEntry[] | undefined>();
  const add = (newest: string, entries: MapEntry[] | undefined) => {
    const name = pinName(newest, release);
    if (name !== undefined && !maps.has(name)) maps.set(name, entries);
  };
  add('cilium_ipcache_v2', ipcacheEntries(agent));
  add('cilium_lxc', lxcEntries(agent));
  for (const [name, entries] of serviceMaps(agent)) add(name, entries);
  for (const endpoint of agent.state.endpoints) {
    const entries = policyEntries(agent, endpoint.id);
    maps.set(policyPinName(endpoint.id, release), entries);
  }
  for (const name of EMPTY) add(name, []);
  for (const name of UNCACHED) add(name, undefined);
  for (const { path = '', cache } of agent.world.scenario.maps ?? [])
    maps.set(
      path.slice(path.lastIndexOf('/') + 1),
      cache?.map((entry) => ({ ...entry, key: entry.key ?? '', value: entry.value ?? '' })),
    );
  return maps;
}

/** What the policy map of an endpoint holds; an end without policy lets everything through. */
function policyEntries(agent: Agent, id: number): MapEntry[] {
  const { policy } = agent.realized(id);
  const open = (['ingress', 'egress'] as const).filter((direction) => !policy[direction].enforced);
  return [
    ...open.map((direction) => ({ key: `${directionName(direction)}: 0 ANY`, value: '0 0' })),
    ...policy.entries
      .filter((entry) => policy[entry.direction].enforced)
      .map((entry) => {
        const significant = entry.protocol === 0 ? 0 : 8 + entry.prefix;
        const last = entry.port + 2 ** (16 - entry.prefix) - 1;
        const port = entry.prefix === 16 ? String(entry.port) : `${entry.port}-${last}`;
        const what = entry.protocol === 0 ? 'ANY' : `${port}/${protocolName(entry.protocol)}`;
        return {
          key: `${directionName(entry.direction)}: ${entry.identity} ${what}`,
          value: `${entry.proxy ? PROXY_PORT : 0} ${significant}`,
        };
      }),
  ];
}

function directionName(direction: 'ingress' | 'egress'): string {
  return direction === 'ingress' ? 'Ingress' : 'Egress';
}

/** A map as the API shows it. */
export function mapModel(name: string, entries: MapEntry[] | undefined) {
  return { path: PINNED + name, ...(entries !== undefined && { cache: entries }) };
}

/** What cilium_ipcache holds. */
export function ipcacheEntries(agent: Agent): MapEntry[] {
  return ipcache(agent).map((entry) => {
    const remote = entry.hostIP !== undefined && entry.hostIP !== agent.world.self.ipv4;
    const tunnel = remote && entry.identity !== 6 ? entry.hostIP : '0.0.0.0';
    return synced(
      entry.cidr,
      `identity=${entry.identity} encryptkey=${entry.encryptKey ?? 0} tunnelendpoint=${tunnel} flags=${tunnel === '0.0.0.0' ? '<none>' : 'hastunnel'}`,
    );
  });
}

function lxcEntries(agent: Agent): MapEntry[] {
  return agent.state.endpoints
    .filter((endpoint) => endpoint.kind !== 'host')
    .flatMap((endpoint) =>
      [endpoint.ipv4, endpoint.ipv6].flatMap((ip) => {
        if (ip === undefined) return [];
        const id = String(endpoint.id).padEnd(5);
        const identity = String(endpoint.identity).padEnd(5);
        const link = String(endpoint.interfaceIndex).padEnd(3);
        const macs = `mac=${endpoint.mac.toUpperCase()} nodemac=${endpoint.hostMac.toUpperCase()}`;
        const value = `id=${id} sec_id=${identity} flags=0x0000 ifindex=${link} ${macs} parent_ifindex=0  `;
        return [synced(`${ip}:0`, value)];
      }),
    );
}

/** `TCP://10.0.0.1:80` */
export function backendText(service: LabService, { ip, port }: LabBackend): string {
  return `${service['frontend-address'].protocol?.toUpperCase() ?? 'TCP'}://${ip}:${port}`;
}

/** Numbers of backends: one for each address, port and protocol. */
export function backendIds(services: readonly LabService[]): ReadonlyMap<string, number> {
  const texts = services.flatMap((service) =>
    service['backend-addresses'].map((backend) => backendText(service, backend)),
  );
  return new Map([...new Set(texts)].map((text, i) => [text, i + 1]));
}

function serviceMaps(agent: Agent): [string, MapEntry[]][] {
  const backends = backendIds(agent.state.services);
  const services: MapEntry[] = [];
  const reverse: MapEntry[] = [];
  for (const service of agent.state.services) {
    const { ip, port, protocol = 'TCP' } = service['frontend-address'];
    const frontend = `${ip}:${port}/${protocol.toUpperCase()}`;
    const list = service['backend-addresses'];
    services.push({ key: `${frontend} (0)`, value: `0 ${list.length}[0] (${service.id}) [0x0 0x0]` });
    for (const [i, backend] of list.entries()) {
      const id = backends.get(backendText(service, backend));
      services.push({ key: `${frontend} (${i + 1})`, value: `${id} 0[0] (${service.id}) [0x0 0x0]` });
    }
    reverse.push({ key: String(service.id), value: `${ip}:${port}` });
  }
  return [
    ['cilium_lb4_services_v2', services],
    ['cilium_lb4_backends_v3', [...backends].map(([value, id]) => ({ key: String(id), value }))],
    ['cilium_lb4_reverse_nat', reverse],
  ];
}

function synced(key: string, value: string): MapEntry {
  return { 'desired-action': 'sync', key, value };
}
