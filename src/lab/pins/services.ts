import { protocolNumber } from '../../bpf/layouts/names.ts';
import * as s from '../../bpf/layouts/structs.ts';
import { backendIds, backendText } from '../maps.ts';
import type { LabService } from '../state.ts';
import type { RawEntry } from './contents.ts';

const TYPE_FLAGS: Readonly<Record<string, number>> = {
  ExternalIPs: 0x01,
  NodePort: 0x02,
  HostPort: 0x08,
  LoadBalancer: 0x20,
  LocalRedirect: 0x100,
};
const FLAG = { localScope: 0x04, routable: 0x40, internalLocal: 0x1000 };
const STATES = ['active', 'terminating', 'quarantined', 'maintenance'];
const INTERNAL = 1;

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
    const slot = (number: number, value: Parameters<typeof s.service.encode>[0]) => {
      const key = { address, port, slot: number, protocol, scope: scope === 'internal' ? INTERNAL : 0 };
      maps[v6 ? 'services6' : 'services4'].push([
        (v6 ? s.serviceKey6 : s.serviceKey4).encode(key),
        s.service.encode({ revNatId, flags, ...value }),
      ]);
    };
    slot(0, { count: backends.filter(({ state }) => stateOf(state) === 0).length });
    backends.forEach((backend, i) => {
      const id = ids.get(backendText(service, backend)) ?? 0;
      slot(i + 1, { word: id });
      if (known.has(id)) return;
      known.add(id);
      maps[v6 ? 'backends6' : 'backends4'].push([
        s.backendId.encode({ backendId: id }),
        (v6 ? s.backend6 : s.backend4).encode({
          address: backend.ip,
          port: backend.port ?? 0,
          protocol,
          state: stateOf(backend.state),
        }),
      ]);
    });
    maps[v6 ? 'reverse6' : 'reverse4'].push([
      s.revNatKey.encode({ revNatId }),
      (v6 ? s.revNat6 : s.revNat4).encode({ address, port }),
    ]);
  }
  return maps;
}

/** The number that connections to a service carry. */
export function revNatOf({ id }: LabService): number {
  return id & 0xffff;
}

function stateOf(state = 'active'): number {
  return Math.max(0, STATES.indexOf(state));
}

function flagsOf({ flags }: LabService, address: string): number {
  const type = TYPE_FLAGS[String(flags.type)] ?? 0;
  const anywhere = address === '0.0.0.0' || address === '::';
  return (
    type |
    (type !== 0 && !anywhere ? FLAG.routable : 0) |
    (type !== 0 && flags.extTrafficPolicy === 'Local' ? FLAG.localScope : 0) |
    (flags.intTrafficPolicy === 'Local' ? FLAG.internalLocal : 0)
  );
}
