import {
  BACKEND_STATES,
  backend4,
  backend6,
  backendId,
  INTERNAL_SCOPE,
  revNat4,
  revNat6,
  revNatKey,
  SERVICE_FLAG,
  serviceEntry,
  serviceKey4,
  serviceKey6,
} from '../../bpf/layouts/services.ts';
import type { RecordOf } from '../../bpf/layouts/struct.ts';
import { encode } from '../../bpf/maps/codec.ts';
import { protocolNumber } from '../../model/protocol.ts';
import { backendIds, backendText } from '../agent/maps.ts';
import type { LabService } from '../state/state.ts';
import type { RawEntry } from './contents.ts';

const TYPE_FLAGS: Readonly<Record<string, number>> = {
  ExternalIPs: SERVICE_FLAG.externalIps,
  NodePort: SERVICE_FLAG.nodePort,
  HostPort: SERVICE_FLAG.hostPort,
  LoadBalancer: SERVICE_FLAG.loadBalancer,
  LocalRedirect: SERVICE_FLAG.localRedirect,
};

/** What the maps of services hold, by name of the map. */
export type ServiceMaps = Record<
  'services4' | 'services6' | 'backends4' | 'backends6' | 'reverse4' | 'reverse6',
  RawEntry[]
>;

/** The maps of the load balancer. Services whose addresses are of two families are left out. */
export function serviceEntries(services: readonly LabService[]): ServiceMaps {
  const ids = backendIds(services);
  const maps: ServiceMaps = {
    services4: [],
    services6: [],
    backends4: [],
    backends6: [],
    reverse4: [],
    reverse6: [],
  };
  const known = new Set<number>();
  for (const service of services) {
    const { ip: address, port = 0, protocol: word = 'TCP', scope } = service['frontend-address'];
    if (address === undefined) continue;
    const v6 = address.includes(':');
    const revNatId = revNatOf(service);
    const protocol = protocolNumber(word) ?? 0;
    const flags = flagsOf(service, address);
    const backends = service['backend-addresses']
      .filter(({ ip }) => ip.includes(':') === v6)
      .toSorted((a, b) => stateOf(a.state) - stateOf(b.state));
    const slot = (number: number, value: Partial<RecordOf<typeof serviceEntry>>) => {
      const key = { address, port, slot: number, protocol, scope: scope === 'internal' ? INTERNAL_SCOPE : 0 };
      maps[v6 ? 'services6' : 'services4'].push([
        encode(v6 ? serviceKey6 : serviceKey4, key),
        encode(serviceEntry, { revNatId, flags, ...value }),
      ]);
    };
    slot(0, { count: backends.filter(({ state }) => stateOf(state) === 0).length });
    backends.forEach((backend, i) => {
      const id = ids.get(backendText(service, backend)) ?? 0;
      slot(i + 1, { word: id });
      if (known.has(id)) return;
      known.add(id);
      maps[v6 ? 'backends6' : 'backends4'].push([
        encode(backendId, { backendId: id }),
        encode(v6 ? backend6 : backend4, {
          address: backend.ip,
          port: backend.port ?? 0,
          protocol,
          state: stateOf(backend.state),
        }),
      ]);
    });
    maps[v6 ? 'reverse6' : 'reverse4'].push([
      encode(revNatKey, { revNatId }),
      encode(v6 ? revNat6 : revNat4, { address, port }),
    ]);
  }
  return maps;
}

/** The number that connections to a service carry. */
export function revNatOf({ id }: LabService): number {
  return id & 0xffff;
}

function stateOf(state = 'active'): number {
  return Math.max(0, BACKEND_STATES.indexOf(state));
}

function flagsOf({ flags }: LabService, address: string): number {
  const type = TYPE_FLAGS[String(flags.type)] ?? 0;
  const anywhere = address === '0.0.0.0' || address === '::';
  return (
    type |
    (type !== 0 && !anywhere ? SERVICE_FLAG.routable : 0) |
    (type !== 0 && flags.extTrafficPolicy === 'Local' ? SERVICE_FLAG.localScope : 0) |
    (flags.intTrafficPolicy === 'Local' ? SERVICE_FLAG.internalLocal : 0)
  );
}
