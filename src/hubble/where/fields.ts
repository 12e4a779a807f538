import type { Endpoint, Flow, Service } from '../../model/hubble.gen.ts';

/** What a field holds, which decides what operators mean on it. */
export type FieldKind = 'text' | 'name' | 'number' | 'duration' | 'ip' | 'label' | 'flag' | 'truth';

/** A field of the expression language. */
export interface FlowField {
  kind: FieldKind;
  about: string;
  /** The values of a flow; a test passes when one of them does. */
  read: (flow: Flow) => readonly (string | number | boolean)[];
  /** Labels of each end that is meant, for fields of kind `label`. */
  labels?: (flow: Flow) => readonly (readonly string[])[];
  /** Paths of the message that are read, for the field mask of a request. */
  paths: readonly string[];
}

type Side = 'source' | 'destination';

const some = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);
/** Enums that the schema does not know come as numbers. */
const text = (value: string | number | undefined): readonly string[] => (value ? [String(value)] : []);

/** `namespace/name`, or what there is of it. */
function qualified(named: { namespace?: string; name?: string } | undefined): readonly string[] {
  if (!named || (!named.name && !named.namespace)) return [];
  return [named.namespace ? `${named.namespace}/${named.name ?? ''}` : (named.name ?? '')];
}

const endpoint = (flow: Flow, side: Side): Endpoint | undefined =>
  side === 'source' ? flow.source : flow.destination;
const service = (flow: Flow, side: Side): Service | undefined =>
  side === 'source' ? flow.source_service : flow.destination_service;

function port(flow: Flow, side: Side): readonly number[] {
  const layer = flow.l4?.TCP ?? flow.l4?.UDP ?? flow.l4?.SCTP;
  return layer ? [(side === 'source' ? layer.source_port : layer.destination_port) ?? 0] : [];
}

/** Fields that both ends of a flow have: `src.pod`, `dst.pod`, and `pod` for either. */
const SIDED: Readonly<
  Record<
    string,
    {
      kind: FieldKind;
      about: string;
      read: (flow: Flow, side: Side) => readonly (string | number)[];
      paths: (side: Side) => string[];
    }
  >
> = {
  pod: {
    kind: 'name',
    about: 'pod, as namespace/name or name in any namespace',
    read: (flow, side) =>
      qualified({
        namespace: endpoint(flow, side)?.namespace ?? '',
        name: endpoint(flow, side)?.pod_name ?? '',
      }).filter((name) => !name.endsWith('/')),
    paths: (side) => [`${side}.namespace`, `${side}.pod_name`],
  },
  host: {
    kind: 'text',
    about: 'pod, else DNS name, else address',
    read: (flow, side) => {
      const { namespace = '', pod_name: name = '' } = endpoint(flow, side) ?? {};
      if (name) return qualified({ namespace, name });
      const [dns] = (side === 'source' ? flow.source_names : flow.destination_names) ?? [];
      return text(dns ?? flow.IP?.[side] ?? flow.ethernet?.[side]);
    },
    paths: (side) => [`${side}.namespace`, `${side}.pod_name`, `${side}_names`, 'IP', 'ethernet'],
  },
  namespace: {
    kind: 'text',
    about: 'namespace',
    read: (flow, side) => text(endpoint(flow, side)?.namespace),
    paths: (side) => [`${side}.namespace`],
  },
  ip: {
    kind: 'ip',
    about: 'address, or a CIDR that holds it',
    read: (flow, side) => text(flow.IP?.[side]),
    paths: () => ['IP'],
  },
  port: { kind: 'number', about: 'port of TCP, UDP or SCTP', read: port, paths: () => ['l4'] },
  identity: {
    kind: 'number',
    about: 'numeric security identity',
    read: (flow, side) => [endpoint(flow, side)?.identity ?? 0],
    paths: (side) => [`${side}.identity`],
  },
  label: {
    kind: 'label',
    about: 'label selector, such as "app=web" or "env in (prod,test)"',
    read: (flow, side) => endpoint(flow, side)?.labels ?? [],
    paths: (side) => [`${side}.labels`],
  },
  workload: {
    kind: 'text',
    about: 'name of the workload',
    read: (flow, side) => (endpoint(flow, side)?.workloads ?? []).flatMap(({ name }) => text(name)),
    paths: (side) => [`${side}.workloads`],
  },
  service: {
    kind: 'name',
    about: 'service, as namespace/name or name in any namespace',
    read: (flow, side) => qualified(service(flow, side)),
    paths: (side) => [`${side}_service`],
  },
  fqdn: {
    kind: 'text',
    about: 'DNS name of the address',
    read: (flow, side) => (side === 'source' ? flow.source_names : flow.destination_names) ?? [],
    paths: (side) => [`${side}_names`],
  },
  cluster: {
    kind: 'text',
    about: 'name of the cluster',
    read: (flow, side) => text(endpoint(flow, side)?.cluster_name),
    paths: (side) => [`${side}.cluster_name`],
  },
};

