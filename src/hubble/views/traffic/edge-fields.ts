import type { EdgeFate, EdgeWithEnds, TrafficNode } from '../../../model/traffic.ts';
import { compileExpression, type Field, type Language } from '../../where/evaluate.ts';
import { fieldNamed } from '../../where/fields.ts';
import { parseWhere } from '../../where/parse.ts';

type EdgeField = Omit<Field<EdgeWithEnds>, 'name'>;

const some = (value: string | undefined) => (value === undefined ? [] : [value]);

/** Fields of an end, after `src.` or `dst.`; by themselves they are about either end. */
const OF_ENDS: Readonly<Record<string, EdgeField & { of: (node: TrafficNode) => readonly string[] }>> = {
  name: ofEnd(
    'text',
    'name of the workload, pod, service, DNS name or address, also as namespace/name',
    (node) => [node.name, ...(node.namespace ? [`${node.namespace}/${node.name}`] : [])],
  ),
  namespace: ofEnd('text', 'namespace', ({ namespace }) => some(namespace)),
  kind: ofEnd('text', 'workload, pod, service, entity, name, address or others', ({ kind }) => [kind]),
  workload: ofEnd('text', 'name of the workload', ({ kind, name }) => (kind === 'workload' ? [name] : [])),
  pod: ofEnd('name', 'pod, as namespace/name', (node) => [
    ...(node.kind === 'pod' ? [`${node.namespace ?? ''}/${node.name}`] : []),
    ...node.pods,
  ]),
  ip: ofEnd('ip', 'address outside, or a CIDR that holds it', ({ kind, name }) =>
    kind === 'address' ? [name] : [],
  ),
  fqdn: ofEnd('text', 'DNS name outside', ({ kind, name }) => (kind === 'name' ? [name] : [])),
  service: ofEnd(
    'text',
    'service that it was reached through, as namespace/name',
    ({ services }) => services,
  ),
  cluster: ofEnd('text', 'cluster', ({ cluster }) => some(cluster)),
};

function ofEnd(kind: EdgeField['kind'], about: string, of: (node: TrafficNode) => readonly string[]) {
  return {
    kind,
    about,
    of,
    read: ({ client, server }: EdgeWithEnds) => [...of(client), ...of(server)],
  };
}

const OF_EDGES: Readonly<Record<string, EdgeField>> = {
  verdict: {
    kind: 'text',
    about: 'a verdict of its flows',
    read: ({ edge }) => edge.verdicts.map(({ name }) => name),
  },
  reason: {
    kind: 'text',
    about: 'why flows of it were dropped',
    read: ({ edge }) => edge.drops.filter(({ flows }) => flows > 0).map(({ reason }) => reason),
  },
  port: {
    kind: 'number',
    about: 'port of the server',
    read: ({ edge }) => edge.ports.map(({ name }) => Number.parseInt(name, 10) || 0),
  },
  protocol: {
    kind: 'text',
    about: 'TCP, UDP, SCTP, ICMPv4 …, http, dns',
    read: ({ edge: { ports, http, dns } }) => [
      ...ports.map(({ name }) => name.split('/').at(-1) ?? ''),
      ...(http ? ['http'] : []),
      ...(dns ? ['dns'] : []),
    ],
  },
  policy: {
    kind: 'text',
    about: 'policy that decided about flows of it',
    read: ({ edge }) => edge.policies.map(({ name }) => name),
  },
  flows: { kind: 'number', about: 'number of flows', read: ({ edge }) => [edge.flows] },
  dropped: { kind: 'number', about: 'number of flows that were dropped', read: ({ edge }) => [edge.dropped] },
  change: {
    kind: 'text',
    about: 'newly-denied, newly-allowed, unchanged or undecided: where rules are tried',
    read: ({ edge: { fate } }) => (fate ? fateNames(fate) : []),
  },
  'http.code': {
    kind: 'number',
    about: 'status of an HTTP response',
    read: ({ edge }) => (edge.http?.codes ?? []).map(({ name }) => Number(name) || 0),
  },
  'http.path': {
    kind: 'text',
    about: 'method and path of an HTTP request',
    read: ({ edge }) => (edge.http?.paths ?? []).map(({ name }) => name),
  },
  'dns.failure': {
    kind: 'text',
    about: 'DNS name that could not be resolved, behind the code',
    read: ({ edge }) => (edge.dns?.failures ?? []).map(({ name }) => name),
  },
};

function fateNames({ newlyDenied, newlyAllowed, open }: EdgeFate): string[] {
  const names = [
    ...(newlyDenied > 0 ? ['newly-denied'] : []),
    ...(newlyAllowed > 0 ? ['newly-allowed'] : []),
    ...(open > 0 ? ['undecided'] : []),
  ];
  return names.length > 0 ? names : ['unchanged'];
}

const SIDES: Readonly<Record<string, 'client' | 'server'>> = {
  ...{ src: 'client', source: 'client', client: 'client' },
  ...{ dst: 'server', destination: 'server', server: 'server' },
};

const ALIASES: Readonly<Record<string, string>> = {
  ns: 'namespace',
  svc: 'service',
  proto: 'protocol',
  dns: 'fqdn',
};

/** The fields of an expression about a map: the names are those of flows, where an edge has them. */
const EDGES: Language<EdgeWithEnds> = {
  find: (name) => {
    const lower = name.toLowerCase();
    const [first = '', ...rest] = lower.split('.');
    const side = Object.hasOwn(SIDES, first) ? SIDES[first] : undefined;
    const tail = side ? rest.join('.') : lower;
    const base = Object.hasOwn(ALIASES, tail) ? (ALIASES[tail] ?? tail) : tail;
    const ofEdge = Object.hasOwn(OF_EDGES, base) ? OF_EDGES[base] : undefined;
    if (ofEdge && (side === undefined || (side === 'server' && base === 'port')))
      return { ...ofEdge, name: base };
    const end = Object.hasOwn(OF_ENDS, base) ? OF_ENDS[base] : undefined;
    if (!end) return undefined;
    const { of } = end;
    return { ...end, name: lower, ...(side && { read: (item: EdgeWithEnds) => of(item[side]) }) };
  },
  names: () => [
    ...Object.keys(OF_ENDS).flatMap((name) => [name, `src.${name}`, `dst.${name}`]),
    ...Object.keys(OF_EDGES),
  ],
  elsewhere: (name) =>
    fieldNamed(name) &&
    'Flows have it, and connections do not: choose flows by it with --where when they are read.',
  help: `The fields are ${[...Object.keys(OF_ENDS).map((name) => `[src.|dst.]${name}`), ...Object.keys(OF_EDGES)].join(', ')}.`,
};

/** Compiles an expression to a test of edges. Throws UserError, with a caret, for what makes no sense. */
export function compileEdgeFilter(source: string): Promise<(item: EdgeWithEnds) => boolean> {
  return compileExpression(parseWhere(source), source, EDGES);
}
