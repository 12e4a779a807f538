import type { Count, EdgeWithEnds, Latency, Traffic } from '../../model/traffic.ts';
import { tabulateWithin } from '../text/fit.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { short } from './live.ts';
import { decidedBy, milliseconds, nodeText } from './traffic.ts';

const GAP = { minWidth: 2, padding: 2 };
const CODES_SHOWN = 4;
/** A terminal that is narrower has no room for every percentile in a list. */
const ALL_FROM = 80;

/** A line about an edge, and whether it tells of something that went wrong. */
export interface EdgeLine {
  text: string;
  bad: boolean;
}

/** A line of a list of edges. */
export interface EdgeRow extends EdgeLine {
  item: EdgeWithEnds;
}

/** The two ends of an edge: `shop/web → shop/api`. */
export function edgeTitle({ client, server }: Pick<EdgeWithEnds, 'client' | 'server'>): string {
  return `${nodeText(client)} → ${nodeText(server)}`;
}

/** Everything that is known of an edge, a line each. */
export function edgeLines(item: EdgeWithEnds, filter: string | undefined): EdgeLine[] {
  const { flows, dropped, replies, firstMs, lastMs, verdicts, ports, drops, policies, http, dns } = item.edge;
  const lines: EdgeLine[] = [];
  const add = (label: string, text: string, bad = false) =>
    void lines.push({ text: `${label.padEnd(11)}${sanitizeCell(text)}`, bad });
  const addAll = (label: string, texts: readonly string[]) => {
    for (const [i, text] of texts.entries()) add(i === 0 ? label : '', text);
  };
  add('From, to:', edgeTitle(item));
  add('Flows:', `${flows}, ${dropped} dropped, ${replies} answers`, dropped > 0);
  if (Number.isFinite(firstMs)) add('Seen:', `${isoTime(firstMs)} to ${isoTime(lastMs)}`);
  add('Verdicts:', countsText(verdicts));
  add(
    'Ports:',
    ports.map((port) => `${port.name} ${port.flows}${ofThem(port.dropped, 'dropped')}`).join(', '),
  );
  for (const drop of drops) {
    add(
      'Dropped:',
      `${drop.flows} ${[drop.reason, drop.direction, drop.port].filter(Boolean).join(' ')}`,
      true,
    );
    add('', decidedBy(drop), true);
  }
  addAll(
    'Policies:',
    policies.map(({ name, flows: decided, denied }) => `${name} ${decided}${ofThem(denied, 'denied')}`),
  );
  if (http) {
    add('HTTP:', `${http.requests} requests, ${http.responses} answers`);
    add('  codes:', countsText(http.codes), errorsOf(http.codes) > 0);
    if (http.latency) add('  latency:', latencyText(http.latency));
    addAll('  paths:', http.paths.map(countText));
  }
  if (dns) {
    add('DNS:', `${dns.queries} queries, ${dns.responses} answers`);
    if (dns.latency) add('  latency:', latencyText(dns.latency));
    for (const failure of dns.failures) add('  failed:', countText(failure), true);
  }
  if (filter !== undefined) add('Filter:', filter);
  return lines;
}

const countText = ({ name, flows }: Count) => `${name} ${flows}`;
const countsText = (counts: readonly Count[]) => counts.map(countText).join(', ');
const ofThem = (count: number, what: string) => (count > 0 ? ` (${count} ${what})` : '');
const errorsOf = (codes: readonly Count[]) =>
  codes.reduce((sum, { name, flows }) => sum + (Number(name) >= 400 ? flows : 0), 0);
const isoTime = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

function latencyText({ p50, p90, p99, most }: Latency): string {
  return `p50 ${milliseconds(p50)}, p90 ${milliseconds(p90)}, p99 ${milliseconds(p99)}, most ${milliseconds(most)}`;
}

