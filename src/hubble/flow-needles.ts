import type { FlowFilter } from '../model/hubble.gen.ts';

/**
 * Texts of which a canonical line holds at least one when one of the filters matches its flow; undefined when the
 * filters allow no such list. A line without any of them need not be read.
 */
export function needlesOf(allow: readonly FlowFilter[]): readonly string[] | undefined {
  if (allow.length === 0) return undefined;
  const needles: string[] = [];
  for (const filter of allow) {
    const best = bestOf(filter);
    if (best === undefined) return undefined;
    needles.push(...best);
  }
  // Each needle is a walk over the text: with many of them reading the lines is cheaper.
  const unique = [...new Set(needles)];
  return unique.length > 0 && unique.length <= MOST_NEEDLES ? unique : undefined;
}

const MOST_NEEDLES = 8;

/** The rarest field first, as far as one can tell without seeing the flows. */
function bestOf(filter: FlowFilter): readonly string[] | undefined {
  for (const [field, needles] of NEEDLES) {
    const values = filter[field] as readonly unknown[] | undefined;
    if (values === undefined || !Array.isArray(values) || values.length === 0) continue;
    const found = values.map((value: unknown) => needles(value));
    if (found.every((each) => each !== undefined)) return found.flat();
  }
  return undefined;
}

/** The needles of one value; undefined when there is none for it. */
type Needles = (value: unknown) => readonly string[] | undefined;

/** Text that stands in JSON as it is. */
const SAFE = /^[\w .:/@+-]+$/;

const field =
  (name: string): Needles =>
  (value) =>
    typeof value === 'string' && SAFE.test(value) ? [`"${name}":"${value}"`] : undefined;

const number =
  (name: string): Needles =>
  (value) =>
    Number(value) > 0 ? [`"${name}":${Number(value)}`] : undefined;

const present =
  (needle: string): Needles =>
  () => [needle];

/** `namespace/prefix`, where either part may be missing. */
const named =
  (field: string): Needles =>
  (value) => {
    const text = String(value);
    const name = text.slice(text.indexOf('/') + 1);
    if (name !== '') return SAFE.test(name) ? [`"${field}":"${name}`] : undefined;
    const namespace = text.slice(0, -1);
    return namespace !== '' && SAFE.test(namespace) ? [`"namespace":"${namespace}"`] : undefined;
  };

const address =
  (name: string): Needles =>
  (value) =>
    String(value).includes('/') ? undefined : field(name)(value);

const PROTOCOLS: Readonly<Record<string, readonly string[]>> = {
  tcp: ['"TCP":{'],
  udp: ['"UDP":{'],
  sctp: ['"SCTP":{'],
  icmp: ['"ICMPv4":{', '"ICMPv6":{'],
  icmpv4: ['"ICMPv4":{'],
  icmpv6: ['"ICMPv6":{'],
  vrrp: ['"VRRP":{'],
  igmp: ['"IGMP":{'],
  dns: ['"dns":{'],
  http: ['"http":{'],
  kafka: ['"kafka":{'],
};

const HTTP = present('"http":{');

/** What the canonical line of a matching flow holds, by the field of the filter, the most selective first. */
const NEEDLES: readonly (readonly [keyof FlowFilter, Needles])[] = [
  ['uuid', field('uuid')],
  ['ip_trace_id', field('trace_id')],
  ['trace_id', field('trace_id')],
  ['dns_query', present('"dns":{')],
  ['http_url', HTTP],
  ['http_path', HTTP],
  ['http_header', HTTP],
  ['http_method', HTTP],
  ['http_status_code', HTTP],
  ['source_workload', present('"workloads":[')],
  ['destination_workload', present('"workloads":[')],
  ['source_service', present('"source_service":{')],
  ['destination_service', present('"destination_service":{')],
  ['source_fqdn', present('"source_names":[')],
  ['destination_fqdn', present('"destination_names":[')],
  ['node_labels', present('"node_labels":[')],
  ['source_ip', address('source')],
  ['destination_ip', address('destination')],
  ['source_ip_xlated', present('"source_xlated":"')],
  ['encrypted', (value) => (value === true ? ['"encrypted":true'] : undefined)],
  ['drop_reason_desc', field('drop_reason_desc')],
  ['source_port', number('source_port')],
  ['destination_port', number('destination_port')],
  ['source_identity', number('identity')],
  ['destination_identity', number('identity')],
  ['source_pod', named('pod_name')],
  ['destination_pod', named('pod_name')],
  ['verdict', (value) => (value === 'VERDICT_UNKNOWN' ? undefined : field('verdict')(value))],
  ['protocol', (value) => PROTOCOLS[String(value).toLowerCase()]],
  ['tcp_flags', present('"flags":{')],
  ['source_cluster_name', field('cluster_name')],
  ['destination_cluster_name', field('cluster_name')],
];
