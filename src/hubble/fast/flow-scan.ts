import type { FlowRow, FlowSide } from '../../model/flow-row.ts';
import type { Endpoint, Flow, FlowFilter, GetFlowsResponse, Service } from '../../model/hubble.gen.ts';
import { canonicalLine } from './canonical-regex.ts';

/** Lines longer than this go to the parser: a regular expression keeps its way back in memory. */
export const LONGEST_SCANNED = 32 * 1024;

/** Fields of a flow that the printers for people read. */
const PRINTED: readonly string[] = [
  'time',
  'verdict',
  'auth_type',
  'ethernet.source',
  'ethernet.destination',
  'IP',
  'IP.source',
  'IP.destination',
  'l4.TCP.source_port',
  'l4.TCP.destination_port',
  'l4.UDP.source_port',
  'l4.UDP.destination_port',
  'l4.SCTP.source_port',
  'l4.SCTP.destination_port',
  'source.identity',
  'source.namespace',
  'source.pod_name',
  'destination.identity',
  'destination.namespace',
  'destination.pod_name',
  'node_name',
  'source_names',
  'destination_names',
  'l7',
  'l7.type',
  'l7.dns',
  'l7.dns.observation_source',
  'l7.http',
  'l7.kafka',
  'is_reply',
  'event_type.type',
  'event_type.sub_type',
  'source_service',
  'source_service.name',
  'source_service.namespace',
  'destination_service',
  'destination_service.name',
  'destination_service.namespace',
  'traffic_direction',
  'policy_match_type',
  'debug_capture_point',
  'sock_xlate_point',
  'ip_trace_id.trace_id',
  'Summary',
];

/** Fields that only filters read. */
const FILTERED: readonly string[] = [
  'uuid',
  'IP.source_xlated',
  'IP.ipVersion',
  'IP.encrypted',
  'l4.TCP',
  'l4.UDP',
  'l4.ICMPv4',
  'l4.ICMPv6',
  'l4.SCTP',
  'l4.VRRP',
  'l4.IGMP',
  'source.cluster_name',
  'source.labels',
  'destination.cluster_name',
  'destination.labels',
  'drop_reason_desc',
  'interface',
  'interface.index',
  'interface.name',
];

/** Those of them that are lists. */
const LISTS = ['source.labels', 'destination.labels', 'source_names', 'destination_names'];

/** Filters whose answer depends on captured fields alone. */
const SCANNED_FILTERS: ReadonlySet<string> = new Set<keyof FlowFilter>([
  'uuid',
  'source_ip',
  'source_ip_xlated',
  'source_pod',
  'source_fqdn',
  'source_label',
  'source_service',
  'source_cluster_name',
  'destination_ip',
  'destination_pod',
  'destination_fqdn',
  'destination_label',
  'destination_service',
  'destination_cluster_name',
  'traffic_direction',
  'verdict',
  'drop_reason_desc',
  'interface',
  'event_type',
  'protocol',
  'source_port',
  'destination_port',
  'reply',
  'source_identity',
  'destination_identity',
  'node_name',
  'ip_version',
  'ip_trace_id',
  'encrypted',
]);

/** Whether a partial flow is enough to decide about these filters. */
export function canScan(filters: readonly FlowFilter[]): boolean {
  return filters.every((filter) => Object.keys(filter).every((name) => SCANNED_FILTERS.has(name)));
}

/** A captured text, or undefined where the line lacks the field. */
type Match = readonly (string | undefined)[];

/** Matches canonical lines and finds what it captures of them by path. */
class LineMatcher {
  readonly #regex: RegExp;
  readonly #captures: ReadonlyMap<string, number>;
  /** Captures that are no text of their own: the line, and lists, which are parsed where they are read. */
  readonly #compound: ReadonlySet<number>;

