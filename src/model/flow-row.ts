import type { Endpoint, Flow, Policy, Service } from './hubble.gen.ts';

const NONE: readonly Policy[] = [];

/** Whether a flow answers another one; 'unknown' when the datapath cannot tell. */
export type Reply = 'no' | 'yes' | 'unknown';

/** One end of a flow, as the printers read it. */
export class FlowSide {
  /** Address; empty when the flow has none. */
  ip = '';
  mac = '';
  /** 0 when the protocol has none. */
  port = 0;
  /** Namespace of the service where there is one, else of the pod. */
  namespace = '';
  pod = '';
  service = '';
  /** DNS names of the address, joined by commas. */
  names = '';
  identity = 0;

  clear(): void {
    this.ip = '';
    this.mac = '';
    this.port = 0;
    this.namespace = '';
    this.pod = '';
    this.service = '';
    this.names = '';
    this.identity = 0;
  }
}

/**
 * What the printers read of a flow, flat. One row is filled again and again: from a decoded message, from the
 * bytes of a JSON line or from protobuf, whichever is at hand.
 */
export class FlowRow {
  /** RFC 3339 in UTC; empty when unset. */
  time = '';
  node = '';
  readonly source = new FlowSide();
  readonly destination = new FlowSide();
  /** Without it the hardware addresses are printed. */
  hasIp = false;
  eventType = 0;
  eventSubType = 0;
  reply: Reply = 'unknown';
  verdict = '';
  /** `dns`, `http`, `kafka`; `l7` for a record of another kind; empty when the flow is no request. */
  l7 = '';
  /** Name of the L7FlowType. */
  l7Type = '';
  dnsSource = '';
  summary = '';
  /** Name of the AuthType. */
  auth = '';
  /** Decimal; empty when there is none. */
  traceId = '';
  matchType = 0;
  direction = '';
  capturePoint = '';
  sockPoint = '';
  /** Policies that decided, in the flow's direction. */
  policies: readonly Policy[] = NONE;

  /** Makes it the row of a flow that has nothing set. */
  clear(): void {
    this.time = '';
    this.node = '';
    this.source.clear();
    this.destination.clear();
    this.hasIp = false;
    this.eventType = 0;
    this.eventSubType = 0;
    this.reply = 'unknown';
    this.verdict = 'VERDICT_UNKNOWN';
    this.l7 = '';
    this.l7Type = 'UNKNOWN_L7_TYPE';
    this.dnsSource = '';
    this.summary = '';
    this.auth = 'DISABLED';
    this.traceId = '';
    this.matchType = 0;
    this.direction = 'TRAFFIC_DIRECTION_UNKNOWN';
    this.capturePoint = 'DBG_CAPTURE_POINT_UNKNOWN';
    this.sockPoint = 'SOCK_XLATE_POINT_UNKNOWN';
    this.policies = NONE;
  }
}

/** Fills a row from a decoded flow. */
export function readFlow(row: FlowRow, flow: Flow): void {
  row.time = flow.time ?? '';
  row.node = flow.node_name ?? '';
  row.hasIp = flow.IP !== undefined;
  readSide(row.source, flow.source, flow.source_service, flow.source_names);
  readSide(row.destination, flow.destination, flow.destination_service, flow.destination_names);
  row.source.ip = flow.IP?.source ?? '';
  row.destination.ip = flow.IP?.destination ?? '';
  row.source.mac = flow.ethernet?.source ?? '';
  row.destination.mac = flow.ethernet?.destination ?? '';
  const ports = flow.l4?.TCP ?? flow.l4?.UDP ?? flow.l4?.SCTP;
  row.source.port = ports?.source_port ?? 0;
  row.destination.port = ports?.destination_port ?? 0;
  row.eventType = flow.event_type?.type ?? 0;
  row.eventSubType = flow.event_type?.sub_type ?? 0;
  row.reply = flow.is_reply === undefined ? 'unknown' : flow.is_reply ? 'yes' : 'no';
  row.verdict = String(flow.verdict ?? 'VERDICT_UNKNOWN');
  const { l7 } = flow;
  row.l7 = l7 === undefined ? '' : l7.dns ? 'dns' : l7.http ? 'http' : l7.kafka ? 'kafka' : 'l7';
  row.l7Type = String(l7?.type ?? 'UNKNOWN_L7_TYPE');
  row.dnsSource = l7?.dns?.observation_source ?? '';
  row.summary = flow.Summary ?? '';
  row.auth = String(flow.auth_type ?? 'DISABLED');
  row.traceId = flow.ip_trace_id?.trace_id ?? '';
  row.matchType = flow.policy_match_type ?? 0;
  row.direction = String(flow.traffic_direction ?? 'TRAFFIC_DIRECTION_UNKNOWN');
  row.capturePoint = String(flow.debug_capture_point ?? 'DBG_CAPTURE_POINT_UNKNOWN');
  row.sockPoint = String(flow.sock_xlate_point ?? 'SOCK_XLATE_POINT_UNKNOWN');
  row.policies = policiesOf(flow);
}

function readSide(
  side: FlowSide,
  endpoint: Endpoint | undefined,
  service: Service | undefined,
  names: readonly string[] | undefined,
): void {
  side.namespace = (service ? service.namespace : endpoint?.namespace) ?? '';
  side.pod = endpoint?.pod_name ?? '';
  side.service = service?.name ?? '';
  side.names = names?.join(',') ?? '';
  side.identity = endpoint?.identity ?? 0;
}

function joined(allowed = NONE, denied = NONE): readonly Policy[] {
  return allowed.length === 0 ? denied : denied.length === 0 ? allowed : [...allowed, ...denied];
}

function policiesOf(flow: Flow): readonly Policy[] {
  switch (flow.traffic_direction) {
    case 'EGRESS':
      return joined(flow.egress_allowed_by, flow.egress_denied_by);
    case 'INGRESS':
      return joined(flow.ingress_allowed_by, flow.ingress_denied_by);
    default:
      return NONE;
  }
}