const TYPES: Readonly<Record<number, string>> = {
  1: 'drop',
  2: 'debug',
  3: 'capture',
  4: 'trace',
  5: 'policy-verdict',
  7: 'trace-sock',
  129: 'l7',
  130: 'agent',
};

const TYPE_NUMBERS: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(TYPES).map(([number, name]) => [name, Number(number)]),
);

/** Number of an event type's name. */
export function eventTypeNumber(name: string): number | undefined {
  return TYPE_NUMBERS[name.toLowerCase()];
}

function protocols(flow: Flow): string[] {
  const names = Object.keys(flow.l4 ?? {}).map((name) => name.toLowerCase());
  const icmp = names.some((name) => name.startsWith('icmp')) ? ['icmp'] : [];
  const l7 = (['dns', 'http', 'kafka'] as const).filter((name) => flow.l7?.[name] !== undefined);
  return [...names, ...icmp, ...l7];
}

function policies(flow: Flow): string[] {
  return [
    flow.egress_allowed_by,
    flow.ingress_allowed_by,
    flow.egress_denied_by,
    flow.ingress_denied_by,
  ].flatMap((list) =>
    (list ?? []).flatMap(({ name, namespace }) =>
      qualified({ name: name ?? '', namespace: namespace ?? '' }),
    ),
  );
}

function pathOf(url: string): string {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(url)?.[1] ?? '';
}

const field = (kind: FieldKind, about: string, paths: string[], read: FlowField['read']): FlowField => ({
  kind,
  about,
  paths,
  read,
});

/** Fields that belong to the flow as a whole. */
const PLAIN: Readonly<Record<string, FlowField>> = {
  verdict: field(
    'text',
    'FORWARDED, DROPPED, ERROR, AUDIT, REDIRECTED, TRACED, TRANSLATED',
    ['verdict'],
    (f) => [f.verdict ?? 'VERDICT_UNKNOWN'],
  ),
  reason: field('text', 'why it was dropped, such as POLICY_DENIED', ['drop_reason_desc'], (f) =>
    text(f.drop_reason_desc),
  ),
  type: field('text', 'drop, trace, policy-verdict, l7, capture, debug, trace-sock', ['event_type'], (f) =>
    text(TYPES[f.event_type?.type ?? 0]),
  ),
  protocol: field('text', 'tcp, udp, sctp, icmp, icmpv4, icmpv6, dns, http, kafka', ['l4', 'l7'], protocols),
  direction: field('text', 'INGRESS or EGRESS', ['traffic_direction'], (f) => text(f.traffic_direction)),
  reply: field('truth', 'whether it answers', ['is_reply'], (f) => some(f.is_reply)),
  encrypted: field('truth', 'whether it was encrypted', ['IP'], (f) => [f.IP?.encrypted ?? false]),
  node: field('text', 'node that saw it', ['node_name'], (f) => text(f.node_name)),
  uuid: field('text', 'id of the flow', ['uuid'], (f) => text(f.uuid)),
  flags: field('flag', 'TCP flags: SYN, ACK, FIN, RST …', ['l4'], (f) =>
    Object.entries(f.l4?.TCP?.flags ?? {}).flatMap(([name, set]) => (set ? [name] : [])),
  ),
  policy: field(
    'name',
    'policy that allowed or denied it',
    ['egress_allowed_by', 'ingress_allowed_by', 'egress_denied_by', 'ingress_denied_by'],
    policies,
  ),
  summary: field('text', 'the text in parentheses', ['Summary'], (f) => text(f.Summary)),
  latency: field('duration', 'of a layer 7 response, such as 10ms', ['l7'], (f) =>
    f.l7?.latency_ns === undefined ? [] : [Number(f.l7.latency_ns)],
  ),
  'http.code': field('number', 'status of an HTTP response', ['l7'], (f) =>
    f.l7?.http?.code ? [f.l7.http.code] : [],
  ),
  'http.method': field('text', 'method of an HTTP request', ['l7'], (f) => text(f.l7?.http?.method)),
  'http.url': field('text', 'URL of an HTTP request', ['l7'], (f) => text(f.l7?.http?.url)),
  'http.path': field('text', 'path of that URL', ['l7'], (f) =>
    f.l7?.http?.url === undefined ? [] : [pathOf(f.l7.http.url)],
  ),
  'dns.query': field('text', 'name that was asked for', ['l7'], (f) => text(f.l7?.dns?.query)),
  'dns.rcode': field('number', 'code of a DNS answer (3 is NXDOMAIN)', ['l7'], (f) =>
    f.l7?.dns && f.l7.type === 'RESPONSE' ? [f.l7.dns.rcode ?? 0] : [],
  ),
  'kafka.topic': field('text', 'topic of a Kafka request', ['l7'], (f) => text(f.l7?.kafka?.topic)),
  'kafka.apikey': field('text', 'kind of a Kafka request', ['l7'], (f) => text(f.l7?.kafka?.api_key)),
};