  constructor(paths: readonly string[]) {
    const { regex, captures } = canonicalLine(
      'observer.GetFlowsResponse',
      new Set(['flow', ...paths.map((path) => `flow.${path}`)]),
    );
    this.#regex = regex;
    this.#captures = captures;
    this.#compound = new Set([0, ...LISTS.map((path) => this.at(path))]);
  }

  /** Index of a field in a match; one that is never there when the field is not captured. */
  at(path: string): number {
    return this.#captures.get(path === '' ? 'flow' : `flow.${path}`) ?? this.#captures.size + 1;
  }

  /** The captures of the line that starts at `from`; undefined when the line is not canonical. */
  match(text: string, from: number, escapes: boolean): Match | undefined {
    this.#regex.lastIndex = from;
    const match = this.#regex.exec(text);
    if (match === null) return undefined;
    if (!escapes) return match;
    return match.map((captured: string | undefined, i) =>
      captured?.includes('\\') && !this.#compound.has(i) ? (JSON.parse(`"${captured}"`) as string) : captured,
    );
  }
}

/** Where the fields of one end of a flow stand in a match. */
interface SideAt {
  ip: number;
  mac: number;
  ports: readonly [tcp: number, udp: number, sctp: number];
  identity: number;
  namespace: number;
  pod: number;
  names: number;
  service: number;
  serviceName: number;
  serviceSpace: number;
}

function sideAt(matcher: LineMatcher, side: 'source' | 'destination'): SideAt {
  const at = (path: string) => matcher.at(path);
  return {
    ip: at(`IP.${side}`),
    mac: at(`ethernet.${side}`),
    ports: [at(`l4.TCP.${side}_port`), at(`l4.UDP.${side}_port`), at(`l4.SCTP.${side}_port`)],
    identity: at(`${side}.identity`),
    namespace: at(`${side}.namespace`),
    pod: at(`${side}.pod_name`),
    names: at(`${side}_names`),
    service: at(`${side}_service`),
    serviceName: at(`${side}_service.name`),
    serviceSpace: at(`${side}_service.namespace`),
  };
}

/** Fills rows for the printers straight from canonical lines. What it fills in is safe for a terminal. */
export class RowScanner {
  readonly #matcher = new LineMatcher(PRINTED);
  readonly #fill = this.#filler();

  /** Reads the line that starts at `from`; false when it has to be parsed. */
  scan(text: string, from: number, escapes: boolean, row: FlowRow): boolean {
    const match = this.#matcher.match(text, from, escapes);
    return match !== undefined && this.#fill(match, row);
  }

