import type { FlowFilter } from '../../../model/hubble.gen.ts';
import {
  dropReason,
  eventType,
  httpHeader,
  identity,
  interfaceName,
  ipTraceId,
  ipVersion,
  tcpFlags,
  text,
  trafficDirection,
  type ValueParser,
  verdict,
  workload,
} from './filter-values.ts';

type FilterField = keyof FlowFilter;

/** A flag that adds to the filters. */
export interface FilterFlag {
  name: string;
  short?: string;
  /** Placeholder of the value in help; absent when the flag needs none. */
  value?: string;
  about: string;
  parse: ValueParser;
  /** Field of the filter for the source side; the same as `right` when the flag has one side. */
  left: FilterField;
  right: FilterField;
  /** Gives a namespace to bare names instead of being a field itself. */
  namespaces?: 'any' | 'source' | 'destination';
}

const one = (
  name: string,
  field: FilterField,
  value: string,
  about: string,
  parse: ValueParser = text,
  short?: string,
): FilterFlag => ({ name, value, about, parse, left: field, right: field, ...(short && { short }) });

/** A flag for either end, and one for each. */
function ends(
  name: string,
  noun: string,
  value: string,
  about: string,
  parse: ValueParser = text,
  short?: string,
): FilterFlag[] {
  const source = `source_${noun}` as FilterField;
  const destination = `destination_${noun}` as FilterField;
  const flag: FilterFlag = {
    name,
    value,
    about: `Flows ${about.replace('%', 'from or to')}`,
    parse,
    left: source,
    right: destination,
    ...(short && { short }),
  };
  return [
    flag,
    one(`from-${name}`, source, value, `Flows ${about.replace('%', 'from')}`, parse),
    one(`to-${name}`, destination, value, `Flows ${about.replace('%', 'to')}`, parse),
  ];
}

function namespaces(side: 'any' | 'source' | 'destination', all: boolean): FilterFlag {
  const prefix = { any: '', source: 'from-', destination: 'to-' }[side];
  const where = { any: 'from or to', source: 'from', destination: 'to' }[side];
  return {
    name: `${prefix}${all ? 'all-namespaces' : 'namespace'}`,
    about: all ? `Flows ${where} pods of any namespace` : `Flows ${where} pods of this namespace`,
    // The flags for all namespaces take a value that means nothing.
    parse: all ? () => '' : text,
    left: 'source_pod',
    right: 'destination_pod',
    namespaces: side,
    ...(!all && { value: 'namespace' }),
    ...(side === 'any' && { short: all ? 'A' : 'n' }),
  };
}