/** Connections of which a proxy tells requests, those with the most answers first: codes, and how long an answer took. */
export function layer7Rows(traffic: Traffic, columns?: number): { header: string; rows: EdgeRow[] } {
  const lines = edgesOf(traffic)
    .flatMap((item) => [...httpLines(item), ...dnsLines(item)])
    .sort((a, b) => b.answers - a.answers);
  const heads = ['ANSWERS', 'P50', 'P90', 'P99', 'CODES', 'CLIENT', 'SERVER'];
  if (columns === undefined || columns >= ALL_FROM) return table(heads, lines, columns);
  const narrow = (cells: readonly string[]) => cells.filter((_, i) => heads[i] !== 'P90');
  return table(
    narrow(heads),
    lines.map((line) => ({ ...line, cells: narrow(line.cells) })),
    columns,
  );
}

function httpLines(item: EdgeWithEnds): AnswersLine[] {
  const { http } = item.edge;
  if (!http) return [];
  const bad = errorsOf(http.codes) > 0;
  return [answersLine(item, 'HTTP', http, { text: someCodes(http.codes), bad })];
}

function dnsLines(item: EdgeWithEnds): AnswersLine[] {
  const { dns } = item.edge;
  if (!dns) return [];
  return [answersLine(item, 'DNS', dns, { text: failuresText(dns.failures), bad: dns.failures.length > 0 })];
}

interface Line {
  item: EdgeWithEnds;
  cells: readonly string[];
  bad: boolean;
}

interface AnswersLine extends Line {
  answers: number;
}

function answersLine(
  item: EdgeWithEnds,
  protocol: string,
  { responses, latency }: { responses: number; latency: Latency | undefined },
  { text, bad }: EdgeLine,
): AnswersLine {
  const times = latency ? [latency.p50, latency.p90, latency.p99].map(milliseconds) : ['', '', ''];
  const cells = [
    `${short(responses)} ${protocol}`,
    ...times,
    text,
    nodeText(item.client),
    nodeText(item.server),
  ];
  return { item, answers: responses, bad, cells };
}

function someCodes(codes: readonly Count[]): string {
  const rest = codes.length - CODES_SHOWN;
  return `${countsText(codes.slice(0, CODES_SHOWN))}${rest > 0 ? `, +${rest}` : ''}`;
}

function failuresText(failures: readonly Count[]): string {
  const count = failures.reduce((sum, { flows }) => sum + flows, 0);
  return count > 0 ? `${count} failed` : '';
}

/** The connections with the most drops, then those with the most flows. */
export function busiestRows(
  traffic: Traffic,
  most: number,
  columns?: number,
): { header: string; rows: EdgeRow[] } {
  const items = edgesOf(traffic)
    .sort((a, b) => b.edge.dropped - a.edge.dropped || b.edge.flows - a.edge.flows)
    .slice(0, most);
  return table(
    ['DROPPED', 'FLOWS', 'CLIENT', 'SERVER', ''],
    items.map((item) => {
      const { flows, dropped, drops } = item.edge;
      const seen = drops.filter((drop) => drop.flows > 0);
      const reasons = dropped > 0 ? [...new Set(seen.map(({ reason }) => reason))] : [];
      const cells = [
        dropped > 0 ? short(dropped) : '',
        short(flows),
        nodeText(item.client),
        nodeText(item.server),
        reasons.map(sanitizeCell).join(', '),
      ];
      return { item, cells, bad: dropped > 0 };
    }),
    columns,
  );
}

function edgesOf({ nodes, edges }: Traffic): EdgeWithEnds[] {
  const known = new Map(nodes.map((node) => [node.id, node]));
  return edges.flatMap((edge) => {
    const [client, server] = [known.get(edge.client), known.get(edge.server)];
    return client && server ? [{ edge, client, server }] : [];
  });
}

function table(
  heads: readonly string[],
  lines: readonly Line[],
  columns: number | undefined,
): { header: string; rows: EdgeRow[] } {
  const [header = '', ...texts] = tabulateWithin(
    [heads, ...lines.map(({ cells }) => cells)].map((cells) => cells.join('\t')).join('\n'),
    GAP,
    columns,
  ).split('\n');
  return {
    header: header.trimEnd(),
    rows: lines.map(({ item, bad }, i) => ({ item, bad, text: texts[i]?.trimEnd() ?? '' })),
  };
}
