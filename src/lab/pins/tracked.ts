import { TUPLE_FLAG, tuple4, tuple6 } from '../../bpf/layouts/conntrack.ts';
import { METRIC_DIRECTIONS, metricsKey } from '../../bpf/layouts/metrics.ts';
import { policyStatsKey } from '../../bpf/layouts/policy.ts';
import { encode } from '../../bpf/maps/codec.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import { protocolNumber } from '../../model/protocol.ts';
import { sourceFileId } from '../../model/source-file.ts';
import type { MapEntry } from '../../policy/evaluate/maps/policy-map.ts';
import type { Agent } from '../agent/agent.ts';
import { backendIds, backendText } from '../agent/maps.ts';
import { FIRST_LOCAL_IDENTITY } from '../state/identities.ts';
import type { LabService } from '../state/state.ts';
import { directionNumber, portBits } from './contents.ts';
import { revNatOf } from './services.ts';

/** Types of event. */
const EVENT = { drop: 1, trace: 4, verdict: 5 };
const TUPLE = { out: 0, in: TUPLE_FLAG.in, service: TUPLE_FLAG.service };
/** Identities of the world, where addresses of pods mean nothing. */
const WORLD = new Set([2, 9, 10]);

type Direction = keyof typeof TUPLE;

/** A packet's addresses, from who opened the connection to whom. */
interface Tuple {
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  protocol: number;
}

/** An entry of a connection table, with the translation that goes with it. */
export interface Connection extends Tuple {
  id: string;
  direction: Direction;
  table: string;
  key: Buffer;
  identity: number;
  revNatId: number;
  backendId: number;
  /** Address of the node that stands for the source outside. */
  masqueradeAs?: string;
}

/** A packet that a flow tells of, and what it leaves in the datapath's maps. */
export interface Packet {
  reply: boolean;
  /** A verdict about a packet that is counted elsewhere. */
  counted: boolean;
  tcpFlags: number;
  connections: Connection[];
  /** Key of cilium_metrics. */
  metric?: Buffer;
  /** Keys of cilium_policystats. */
  statistics: Buffer[];
}

/** Tells what flows leave in the maps of this node. */
export class PacketReader {
  readonly #local: ReadonlyMap<string, number>;
  readonly #backends: ReadonlyMap<string, number>;
  #known = new WeakMap<Flow, Packet>();

  constructor(private readonly agent: Agent) {
    const { endpoints, services } = agent.state;
    this.#local = new Map(
      endpoints
        .filter(({ kind }) => kind !== 'host')
        .flatMap(({ id, ipv4, ipv6 }) => [ipv4, ipv6].flatMap((ip) => (ip ? [[ip, id] as const] : []))),
    );
    this.#backends = backendIds(services);
  }

  /** Whether an address belongs to an endpoint of this node. */
  isLocal(ip: string): boolean {
    return this.#local.has(ip);
  }

  read(flow: Flow): Packet {
    const known = this.#known.get(flow);
    if (known) return known;
    const packet = this.#read(flow);
    this.#known.set(flow, packet);
    return packet;
  }

  #read(flow: Flow): Packet {
    const reply = flow.is_reply === true;
    const tuple = tupleOf(flow, reply);
    const event = flow.event_type?.type;
    const passed = flow.verdict === 'FORWARDED' || flow.verdict === 'REDIRECTED';
    const arrives = event === EVENT.trace && String(flow.trace_observation_point).startsWith('TO_');
    const metric = event === EVENT.drop || (arrives && passed) ? metricOf(flow) : undefined;
    const packet: Packet = {
      reply,
      counted: arrives,
      tcpFlags: flagsOf(flow),
      connections: [],
      statistics: [],
      ...(metric && { metric }),
    };
    if (!tuple || !passed || !(arrives || event === EVENT.verdict)) return packet;
    const [opener, peer] = reply ? [flow.destination, flow.source] : [flow.source, flow.destination];
    const [from, to] = [opener?.identity ?? 0, peer?.identity ?? 0];
    const out = this.#local.get(tuple.source);
    const into = this.#local.get(tuple.destination);
    const wanted = event === EVENT.verdict ? flow.traffic_direction : undefined;
    if (out !== undefined && wanted !== 'INGRESS') {
      packet.connections.push(...this.#outgoing(tuple, flow, reply, from, to));
      if (arrives) packet.statistics.push(...this.#statistics(out, 'egress', to, tuple));
    }
    if (into !== undefined && wanted !== 'EGRESS') {
      packet.connections.push(connection(tuple, 'in', from));
      if (arrives) packet.statistics.push(...this.#statistics(into, 'ingress', from, tuple));
    }
    return packet;
  }

  #outgoing(tuple: Tuple, flow: Flow, reply: boolean, from: number, to: number): Connection[] {
    const called = reply ? flow.source_service : flow.destination_service;
    const service = called && this.#service(called.namespace ?? '', called.name ?? '', tuple);
    const { self } = this.agent.world;
    const v6 = tuple.destination.includes(':');
    const node = v6 ? self.ipv6 : self.ipv4;
    const masqueradeAs = leavesCluster(to) && !this.isLocal(tuple.destination) ? node : undefined;
    const own = connection(tuple, 'out', from, {
      ...(service && { revNatId: revNatOf(service) }),
      ...(masqueradeAs !== undefined && { masqueradeAs }),
    });
    const { ip, port } = service?.['frontend-address'] ?? {};
    if (!service || ip === undefined || ip.includes(':') !== v6) return [own];
    const backend = backendText(service, { ip: tuple.destination, port: tuple.destinationPort });
    const front = { ...tuple, destination: ip, destinationPort: port ?? 0 };
    const backendId = this.#backends.get(backend) ?? 0;
    return [own, connection(front, 'service', from, { revNatId: revNatOf(service), backendId })];
  }

  #service(namespace: string, name: string, { destination, destinationPort }: Tuple): LabService | undefined {
    return this.agent.state.services.find(
      ({ flags, 'backend-addresses': backends }) =>
        flags.namespace === namespace &&
        flags.name === name &&
        flags.type !== 'NodePort' &&
        backends.some(({ ip, port }) => ip === destination && port === destinationPort),
    );
  }

  #statistics(endpointId: number, direction: MapEntry['direction'], peer: number, tuple: Tuple): Buffer[] {
    const { entries } = this.agent.realized(endpointId).policy;
    const entry = entryFor(entries, direction, peer, tuple);
    if (!entry) return [];
    const { identity, protocol, port } = entry;
    return [
      encode(policyStatsKey, {
        endpointId,
        prefixLength: portBits(entry),
        identity,
        direction: directionNumber(direction),
        protocol,
        port,
      }),
    ];
  }
}