  #filler(): (m: Match, row: FlowRow) => boolean {
    const at = (path: string) => this.#matcher.at(path);
    const [flow, time, node, ip, verdict] = [at(''), at('time'), at('node_name'), at('IP'), at('verdict')];
    const [source, destination] = [sideAt(this.#matcher, 'source'), sideAt(this.#matcher, 'destination')];
    const [type, subType, reply, summary] = [
      at('event_type.type'),
      at('event_type.sub_type'),
      at('is_reply'),
      at('Summary'),
    ];
    const [l7, l7Type, dns, http, kafka] = [
      at('l7'),
      at('l7.type'),
      at('l7.dns'),
      at('l7.http'),
      at('l7.kafka'),
    ];
    const [dnsSource, auth, traceId] = [
      at('l7.dns.observation_source'),
      at('auth_type'),
      at('ip_trace_id.trace_id'),
    ];
    const [matchType, direction] = [at('policy_match_type'), at('traffic_direction')];
    const [capture, sock] = [at('debug_capture_point'), at('sock_xlate_point')];
    return (m, row) => {
      if (m[flow] === undefined) return false;
      row.time = m[time] ?? '';
      row.node = m[node] ?? '';
      row.hasIp = m[ip] !== undefined;
      fillSide(m, source, row.source);
      fillSide(m, destination, row.destination);
      row.eventType = number(m[type]);
      row.eventSubType = number(m[subType]);
      row.reply = m[reply] === undefined ? 'unknown' : m[reply] === 'true' ? 'yes' : 'no';
      row.verdict = m[verdict] ?? 'VERDICT_UNKNOWN';
      row.l7 = '';
      if (m[l7] !== undefined) {
        row.l7 =
          m[dns] !== undefined
            ? 'dns'
            : m[http] !== undefined
              ? 'http'
              : m[kafka] !== undefined
                ? 'kafka'
                : 'l7';
        row.l7Type = m[l7Type] ?? 'UNKNOWN_L7_TYPE';
        row.dnsSource = m[dnsSource] ?? '';
      }
      row.summary = m[summary] ?? '';
      row.auth = m[auth] ?? 'DISABLED';
      row.traceId = m[traceId] ?? '';
      row.matchType = number(m[matchType]);
      row.direction = m[direction] ?? 'TRAFFIC_DIRECTION_UNKNOWN';
      row.capturePoint = m[capture] ?? 'DBG_CAPTURE_POINT_UNKNOWN';
      row.sockPoint = m[sock] ?? 'SOCK_XLATE_POINT_UNKNOWN';
      return true;
    };
  }
}

function fillSide(m: Match, at: SideAt, side: FlowSide): void {
  const [tcp, udp, sctp] = at.ports;
  side.ip = m[at.ip] ?? '';
  side.mac = m[at.mac] ?? '';
  side.port = number(m[tcp] ?? m[udp] ?? m[sctp]);
  side.identity = number(m[at.identity]);
  side.pod = m[at.pod] ?? '';
  const hasService = m[at.service] !== undefined;
  side.namespace = (hasService ? m[at.serviceSpace] : m[at.namespace]) ?? '';
  side.service = (hasService ? m[at.serviceName] : undefined) ?? '';
  const names = m[at.names];
  side.names = names === undefined ? '' : list(names).join(',');
}

/** Reads from canonical lines the fields of a flow that most filters and the printers need. */
export class FlowScanner {
  readonly #matcher = new LineMatcher([...PRINTED, ...FILTERED]);
  readonly #read: (match: Match) => Flow | undefined;

  /** `labels` says whether somebody reads labels: they cost a parse each. */
  constructor({ labels }: { labels: boolean }) {
    this.#read = this.#reader(labels);
  }

  /** The flow of the line that starts at `from`; undefined when the line has to be parsed. */
  scan(text: string, from: number, escapes: boolean): GetFlowsResponse | undefined {
    const match = this.#matcher.match(text, from, escapes);
    const flow = match && this.#read(match);
    return flow && { flow };
  }

