import { policiesOf } from '../model/flow-row.ts';
import type { Endpoint, Flow } from '../model/hubble.gen.ts';

/** Types of Parquet, as far as columns here have them. Numbers without a sign have the next larger one, which every engine knows. */
export type ColumnType = 'STRING' | 'INT32' | 'INT64' | 'BOOLEAN' | 'TIMESTAMP';
/** Absent is null. */
export type ColumnValue = string | number | bigint | boolean | Date | readonly string[] | undefined;

/** One column of the flat form of flows. A line in the table below is all that a new one takes. */
export interface Column {
  name: string;
  type: ColumnType;
  about: string;
  read: (flow: Flow) => ColumnValue;
  /** Its name as an attribute of OpenTelemetry: one of the conventions where they have it. None where OTLP has a field. */
  attribute: string | undefined;
}

const column = (
  name: string,
  type: ColumnType,
  about: string,
  attribute: string | undefined,
  read: Column['read'],
): Column => ({ name, type, about, attribute, read });

const text = (value: unknown): string | undefined =>
  value === undefined || value === '' ? undefined : String(value);
const list = (values: readonly string[] | undefined): readonly string[] | undefined =>
  values === undefined || values.length === 0 ? undefined : values;

/** When a flow was seen, to the millisecond. */
export function timeOf({ time }: Flow): Date | undefined {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

function portOf({ l4 }: Flow, side: 'source' | 'destination'): number | undefined {
  const layer = l4?.TCP ?? l4?.UDP ?? l4?.SCTP;
  return layer?.[`${side}_port`];
}

/** Columns of one end; the flow has `source` and `destination`. */
function columnsOf(prefix: 'src' | 'dst', side: 'source' | 'destination'): Column[] {
  const end = (flow: Flow): Endpoint => flow[side] ?? {};
  const service = (flow: Flow) => (side === 'source' ? flow.source_service : flow.destination_service);
  return [
    column(`${prefix}_namespace`, 'STRING', 'namespace', `cilium.${side}.namespace`, (flow) =>
      text(end(flow).namespace),
    ),
    column(`${prefix}_pod`, 'STRING', 'pod', `cilium.${side}.pod`, (flow) => text(end(flow).pod_name)),
    column(`${prefix}_workload`, 'STRING', 'workload of the pod', `cilium.${side}.workload.name`, (flow) =>
      text(end(flow).workloads?.[0]?.name),
    ),
    column(
      `${prefix}_workload_kind`,
      'STRING',
      'kind of the workload',
      `cilium.${side}.workload.kind`,
      (flow) => text(end(flow).workloads?.[0]?.kind),
    ),
    column(`${prefix}_cluster`, 'STRING', 'cluster', `cilium.${side}.cluster`, (flow) =>
      text(end(flow).cluster_name),
    ),
    column(`${prefix}_identity`, 'INT64', 'security identity', `cilium.${side}.identity`, (flow) =>
      BigInt(end(flow).identity ?? 0),
    ),
    column(
      `${prefix}_labels`,
      'STRING',
      'labels, with commas between them',
      `cilium.${side}.labels`,
      (flow) => list(end(flow).labels),
    ),
    column(`${prefix}_ip`, 'STRING', 'address', `${side}.address`, (flow) => text(flow.IP?.[side])),
    column(`${prefix}_port`, 'INT64', 'port of TCP, UDP or SCTP', `${side}.port`, (flow) =>
      portOf(flow, side),
    ),
    column(
      `${prefix}_names`,
      'STRING',
      'DNS names, with commas between them',
      `cilium.${side}.names`,
      (flow) => list(side === 'source' ? flow.source_names : flow.destination_names),
    ),
    column(`${prefix}_service`, 'STRING', 'service, as namespace/name', `cilium.${side}.service`, (flow) => {
      const { name, namespace } = service(flow) ?? {};
      return name ? (namespace ? `${namespace}/${name}` : name) : undefined;
    }),
  ];
}

/** The columns of the flat form of flows, in their order. */
export const COLUMNS: readonly Column[] = [
  column('time', 'TIMESTAMP', 'when it was seen, in UTC, to the millisecond', undefined, timeOf),
  column('uuid', 'STRING', 'id of the flow', 'log.record.uid', ({ uuid }) => text(uuid)),
  column('node', 'STRING', 'node that saw it', undefined, (flow) => text(flow.node_name)),
  column(
    'verdict',
    'STRING',
    'FORWARDED, DROPPED, ERROR, AUDIT, REDIRECTED …',
    'cilium.verdict',
    ({ verdict }) => text(verdict),
  ),
  column('drop_reason', 'STRING', 'why it was dropped', 'cilium.drop_reason', (flow) =>
    text(flow.drop_reason_desc),
  ),
  column('direction', 'STRING', 'INGRESS or EGRESS', 'cilium.traffic_direction', (flow) =>
    text(flow.traffic_direction),
  ),
  column(
    'event_type',
    'INT32',
    'type of the event: 1 drop, 4 trace, 5 policy verdict, 129 layer 7',
    'cilium.event_type',
    (flow) => flow.event_type?.type,
  ),
  column(
    'is_reply',
    'BOOLEAN',
    'whether it answers; null where that is not known',
    'cilium.is_reply',
    (flow) => flow.is_reply,
  ),
  column('protocol', 'STRING', 'TCP, UDP, SCTP, ICMPv4, ICMPv6 …', 'network.transport', ({ l4 }) =>
    text(Object.keys(l4 ?? {})[0]),
  ),
  column(
    'tcp_flags',
    'STRING',
    'flags that are set, with commas between them',
    'cilium.tcp_flags',
    ({ l4 }) => list(Object.entries(l4?.TCP?.flags ?? {}).flatMap(([name, set]) => (set ? [name] : []))),
  ),
  ...columnsOf('src', 'source'),
  ...columnsOf('dst', 'destination'),
  column('l7_type', 'STRING', 'REQUEST, RESPONSE or SAMPLE', 'cilium.l7.type', ({ l7 }) => text(l7?.type)),
  column('latency_ns', 'INT64', 'from a request to its response', 'cilium.l7.latency_ns', ({ l7 }) =>
    l7?.latency_ns === undefined ? undefined : BigInt(l7.latency_ns),
  ),
  column('http_method', 'STRING', 'method of an HTTP request', 'http.request.method', ({ l7 }) =>
    text(l7?.http?.method),
  ),
  column('http_url', 'STRING', 'URL of an HTTP request', 'url.full', ({ l7 }) => text(l7?.http?.url)),
  column(
    'http_code',
    'INT64',
    'status of an HTTP response',
    'http.response.status_code',
    ({ l7 }) => l7?.http?.code,
  ),
  column('dns_query', 'STRING', 'name that was asked for', 'dns.question.name', ({ l7 }) =>
    text(l7?.dns?.query),
  ),
  column('dns_rcode', 'INT64', 'code of a DNS answer (3 is NXDOMAIN)', 'cilium.dns.rcode', ({ l7 }) =>
    l7?.dns && l7.type === 'RESPONSE' ? (l7.dns.rcode ?? 0) : undefined,
  ),
  column(
    'policies',
    'STRING',
    'policies that decided, as namespace/name, with commas between them',
    'cilium.policies',
    (flow) =>
      list(
        policiesOf(flow).flatMap(({ name, namespace }) =>
          name ? [namespace ? `${namespace}/${name}` : name] : [],
        ),
      ),
  ),
  column('summary', 'STRING', 'the text in parentheses', 'cilium.summary', ({ Summary: summary }) =>
    text(summary),
  ),
];
