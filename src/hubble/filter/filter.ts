import { UserError } from '../../errors.ts';
import { goQuote } from '../../lib/go-quote.ts';
import { knownNames } from '../../lib/nearest.ts';
import type {
  Endpoint,
  EventTypeFilter,
  Flow,
  FlowFilter,
  Service,
  TCPFlags,
  Workload,
} from '../../model/hubble.gen.ts';
import { compileSelector } from '../../model/selector.ts';
import {
  compileFqdns,
  compileIps,
  compileNodeNames,
  compileRegexes,
  requestPath,
  type TextMatch,
} from './patterns.ts';

/** Says whether a flow is meant. */
export type FlowPredicate = (flow: Flow) => boolean;

/** Stands for the flow of a record that is none: news of nodes, lost events. It has no verdict, not even an unknown one. */
export const NO_FLOW: Flow = Object.freeze({});

/** Event type of a request that a proxy saw. */
const EVENT_L7 = 129;

/**
 * Compiles what a request asks for: a flow passes when an allow filter matches it, or there is none, and no deny
 * filter does. The same code answers for a server and for a file. Throws UserError for what is no filter.
 */
export async function compileFilters(
  allow: readonly FlowFilter[],
  deny: readonly FlowFilter[],
): Promise<FlowPredicate> {
  const allowed = await compileAny(allow);
  const denied = await compileAny(deny);
  if (denied === undefined) return allowed ?? (() => true);
  return (flow) => (allowed === undefined || allowed(flow)) && !denied(flow);
}

/** True when one of the filters matches; undefined when there are none. */
async function compileAny(filters: readonly FlowFilter[]): Promise<FlowPredicate | undefined> {
  if (filters.length === 0) return undefined;
  const compiled: FlowPredicate[] = [];
  for (const filter of filters) compiled.push(await compileFilter(filter));
  return (flow) => compiled.some((matches) => matches(flow));
}

/** Every field that is set must match; inside a list one value suffices. */
async function compileFilter(filter: FlowFilter): Promise<FlowPredicate> {
  const tests: FlowPredicate[] = [];
  for (const [name, compile] of Object.entries(FIELDS)) {
    const values = filter[name as keyof FlowFilter];
    if (values === undefined) continue;
    if (Array.isArray(values) && values.length === 0) continue;
    if (name.startsWith('http_')) requireL7(filter, name);
    const test = await compile(values as never);
    if (test) tests.push(test);
  }
  return (flow) => tests.every((test) => test(flow));
}

type Compiler<Values> = (values: Values) => FlowPredicate | undefined | Promise<FlowPredicate | undefined>;