  #reader(labels: boolean): (match: Match) => Flow | undefined {
    const at = (path: string) => this.#matcher.at(path);
    const endpointAt = (side: string) => ({
      identity: at(`${side}.identity`),
      cluster: at(`${side}.cluster_name`),
      namespace: at(`${side}.namespace`),
      pod: at(`${side}.pod_name`),
      labels: labels ? at(`${side}.labels`) : -1,
    });
    const [source, destination] = [endpointAt('source'), endpointAt('destination')];
    const [from, to] = [sideAt(this.#matcher, 'source'), sideAt(this.#matcher, 'destination')];
    const [present, uuid, time, verdict, auth] = [
      at(''),
      at('uuid'),
      at('time'),
      at('verdict'),
      at('auth_type'),
    ];
    const [ip, xlated, version, encrypted] = [
      at('IP'),
      at('IP.source_xlated'),
      at('IP.ipVersion'),
      at('IP.encrypted'),
    ];
    const protocols = PROTOCOLS.map((name) => [name, at(`l4.${name}`)] as const);
    const [node, summary, reply] = [at('node_name'), at('Summary'), at('is_reply')];
    const [l7, l7Type, dns, dnsSource, http, kafka] = [
      at('l7'),
      at('l7.type'),
      at('l7.dns'),
      at('l7.dns.observation_source'),
      at('l7.http'),
      at('l7.kafka'),
    ];
    const [type, subType] = [at('event_type.type'), at('event_type.sub_type')];
    const [direction, matchType, dropReason] = [
      at('traffic_direction'),
      at('policy_match_type'),
      at('drop_reason_desc'),
    ];
    const [capture, sock, traceId] = [
      at('debug_capture_point'),
      at('sock_xlate_point'),
      at('ip_trace_id.trace_id'),
    ];
    const [nic, nicIndex, nicName] = [at('interface'), at('interface.index'), at('interface.name')];

    return (m) => {
      if (m[present] === undefined) return undefined;
      const flow: Flow = {
        time: m[time],
        uuid: m[uuid],
        verdict: m[verdict] as Flow['verdict'],
        auth_type: m[auth] as Flow['auth_type'],
        ethernet: { source: m[from.mac], destination: m[to.mac] },
        IP:
          m[ip] === undefined
            ? undefined
            : {
                source: m[from.ip],
                source_xlated: m[xlated],
                destination: m[to.ip],
                ipVersion: m[version] as 'IPv4' | undefined,
                encrypted: m[encrypted] === 'true',
              },
        l4: undefined,
        source: endpoint(m, source),
        destination: endpoint(m, destination),
        node_name: m[node],
        source_names: m[from.names] === undefined ? undefined : list(m[from.names] ?? ''),
        destination_names: m[to.names] === undefined ? undefined : list(m[to.names] ?? ''),
        l7: undefined,
        is_reply: m[reply] === undefined ? undefined : m[reply] === 'true',
        event_type: { type: number(m[type]), sub_type: number(m[subType]) },
        source_service: service(m, from),
        destination_service: service(m, to),
        traffic_direction: m[direction] as Flow['traffic_direction'],
        policy_match_type: number(m[matchType]),
        drop_reason_desc: m[dropReason] as Flow['drop_reason_desc'],
        debug_capture_point: m[capture] as Flow['debug_capture_point'],
        sock_xlate_point: m[sock] as Flow['sock_xlate_point'],
        interface: m[nic] === undefined ? undefined : { index: number(m[nicIndex]), name: m[nicName] },
        ip_trace_id: m[traceId] === undefined ? undefined : { trace_id: m[traceId] },
        Summary: m[summary],
      };
      for (const [i, [name, there]] of protocols.entries()) {
        if (m[there] === undefined) continue;
        const source_port = number(m[from.ports[i] ?? -1]);
        const destination_port = number(m[to.ports[i] ?? -1]);
        flow.l4 = { [name]: { source_port, destination_port } };
        break;
      }
      if (m[l7] !== undefined) {
        flow.l7 = { type: m[l7Type] as 'REQUEST' | undefined };
        if (m[dns] !== undefined) flow.l7.dns = { observation_source: m[dnsSource] };
        else if (m[http] !== undefined) flow.l7.http = {};
        else if (m[kafka] !== undefined) flow.l7.kafka = {};
      }
      return flow;
    };
  }
}

/** Members of a Layer4; the first three have ports, in the order of `SideAt`. */
const PROTOCOLS = ['TCP', 'UDP', 'SCTP', 'ICMPv4', 'ICMPv6', 'VRRP', 'IGMP'] as const;

function endpoint(
  m: Match,
  at: { identity: number; cluster: number; namespace: number; pod: number; labels: number },
): Endpoint {
  const labels = m[at.labels];
  return {
    identity: number(m[at.identity]),
    cluster_name: m[at.cluster],
    namespace: m[at.namespace],
    pod_name: m[at.pod],
    labels: labels === undefined ? undefined : list(labels),
  };
}

function service(m: Match, at: SideAt): Service | undefined {
  return m[at.service] === undefined ? undefined : { name: m[at.serviceName], namespace: m[at.serviceSpace] };
}

function number(text: string | undefined): number {
  return text === undefined ? 0 : Number(text);
}

function list(text: string): string[] {
  return JSON.parse(text) as string[];
}
