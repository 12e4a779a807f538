import { dropMeaning } from '../../model/drop-meaning.ts';
import {
  type Count,
  type Drop,
  REFUSED_BY_PROXY,
  type Traffic,
  type TrafficEdge,
  type TrafficNode,
} from '../../model/traffic.ts';
import { crop, tabulateWithin } from '../text/fit.ts';
import type { Palette } from '../text/palette.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { tabulate } from '../text/table.ts';
import { short } from './live.ts';

const HEADS = ['CLIENT / SERVER', 'PORTS', 'FLOWS', 'RATE', 'DROPPED', 'NOTES'];
const RATE = HEADS.indexOf('RATE');
/** A terminal that is narrower has no room for rates. */
const RATE_FROM = 80;
const NOTES_LEAST = 12;
const PORTS_SHOWN = 3;
const TITLE_CLUSTERS = 3;
const GAP = { minWidth: 2, padding: 2 };

/** Who talks to whom, as a tree: clients by namespace, and under each the servers that it opened connections to. */
export interface TrafficTree {
  header: string;
  lines: string[];
  /** The whole in one line. */
  sum: string;
}

/** A line of the tree: a client, or one of its servers with the edge that leads there. */
export interface TrafficRow {
  text: string;
  client: TrafficNode;
  edge: TrafficEdge | undefined;
}

/** Draws the tree; lines are cut to so many columns, where that is said. */
export function trafficTree(
  traffic: Traffic,
  { palette, columns }: { palette: Palette; columns: number | undefined },
): TrafficTree {
  const { header, rows, sum } = trafficRows(traffic, columns);
  const lines = rows.map(({ text, edge }) => {
    if (!edge) return palette.bold(text);
    return edge.dropped > 0 ? palette.bad(text) : text;
  });
  return { header: palette.dim(header), lines, sum };
}

/** The lines of the tree before they are coloured, with what each is about. */
export function trafficRows(
  traffic: Traffic,
  columns: number | undefined,
): { header: string; rows: TrafficRow[]; sum: string } {
  const lines = [...treeLines(traffic)];
  const cut = (line: string) => (columns === undefined ? line : crop(line, columns));
  const isShown = (_: string, column: number) =>
    column !== RATE || columns === undefined || columns >= RATE_FROM;
  const [header = '', ...texts] = withNotes(
    [HEADS, ...lines.map(({ cells }) => cells)].map((cells) => cells.filter(isShown)),
    columns,
  ).map((line) => cut(line.trimEnd()));
  const rows = lines.map(({ client, edge }, i) => ({ text: texts[i] ?? '', client, edge }));
  return { header, rows, sum: cut(sumLine(traffic)) };
}

/** Lines of cells, of which the last one takes what room the others leave. */
function withNotes(lines: readonly (readonly string[])[], columns: number | undefined): string[] {
  const front = tabulateWithin(
    lines.map((cells) => cells.slice(0, -1).join('\t')).join('\n'),
    GAP,
    columns === undefined ? undefined : columns - NOTES_LEAST,
  ).split('\n');
  return tabulate(front.map((line, i) => `${line}\t${lines[i]?.at(-1) ?? ''}`).join('\n'), GAP).split('\n');
}

interface TreeLine {
  cells: string[];
  client: TrafficNode;
  edge: TrafficEdge | undefined;
}

function* treeLines({ nodes, edges, firstMs, lastMs }: Traffic): Generator<TreeLine> {
  const seconds = firstMs === undefined || lastMs === undefined ? 0 : (lastMs - firstMs) / 1000;
  const rate = (flows: number) => (seconds < 1 ? '' : `${perSecond(flows / seconds)}/s`);
  const known = new Map(nodes.map((node) => [node.id, node]));
  const byClient = Map.groupBy(edges, ({ client }) => client);
  const clients = nodes.filter(({ id }) => byClient.has(id));
  const sum = (node: TrafficNode) => total(byClient.get(node.id) ?? []);
  clients.sort(
    (a, b) =>
      compare(a.namespace ?? '\uffff', b.namespace ?? '\uffff') ||
      sum(b).flows - sum(a).flows ||
      compare(a.id, b.id),
  );
  for (const client of clients) {
    const out = byClient.get(client.id) ?? [];
    const { flows, dropped } = sum(client);
    yield {
      cells: [
        nodeText(client),
        '',
        short(flows),
        rate(flows),
        dropped > 0 ? short(dropped) : '',
        kindText(client),
      ],
      client,
      edge: undefined,
    };
    for (const [i, edge] of out.entries()) {
      const server = known.get(edge.server);
      const name = server ? nodeText(server) : edge.server;
      yield {
        cells: [
          `${i === out.length - 1 ? '└─' : '├─'} ${name}`,
          portsText(edge),
          short(edge.flows),
          rate(edge.flows),
          edge.dropped > 0 ? short(edge.dropped) : '',
          edgeNotes(edge, server),
        ],
        client,
        edge,
      };
    }
  }
}