/** How each field of a filter is matched. Of several that are wrong the first one is told, in this order. */
const FIELDS: { [Name in keyof FlowFilter]-?: Compiler<NonNullable<FlowFilter[Name]>> } = {
  uuid: oneOf((flow) => ofFlow(flow, flow.uuid ?? '')),
  event_type: eventTypes,
  verdict: oneOf((flow) => ofFlow(flow, flow.verdict ?? 'VERDICT_UNKNOWN')),
  drop_reason_desc: (values) => {
    const wanted = new Set(values);
    return (flow) => flow.verdict === 'DROPPED' && wanted.has(flow.drop_reason_desc ?? 'DROP_REASON_UNKNOWN');
  },
  reply: (values) => (flow) => {
    if (flow.is_reply !== undefined) return values.includes(flow.is_reply);
    // A packet that was dropped had no connection that it could have answered.
    return flow.verdict === 'DROPPED' && values.includes(false);
  },
  encrypted: oneOf((flow) => flow.IP?.encrypted ?? false),
  source_identity: oneOf((flow) => flow.source && (flow.source.identity ?? 0)),
  destination_identity: oneOf((flow) => flow.destination && (flow.destination.identity ?? 0)),
  protocol: protocols,
  source_ip: (values) => onText(compileIps(values), (flow) => flow.IP?.source),
  destination_ip: (values) => onText(compileIps(values), (flow) => flow.IP?.destination),
  source_ip_xlated: (values) => onText(compileIps(values), (flow) => flow.IP?.source_xlated),
  source_pod: (values) => named(values, (flow) => podOf(flow.source)),
  destination_pod: (values) => named(values, (flow) => podOf(flow.destination)),
  source_workload: (values) => workload(values, (flow) => flow.source?.workloads),
  destination_workload: (values) => workload(values, (flow) => flow.destination?.workloads),
  source_service: (values) =>
    named(values, (flow) => serviceOf(flow.source_service), 'invalid source service filter: '),
  destination_service: (values) =>
    named(values, (flow) => serviceOf(flow.destination_service), 'invalid destination service filter: '),
  source_fqdn: (values) => onNames(compileFqdns(values), (flow) => flow.source_names),
  destination_fqdn: (values) => onNames(compileFqdns(values), (flow) => flow.destination_names),
  dns_query: async (values) =>
    onText(await compileRegexes(values, 'dns query'), ({ l7 }) => l7?.dns && (l7.dns.query ?? '')),
  source_label: (values) => labelled(values, (flow) => flow.source?.labels),
  destination_label: (values) => labelled(values, (flow) => flow.destination?.labels),
  node_labels: (values) => labelled(values, (flow) => flow.node_labels),
  source_port: (values) => ports(values, 'source', 'source_port'),
  destination_port: (values) => ports(values, 'destination', 'destination_port'),
  http_status_code: statusCodes,
  http_method: (values) => {
    const wanted = new Set(values.map((method) => method.toLowerCase()));
    return ({ l7 }) => l7?.http?.method !== undefined && wanted.has(l7.http.method.toLowerCase());
  },
  http_path: async (values) =>
    onText(await compileRegexes(values, 'http path'), ({ l7 }) =>
      l7?.http?.url ? requestPath(l7.http.url) : undefined,
    ),
  http_url: async (values) =>
    onText(await compileRegexes(values, 'http url'), ({ l7 }) => l7?.http?.url || undefined),
  http_header: (values) => (flow) =>
    flow.l7?.http?.headers?.some((header) =>
      values.some(
        (wanted) =>
          (wanted.key ?? '') === (header.key ?? '') && (wanted.value ?? '') === (header.value ?? ''),
      ),
    ) ?? false,
  tcp_flags: (values) => (flow) => {
    const flags = flow.l4?.TCP?.flags;
    return flags !== undefined && values.some((wanted) => hasFlags(flags, wanted));
  },
  node_name: (values) => onText(compileNodeNames(values), (flow) => flow.node_name || undefined),
  source_cluster_name: (values) => clusters(values, (flow) => flow.source?.cluster_name ?? ''),
  destination_cluster_name: (values) => clusters(values, (flow) => flow.destination?.cluster_name ?? ''),
  ip_version: oneOf((flow) => ofFlow(flow, flow.IP?.ipVersion ?? 'IP_NOT_USED')),
  trace_id: oneOf((flow) => flow.trace_context?.parent?.trace_id ?? ''),
  traffic_direction: oneOf((flow) => ofFlow(flow, flow.traffic_direction ?? 'TRAFFIC_DIRECTION_UNKNOWN')),
  experimental: async ({ cel_expression: expressions = [] }) =>
    expressions.length === 0 ? undefined : (await import('./cel.ts')).compileCel(expressions),
  interface: (values) => (flow) =>
    flow.interface !== undefined &&
    values.some(
      ({ name, index }) =>
        (!name || name === flow.interface?.name) && (!index || index === flow.interface?.index),
    ),
  ip_trace_id: oneOf((flow) => flow.ip_trace_id?.trace_id ?? '0'),
};

function ofFlow<Value>(flow: Flow, value: Value): Value | undefined {
  return flow === NO_FLOW ? undefined : value;
}

/** A flow without the value matches none. */
function oneOf<Value>(read: (flow: Flow) => Value | undefined): (values: readonly Value[]) => FlowPredicate {
  return (values) => {
    const wanted = new Set(values);
    return (flow) => {
      const value = read(flow);
      return value !== undefined && wanted.has(value);
    };
  };
}

function onText(match: TextMatch, read: (flow: Flow) => string | undefined): FlowPredicate {
  return (flow) => {
    const text = read(flow);
    return text !== undefined && match(text);
  };
}

function onNames(match: TextMatch, read: (flow: Flow) => readonly string[] | undefined): FlowPredicate {
  return (flow) => read(flow)?.some(match) ?? false;
}

interface Named {
  namespace: string;
  name: string;
}

function podOf(endpoint: Endpoint | undefined): Named {
  return { namespace: endpoint?.namespace ?? '', name: endpoint?.pod_name ?? '' };
}

function serviceOf(service: Service | undefined): Named {
  return { namespace: service?.namespace ?? '', name: service?.name ?? '' };
}

function emptyName(filter = ''): UserError {
  return new UserError(`${filter}invalid filter, name must not be empty`, {
    hint: 'A namespace alone is written with a slash, "shop/"; "/" stands for every one.',
  });
}

/** `namespace/prefix`; no namespace before the slash means any, no slash means the namespace `default`. */
function named(values: readonly string[], read: (flow: Flow) => Named, filter = ''): FlowPredicate {
  const wanted = values.map((value) => {
    if (value === '') throw emptyName(filter);
    // What stands behind a second slash counts for nothing.
    const [first = '', name] = value.split('/');
    return name === undefined ? { namespace: 'default', name: first } : { namespace: first, name };
  });
  return (flow) => {
    const { namespace, name } = read(flow);
    if (namespace === '' && name === '') return false;
    return wanted.some(
      (want) => (want.namespace === '' || want.namespace === namespace) && name.startsWith(want.name),
    );
  };
}

function clusters(values: readonly string[], read: (flow: Flow) => string): FlowPredicate {
  if (values.includes('')) throw emptyName();
  const wanted = new Set(values);
  return (flow) => wanted.has(read(flow));
}

