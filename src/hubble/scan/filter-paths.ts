import type { FlowFilter } from '../../model/hubble.gen.ts';
import { fieldAt } from '../protobuf/schema.ts';

const eitherPort = (side: string) => ['TCP', 'UDP', 'SCTP'].map((name) => `l4.${name}.${side}_port`);

/** The fields of a flow that each filter reads; of CEL's, see `celPaths`. */
const FILTER_PATHS: Readonly<Record<Exclude<keyof FlowFilter, 'experimental'>, readonly string[]>> = {
  uuid: ['uuid'],
  source_ip: ['IP.source'],
  source_ip_xlated: ['IP.source_xlated'],
  source_pod: ['source.namespace', 'source.pod_name'],
  source_fqdn: ['source_names'],
  source_label: ['source.labels'],
  source_service: ['source_service.name', 'source_service.namespace'],
  source_workload: ['source.workloads'],
  source_cluster_name: ['source.cluster_name'],
  source_identity: ['source.identity'],
  source_port: eitherPort('source'),
  destination_ip: ['IP.destination'],
  destination_pod: ['destination.namespace', 'destination.pod_name'],
  destination_fqdn: ['destination_names'],
  destination_label: ['destination.labels'],
  destination_service: ['destination_service.name', 'destination_service.namespace'],
  destination_workload: ['destination.workloads'],
  destination_cluster_name: ['destination.cluster_name'],
  destination_identity: ['destination.identity'],
  destination_port: eitherPort('destination'),
  traffic_direction: ['traffic_direction'],
  verdict: ['verdict'],
  drop_reason_desc: ['verdict', 'drop_reason_desc'],
  interface: ['interface.index', 'interface.name'],
  event_type: ['event_type.type', 'event_type.sub_type'],
  protocol: [
    ...['TCP', 'UDP', 'SCTP', 'ICMPv4', 'ICMPv6', 'VRRP', 'IGMP'].map((name) => `l4.${name}`),
    ...['dns', 'http', 'kafka'].map((name) => `l7.${name}`),
  ],
  reply: ['is_reply', 'verdict'],
  tcp_flags: ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'].map(
    (name) => `l4.TCP.flags.${name}`,
  ),
  http_status_code: ['l7.http.code'],
  http_method: ['l7.http.method'],
  http_path: ['l7.http.url'],
  http_url: ['l7.http.url'],
  http_header: ['l7.http.headers'],
  dns_query: ['l7.dns.query'],
  node_name: ['node_name'],
  node_labels: ['node_labels'],
  ip_version: ['IP.ipVersion'],
  encrypted: ['IP.encrypted'],
  trace_id: ['trace_context.parent.trace_id'],
  ip_trace_id: ['ip_trace_id.trace_id'],
};

/** The fields of a flow that filters read; undefined when one may read any. */
export function filterPaths(filters: readonly FlowFilter[]): readonly string[] | undefined {
  const paths = new Set<string>();
  for (const filter of filters) {
    for (const name of Object.keys(filter)) {
      const read =
        name === 'experimental'
          ? celPaths(filter.experimental?.cel_expression ?? [])
          : FILTER_PATHS[name as keyof typeof FILTER_PATHS];
      if (read === undefined) return undefined;
      for (const path of read) paths.add(path);
    }
  }
  return [...paths];
}

/** Text in quotes, and the variable with the fields that are named behind it. */
const CEL_PARTS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\b_flow\b((?:\s*\.\s*\w+)*)/g;

/** The fields that CEL expressions name; undefined where one speaks of the flow, or of a message, as a whole. */
function celPaths(expressions: readonly string[]): readonly string[] | undefined {
  const paths: string[] = [];
  for (const expression of expressions) {
    // Raw and triple quoted text is rare: whoever writes it gets the whole flow.
    if (/[rRbB]["']|"""|'''/.test(expression)) return undefined;
    for (const [, tail] of expression.matchAll(CEL_PARTS)) {
      if (tail === undefined) continue;
      const path = longestPath(tail.replace(/[\s]/g, '').slice(1));
      if (path === undefined) return undefined;
      paths.push(path);
    }
  }
  return paths;
}

/** The part of a path that leads to a value; undefined when it ends at a message, or names nothing. */
function longestPath(path: string): string | undefined {
  const parts = path.split('.');
  for (let i = 1; i <= parts.length; i++) {
    const part = parts.slice(0, i).join('.');
    const field = fieldAt('flow.Flow', part);
    if (!field) return undefined;
    if (field.repeated || field.kind !== 'message') return part;
  }
  return undefined;
}