function total(edges: readonly TrafficEdge[]): { flows: number; dropped: number } {
  return edges.reduce(
    (sum, { flows, dropped }) => ({ flows: sum.flows + flows, dropped: sum.dropped + dropped }),
    { flows: 0, dropped: 0 },
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** A node as people name it: `shop/catalog`, `api.example.com`, `world`. */
export function nodeText({ kind, name, namespace, cluster, folded }: TrafficNode): string {
  const where = [cluster, namespace]
    .filter((part) => part !== undefined)
    .map((part) => `${sanitizeCell(part)}/`);
  const count = kind === 'others' && folded > 0 ? ` (${folded})` : '';
  return `${where.join('')}${sanitizeCell(name)}${count}`;
}

/** What a node is, where its name does not say it. */
function kindText({ kind, workload, services }: TrafficNode): string {
  const what = kind === 'workload' ? (workload ?? 'workload') : kind;
  return sanitizeCell([what, ...services.map((name) => `service ${name}`)].join(', '));
}

function portsText({ ports }: TrafficEdge): string {
  const names = ports.slice(0, PORTS_SHOWN).map(({ name }) => sanitizeCell(name));
  return [...names, ...(ports.length > PORTS_SHOWN ? [`+${ports.length - PORTS_SHOWN}`] : [])].join(' ');
}

/** What stands out on an edge: why flows were dropped and by which policy, errors of HTTP and DNS, latency. */
function edgeNotes({ drops, http, dns }: TrafficEdge, server: TrafficNode | undefined): string {
  // In a part of the time a drop may have no flows.
  const seen = drops.filter(({ flows }) => flows > 0);
  const why = seen.map(({ reason, direction, port, policies }) =>
    [
      reason,
      ...(direction ? [direction] : []),
      port,
      ...(policies.length > 0 ? [`by ${policies.join(', ')}`] : []),
    ].join(' '),
  );
  const errors = flowsOf(http?.codes.filter(({ name }) => Number(name) >= 400) ?? []);
  const failures = flowsOf(dns?.failures ?? []);
  const notes = [
    ...new Set(why),
    ...(http
      ? [
          `HTTP ${http.responses} answers${errors > 0 ? `, ${errors} errors` : ''}${latencyText(http.latency)}`,
        ]
      : []),
    ...(failures > 0 ? [`DNS ${failures} failures`] : []),
    ...(server?.kind === 'service' ? ['service'] : []),
  ];
  return sanitizeCell(notes.join('; '));
}

const flowsOf = (counts: readonly Count[]) => counts.reduce((sum, { flows }) => sum + flows, 0);

function latencyText(latency: NonNullable<TrafficEdge['http']>['latency']): string {
  return latency ? `, p50 ${milliseconds(latency.p50)}, p99 ${milliseconds(latency.p99)}` : '';
}

/** A time in milliseconds, with no more digits than it is known to. */
export function milliseconds(ms: number): string {
  if (ms >= 10_000) return `${Math.round(ms / 1000)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toPrecision(2)} ms`;
}

/** Who dropped flows, as far as Hubble says: older agents name no policies, so that none named is no proof of none. */
export function decidedBy({ policies, reason, direction }: Drop): string {
  if (policies.length > 0) return `Denied by ${policies.map(sanitizeCell).join(', ')}.`;
  if (reason === REFUSED_BY_PROXY) return 'The proxy refused the request: no rule for layer 7 allows it.';
  if (reason === 'POLICY_DENY') return 'A rule denies it; Hubble does not name the policy.';
  if (reason === 'AUTH_REQUIRED') return 'A rule asks for authentication, and there was none.';
  if (/^(DROPPED|ERROR|DROP_REASON_UNKNOWN)$/.test(reason)) return 'Hubble tells no reason.';
  if (reason !== 'POLICY_DENIED') {
    const meaning = dropMeaning(reason);
    return meaning
      ? `Not a policy: ${uncapital(meaning.what)}`
      : 'What this reason means is not known to this program.';
  }
  const end = direction === 'egress' ? 'client' : direction === 'ingress' ? 'server' : undefined;
  const who = end ? ` Policies select the ${end} for ${direction}.` : '';
  return `Hubble names no policy: most likely no rule allows it.${who}`;
}

/** A reason as it is shown: the two of policy differ by two letters, so it is said what they mean. */
export function reasonText(reason: string): string {
  const meaning = POLICY_REASONS[reason];
  return meaning === undefined ? sanitizeCell(reason) : `${reason}: ${meaning}`;
}

export const POLICY_REASONS: Readonly<Partial<Record<string, string>>> = Object.assign(Object.create(null), {
  POLICY_DENIED: 'no rule allows it',
  POLICY_DENY: 'a rule denies it',
});

/** What traffic is called: by its clusters, where the flows name them, else by where they come from. */
export function trafficTitle({ clusters }: Pick<Traffic, 'clusters'>, target: string): string {
  if (clusters.length === 0) return `Traffic of ${target}`;
  const names = clusters.slice(0, TITLE_CLUSTERS).map(sanitizeCell).join(', ');
  const more = clusters.length > TITLE_CLUSTERS ? ` and ${clusters.length - TITLE_CLUSTERS} more` : '';
  return `Traffic of ${clusters.length === 1 ? 'cluster' : 'clusters'} ${names}${more}`;
}

/** When the first and the last flow were seen, and how long that is: `30 s, 10:04:12 to 10:04:42 UTC`. */
export function timeSpan(firstMs: number | undefined, lastMs: number | undefined): string {
  if (firstMs === undefined || lastMs === undefined) return '';
  const [first, last] = [new Date(firstMs), new Date(lastMs)];
  if (Number.isNaN(first.getTime()) || Number.isNaN(last.getTime())) return '';
  const [from = '', to = ''] = [first, last].map((date) => date.toISOString().slice(0, 19));
  const isOneDay = from.slice(0, 10) === to.slice(0, 10);
  const ends = isOneDay ? [from.slice(11), to.slice(11)] : [from, to];
  return `${lengthOf(lastMs - firstMs)}, ${ends.join(' to ')} UTC`;
}

function lengthOf(ms: number): string {
  const units = [
    { name: 'days', ms: 86_400_000 },
    { name: 'hours', ms: 3_600_000 },
    { name: 'minutes', ms: 60_000 },
  ];
  const unit = units.find((each) => ms >= 2 * each.ms);
  return unit ? `${Math.round(ms / unit.ms)} ${unit.name}` : `${Math.round(ms / 1000)} s`;
}

/** A sentence that goes on another one; what begins with an abbreviation stays. */
function uncapital(text: string): string {
  return /^[A-Z][^A-Z]/.test(text) ? `${text.slice(0, 1).toLowerCase()}${text.slice(1)}` : text;
}

function perSecond(rate: number): string {
  return rate >= 10 ? short(rate) : rate.toPrecision(2);
}

function sumLine({ flows, endless, lost, nodes, edges, firstMs, lastMs }: Traffic): string {
  const dropped = total(edges).dropped;
  const time =
    firstMs === undefined || lastMs === undefined
      ? ''
      : `, ${new Date(firstMs).toISOString().slice(0, 19)}Z to ${new Date(lastMs).toISOString().slice(11, 19)}Z`;
  return [
    `${flows} flows, ${dropped} dropped, ${nodes.length} ends, ${edges.length} connections between them${time}`,
    ...(endless > 0 ? [`${endless} flows name no ends`] : []),
    ...(lost > 0 ? [`${lost} events were lost`] : []),
  ].join('; ');
}