function labelled(
  values: readonly string[],
  read: (flow: Flow) => readonly string[] | undefined,
): FlowPredicate {
  const selectors = values.map((value) => {
    const selector = compileSelector(value);
    if (selector === undefined)
      throw new UserError(`invalid label filter: unable to parse requirement: ${goQuote(value)}`, {
        hint: 'Examples: app=web, k8s:app!=web, "env in (prod,test)", !legacy',
      });
    return selector;
  });
  return (flow) => {
    const labels = read(flow) ?? [];
    return selectors.some((selector) => selector(labels));
  };
}

function workload(
  values: readonly Workload[],
  read: (flow: Flow) => readonly Workload[] | undefined,
): FlowPredicate {
  return (flow) =>
    read(flow)?.some((has) =>
      values.some((want) => (!want.name || want.name === has.name) && (!want.kind || want.kind === has.kind)),
    ) ?? false;
}

function ports(
  values: readonly string[],
  side: string,
  key: 'source_port' | 'destination_port',
): FlowPredicate {
  const wanted = new Set(
    values.map((value) => {
      const fail = (why: string) =>
        new UserError(
          `invalid ${side} port filter: invalid port ${goQuote(value)}: strconv.ParseUint: parsing ${goQuote(value)}: ${why}`,
          { hint: 'Expected a number from 0 to 65535, such as 443.' },
        );
      if (!/^\d+$/.test(value)) throw fail('invalid syntax');
      if (Number(value) > 0xffff) throw fail('value out of range');
      return Number(value);
    }),
  );
  return ({ l4 }) => {
    const found = l4?.TCP ?? l4?.UDP ?? l4?.SCTP;
    // The field is wider than a port.
    return found !== undefined && wanted.has((found[key] ?? 0) & 0xffff);
  };
}

function eventTypes(values: readonly EventTypeFilter[]): FlowPredicate {
  return ({ event_type: event }) =>
    event !== undefined &&
    values.some(
      ({ type: wanted = 0, match_sub_type: bySubType, sub_type: subType = 0 }) =>
        // The type 0 stands for any.
        (wanted === 0 || wanted === (event.type ?? 0)) && (!bySubType || subType === (event.sub_type ?? 0)),
    );
}

/** Protocols that flows are told apart by. */
export const PROTOCOLS: Readonly<Record<string, FlowPredicate>> = {
  icmp: ({ l4 }) => l4?.ICMPv4 !== undefined || l4?.ICMPv6 !== undefined,
  icmpv4: ({ l4 }) => l4?.ICMPv4 !== undefined,
  icmpv6: ({ l4 }) => l4?.ICMPv6 !== undefined,
  tcp: ({ l4 }) => l4?.TCP !== undefined,
  udp: ({ l4 }) => l4?.UDP !== undefined,
  sctp: ({ l4 }) => l4?.SCTP !== undefined,
  vrrp: ({ l4 }) => l4?.VRRP !== undefined,
  igmp: ({ l4 }) => l4?.IGMP !== undefined,
  dns: ({ l7 }) => l7?.dns !== undefined,
  http: ({ l7 }) => l7?.http !== undefined,
  kafka: ({ l7 }) => l7?.kafka !== undefined,
};

function protocols(values: readonly string[]): FlowPredicate {
  const tests = values.map((value) => {
    const name = value.toLowerCase();
    const test = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
    if (test === undefined)
      throw new UserError(`invalid protocol filter: unknown protocol: ${goQuote(name)}`, {
        hint: knownNames(name, Object.keys(PROTOCOLS)),
      });
    return test;
  });
  return (flow) => tests.some((test) => test(flow));
}

function statusCodes(values: readonly string[]): FlowPredicate {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  for (const value of values) {
    if (/^[1-5]\d\d$/.test(value)) exact.add(value);
    else if (/^[1-5]\d?\+$/.test(value)) prefixes.push(value.slice(0, -1));
    else
      throw new UserError(`invalid http status code filter: invalid status code prefix: ${goQuote(value)}`, {
        hint: 'Expected a status from 100 to 599 (404) or its beginning and a plus (5+, 40+).',
      });
  }
  return ({ l7 }) => {
    // A request has none yet.
    if (!l7?.http?.code) return false;
    const code = String(l7.http.code).padStart(3, '0');
    return exact.has(code) || prefixes.some((prefix) => code.startsWith(prefix));
  };
}

function hasFlags(flags: TCPFlags, wanted: TCPFlags): boolean {
  return Object.entries(wanted).every(([name, set]) => !set || flags[name as keyof TCPFlags] === true);
}

/** A request is an event of its own type: filters on one contradict filters on other types. */
function requireL7({ event_type: types = [] }: FlowFilter, name: string): void {
  if (types.length === 0 || types.some(({ type }) => type === EVENT_L7)) return;
  throw new UserError(
    `filtering by ${name.replaceAll('_', ' ')} requires the event type filter to only match 'l7' events`,
    { hint: 'Leave out --type, or add --type l7.' },
  );
}
