import { formatIpv4, formatIpv6 } from '../../lib/address.ts';
import { EVENT_TYPES, type MonitorEvent } from '../../model/monitor.ts';
import type { Dissection, Layer } from '../../model/packet.ts';

/** Which events are shown. Each list is alternatives, an empty one lets everything pass; all lists must agree. */
export interface MonitorFilter {
  types: readonly string[];
  /** Endpoint ids. */
  from: readonly number[];
  to: readonly number[];
  relatedTo: readonly number[];
  /** Addresses and ports of either end, of the tunnel or of the packet within. */
  ips: readonly string[];
  ports: readonly number[];
}

/** Numbers of event kinds by name; `recorder` is only known to agents up to 1.17. */
const TYPES: Readonly<Record<string, number>> = { ...EVENT_TYPES, recorder: 6 };

/** Names that `--type` takes beside those that it tells of. */
export function isEventType(name: string): boolean {
  return Object.hasOwn(TYPES, name);
}

/**
 * Whether an event passes, judged before its packet is taken apart. Socket traces carry no endpoints and always pass,
 * as do events that cannot be decoded.
 */
export function passes(event: MonitorEvent, filter: MonitorFilter): boolean {
  if (event.kind === 'trace-sock' || event.kind === 'broken' || event.kind === 'unknown') return true;
  const { types, from, to, relatedTo } = filter;
  if (types.length > 0 && !types.includes(event.kind)) return false;
  if (from.length > 0 && !from.includes(event.source)) return false;
  if (to.length > 0 && !to.includes(event.target)) return false;
  return relatedTo.length === 0 || relatedTo.includes(event.source) || relatedTo.includes(event.target);
}

/** Whether addresses and ports of an event pass; an event that has none does not, once they are asked for. */
export function passesFlow(
  event: MonitorEvent,
  packet: Dissection | undefined,
  filter: MonitorFilter,
): boolean {
  if (filter.ips.length === 0 && filter.ports.length === 0) return true;
  const flow = flowOf(event, packet);
  return (
    (filter.ips.length === 0 || filter.ips.some((ip) => flow.ips.includes(ip))) &&
    (filter.ports.length === 0 || filter.ports.some((port) => flow.ports.includes(port)))
  );
}

function flowOf(event: MonitorEvent, packet: Dissection | undefined): { ips: string[]; ports: number[] } {
  if (event.kind === 'trace-sock') return { ips: [event.ip], ports: [event.port] };
  if (event.kind === 'l7') {
    const ends = [event.sourceEndpoint, event.destinationEndpoint];
    return { ips: ends.flatMap((end) => [end.ipv4, end.ipv6]), ports: ends.map((end) => end.port) };
  }
  const layers: Layer[] = [...(packet?.layers ?? []), ...(packet?.overlay?.layers ?? [])];
  const data = packet?.data ?? new Uint8Array(0);
  return {
    ips: layers.flatMap((layer) => {
      if (layer.kind === 'IPv4') return [formatIpv4(data, layer.at + 12), formatIpv4(data, layer.at + 16)];
      if (layer.kind === 'IPv6') return [formatIpv6(data, layer.at + 8), formatIpv6(data, layer.at + 24)];
      return [];
    }),
    ports: layers.flatMap((layer) =>
      layer.kind === 'TCP' || layer.kind === 'UDP' || layer.kind === 'SCTP'
        ? [layer.sourcePort, layer.destinationPort]
        : [],
    ),
  };
}