/** Every filter flag, in the order of help. */
export const FILTER_FLAGS: readonly FilterFlag[] = [
  one('uuid', 'uuid', 'uuid', 'The flow of this identifier'),
  one('node-name', 'node_name', 'pattern', 'Flows of nodes such as k8s*, test-cluster/*.company.com'),
  one('node-label', 'node_labels', 'selector', 'Flows of nodes with labels such as key=value'),
  ...ends('cluster', 'cluster_name', 'name', '% this cluster'),
  one(
    'protocol',
    'protocol',
    'name',
    'Flows of tcp, udp, icmp, icmpv4, icmpv6, sctp, vrrp, igmp, dns, http, kafka',
  ),
  one(
    'tcp-flags',
    'tcp_flags',
    'flags',
    'Flows that carry all of these TCP flags, such as syn,ack',
    tcpFlags,
  ),
  one(
    'type',
    'event_type',
    'type[:subtype]',
    'Events of drop, debug, capture, trace, policy-verdict, trace-sock, l7, agent; for example trace:to-endpoint',
    eventType,
    't',
  ),
  one(
    'verdict',
    'verdict',
    'verdict',
    'FORWARDED, DROPPED, AUDIT, REDIRECTED, ERROR, TRACED, TRANSLATED',
    verdict,
  ),
  one(
    'drop-reason-desc',
    'drop_reason_desc',
    'reason',
    'Flows dropped for a reason such as POLICY_DENIED',
    dropReason,
  ),
  one('http-status', 'http_status_code', 'code', 'Answers with this status; 5+ means all that begin with 5'),
  one('http-method', 'http_method', 'method', 'Requests and answers of this method'),
  one('http-path', 'http_path', 'regex', 'Requests and answers whose path matches (RE2)'),
  one('http-url', 'http_url', 'regex', 'Requests and answers whose URL matches (RE2)'),
  one('http-header', 'http_header', 'key:value', 'Requests and answers with this header', httpHeader),
  one('trace-id', 'trace_id', 'id', 'Requests of this trace'),
  one('ip-trace-id', 'ip_trace_id', 'id', 'Packets that carry this trace identifier', ipTraceId),
  ...ends('fqdn', 'fqdn', 'pattern', '% a DNS name such as *.cilium.io'),
  ...ends('ip', 'ip', 'address', '% an address or CIDR'),
  one('snat-ip', 'source_ip_xlated', 'address', 'Flows whose source was translated to this address or CIDR'),
  { ...one('ipv4', 'ip_version', '', 'IPv4 flows only', () => 'IPv4', '4') },
  { ...one('ipv6', 'ip_version', '', 'IPv6 flows only', () => 'IPv6', '6') },
  one('ip-version', 'ip_version', 'version', 'Flows of this IP version: none, v4 or v6', ipVersion),
  ...ends('pod', 'pod', '[namespace/]prefix', '% pods whose name begins so'),
  ...(['any', 'source', 'destination'] as const).flatMap((side) => [
    namespaces(side, false),
    namespaces(side, true),
  ]),
  ...ends(
    'label',
    'label',
    'selector',
    '% endpoints with labels such as app=web or reserved:world',
    text,
    'l',
  ),
  ...ends('service', 'service', '[namespace/]prefix', '% services whose name begins so'),
  ...ends('port', 'port', 'port', '% this port'),
  ...ends('workload', 'workload', '[kind/]name', '% this workload', workload),
  ...ends('identity', 'identity', 'identity', '% a security identity, by number or name', identity),
  one(
    'traffic-direction',
    'traffic_direction',
    'direction',
    'Flows in this direction: ingress or egress',
    trafficDirection,
  ),
  one('cel-expression', 'experimental', 'expression', 'Flows for which a CEL expression over _flow is true'),
  one('reply', 'reply', '', 'Flows that answer others', () => true),
  one('not-reply', 'reply', '', 'Flows that answer no other', () => false),
  one('interface', 'interface', 'name', 'Flows seen on this network interface', interfaceName),
  one('encrypted', 'encrypted', '', 'Encrypted flows', () => true),
  one('unencrypted', 'encrypted', '', 'Flows that are not encrypted', () => false),
];

/** Flags of which one filter takes only one. */
export const CONFLICTS: readonly (readonly string[])[] = [
  [
    'from-fqdn',
    'from-ip',
    'ip',
    'fqdn',
    'from-namespace',
    'namespace',
    'from-all-namespaces',
    'all-namespaces',
  ],
  ['from-fqdn', 'from-ip', 'ip', 'fqdn', 'from-pod', 'pod'],
  ['to-fqdn', 'to-ip', 'ip', 'fqdn', 'to-namespace', 'namespace', 'to-all-namespaces', 'all-namespaces'],
  ['to-fqdn', 'to-ip', 'ip', 'fqdn', 'to-pod', 'pod'],
  ['to-pod', 'namespace', 'all-namespaces'],
  ['from-pod', 'namespace', 'all-namespaces'],
  ['to-service', 'namespace', 'all-namespaces'],
  ['from-service', 'namespace', 'all-namespaces'],
  ['label', 'from-label'],
  ['label', 'to-label'],
  ['service', 'from-service'],
  ['service', 'to-service'],
  ['port', 'to-port'],
  ['port', 'from-port'],
  ['identity', 'to-identity'],
  ['identity', 'from-identity'],
  ['workload', 'to-workload'],
  ['workload', 'from-workload'],
  ['encrypted', 'unencrypted'],
  ['reply', 'not-reply'],
];