function leavesCluster(identity: number): boolean {
  return WORLD.has(identity) || identity >= FIRST_LOCAL_IDENTITY;
}

/** The entry that decides: a denial before the narrowest port before the peer's own. */
function entryFor(
  entries: readonly MapEntry[],
  direction: MapEntry['direction'],
  peer: number,
  { protocol, destinationPort }: Tuple,
): MapEntry | undefined {
  const rank = (entry: MapEntry) =>
    (entry.deny ? 100 : 0) + 2 * portBits(entry) + (entry.identity === peer ? 1 : 0);
  let best: MapEntry | undefined;
  for (const entry of entries) {
    if (entry.direction !== direction || (entry.identity !== 0 && entry.identity !== peer)) continue;
    if (entry.protocol !== 0 && entry.protocol !== protocol) continue;
    if ((entry.port ^ destinationPort) >> (16 - entry.prefix)) continue;
    if (!best || rank(entry) > rank(best)) best = entry;
  }
  return best;
}

function tupleOf({ IP, l4 }: Flow, reply: boolean): Tuple | undefined {
  const word = Object.keys(l4 ?? {}).find((key) => key !== 'ICMPv4') ?? (l4?.ICMPv4 ? 'ICMP' : '');
  const protocol = protocolNumber(word);
  if (!IP?.source || !IP.destination || !protocol) return undefined;
  const ports = l4?.TCP ?? l4?.UDP ?? l4?.SCTP ?? {};
  const [a, b] = [ports.source_port ?? 0, ports.destination_port ?? 0];
  return reply
    ? { source: IP.destination, sourcePort: b, destination: IP.source, destinationPort: a, protocol }
    : { source: IP.source, sourcePort: a, destination: IP.destination, destinationPort: b, protocol };
}

/** Table and key of a connection. Addresses are stored exchanged against the packet's, ports are not. */
function connection(
  tuple: Tuple,
  direction: Direction,
  identity: number,
  more: Partial<Connection> = {},
): Connection {
  const { source, destination, sourcePort, destinationPort, protocol } = tuple;
  const v6 = source.includes(':');
  const flags = TUPLE[direction];
  const stored =
    direction === 'service'
      ? { source, destination, sourcePort: destinationPort, destinationPort: sourcePort }
      : { source: destination, destination: source, sourcePort, destinationPort };
  const key = encode(v6 ? tuple6 : tuple4, { ...stored, protocol, flags });
  const table = `cilium_ct${protocol === 6 ? '' : '_any'}${v6 ? 6 : 4}_global`;
  return {
    ...tuple,
    id: `${table} ${key.toString('latin1')}`,
    direction,
    table,
    key,
    identity,
    revNatId: 0,
    backendId: 0,
    ...more,
  };
}

const TCP_FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128 } as const;

function flagsOf({ l4 }: Flow): number {
  const flags = l4?.TCP?.flags;
  let bits = 0;
  for (const [name, bit] of Object.entries(TCP_FLAGS))
    if (flags?.[name as keyof typeof TCP_FLAGS]) bits |= bit;
  return bits;
}

function metricOf({
  traffic_direction,
  drop_reason = 0,
  verdict,
  file,
  trace_observation_point,
}: Flow): Buffer {
  const direction = METRIC_DIRECTIONS.indexOf(traffic_direction === 'INGRESS' ? 'INGRESS' : 'EGRESS');
  if (verdict === 'DROPPED')
    return encode(metricsKey, {
      reason: drop_reason & 0xff,
      direction,
      line: (file?.line ?? 0) & 0xffff,
      file: sourceFileId(file?.name ?? ''),
    });
  const [name, line] =
    trace_observation_point === 'TO_ENDPOINT'
      ? (['bpf_lxc.c', 2178] as const)
      : (['bpf_host.c', 1799] as const);
  return encode(metricsKey, { reason: 0, direction, line, file: sourceFileId(name) });
}