const ALIASES: Readonly<Record<string, string>> = {
  ns: 'namespace',
  labels: 'label',
  svc: 'service',
  dns: 'dns.query',
  proto: 'protocol',
  'drop-reason': 'reason',
  drop_reason: 'reason',
  id: 'identity',
  'http.status': 'http.code',
  method: 'http.method',
  path: 'http.path',
  url: 'http.url',
  'tcp.flags': 'flags',
  topic: 'kafka.topic',
};

/** A name of the language, resolved. */
export interface ResolvedField extends FlowField {
  name: string;
  /** Base name of a two-sided field. */
  base: string;
  side: Side | 'either' | undefined;
}

const SIDES: Readonly<Record<string, Side>> = {
  src: 'source',
  source: 'source',
  dst: 'destination',
  dest: 'destination',
  destination: 'destination',
};

/** Finds a field by any of its names: `src.ns`, `dst.port`, `pod`, `http.code`. */
export function fieldNamed(word: string): ResolvedField | undefined {
  const lower = word.toLowerCase();
  const plainName = ALIASES[lower] ?? lower;
  const plain = Object.hasOwn(PLAIN, plainName) ? PLAIN[plainName] : undefined;
  if (plain) return { ...plain, name: plainName, base: plainName, side: undefined };
  const [first = '', ...rest] = lower.split('.');
  const side = Object.hasOwn(SIDES, first) ? SIDES[first] : undefined;
  const tail = side ? rest.join('.') : lower;
  const base = ALIASES[tail] ?? tail;
  const sided = Object.hasOwn(SIDED, base) ? SIDED[base] : undefined;
  if (!sided) return undefined;
  const { kind, about, read, paths } = sided;
  if (side)
    return {
      kind,
      about,
      name: `${side === 'source' ? 'src' : 'dst'}.${base}`,
      base,
      side,
      read: (flow) => read(flow, side),
      labels: (flow) => [labelsOf(flow, side)],
      paths: paths(side),
    };
  return {
    kind,
    about,
    name: base,
    base,
    side: 'either',
    read: (flow) => [...read(flow, 'source'), ...read(flow, 'destination')],
    labels: (flow) => [labelsOf(flow, 'source'), labelsOf(flow, 'destination')],
    paths: [...new Set([...paths('source'), ...paths('destination')])],
  };
}

function labelsOf(flow: Flow, side: Side): readonly string[] {
  return endpoint(flow, side)?.labels ?? [];
}

/** Every name with what it holds, for help and suggestions. */
export function fieldList(): { name: string; about: string }[] {
  return [
    ...Object.entries(SIDED).map(([name, { about }]) => ({ name: `[src.|dst.]${name}`, about })),
    ...Object.entries(PLAIN).map(([name, { about }]) => ({ name, about })),
  ];
}

/** All names, as they are typed. */
export function fieldNames(): string[] {
  return [
    ...Object.keys(SIDED).flatMap((name) => [name, `src.${name}`, `dst.${name}`]),
    ...Object.keys(PLAIN),
  ];
}
