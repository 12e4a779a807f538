import type { EdgeWithEnds, Timeline, Traffic, TrafficEdge, TrafficNode } from '../../../model/traffic.ts';
import { partOf, type Span } from './part.ts';

/** The part of the time that is looked at: one that holds still, or the last so many milliseconds, which move with a stream. */
export type Period = { fromMs: number; toMs: number } | { lastMs: number };

/** The pieces of a timeline that a period means; undefined for all of them. Pieces get longer as a stream goes on. */
export function spanOf(
  period: Period | undefined,
  { first, widthMs, flows }: Pick<Timeline, 'first' | 'widthMs' | 'flows'>,
): Span | undefined {
  if (!period || flows.length === 0) return undefined;
  const last = first + flows.length - 1;
  if ('lastMs' in period)
    return { from: last + 1 - Math.max(1, Math.round(period.lastMs / widthMs)), to: last };
  const from = Math.floor(period.fromMs / widthMs);
  return { from, to: Math.max(from, Math.ceil(period.toMs / widthMs) - 1) };
}

/** The period of some pieces. One that touches the newest piece goes on with it. */
export function periodOf(
  { from, to }: Span,
  { first, widthMs, flows }: Pick<Timeline, 'first' | 'widthMs' | 'flows'>,
): Period | undefined {
  const last = first + flows.length - 1;
  if (to < last) return { fromMs: from * widthMs, toMs: (to + 1) * widthMs };
  return from <= first ? undefined : { lastMs: (last + 1 - from) * widthMs };
}

/** The traffic that the page shows: what filter and time leave of the whole. */
export interface Shown {
  nodes: readonly TrafficNode[];
  edges: readonly TrafficEdge[];
  flows: number;
  dropped: number;
  /** Where the time that is shown begins and ends; undefined where no flow has a time. */
  firstMs: number | undefined;
  lastMs: number | undefined;
}

/** The edges of traffic with their ends. */
export function edgesOf({ nodes, edges }: Pick<Traffic, 'nodes' | 'edges'>): EdgeWithEnds[] {
  const known = new Map(nodes.map((node) => [node.id, node]));
  return edges.flatMap((edge) => {
    const [client, server] = [known.get(edge.client), known.get(edge.server)];
    return client && server ? [{ edge, client, server }] : [];
  });
}

/** Cuts traffic to a part of its time and to the edges that a filter means. */
export function cut(
  traffic: Traffic,
  span: Span | undefined,
  filter: ((item: EdgeWithEnds) => boolean) | undefined,
): Shown {
  const { firstMs, lastMs, timeline } = traffic;
  const edges = edgesOf(traffic).flatMap(({ edge, client, server }) => {
    const part = span ? partOf(edge, span, timeline.widthMs) : edge;
    if (!part) return [];
    return !filter || filter({ edge: part, client, server }) ? [part] : [];
  });
  const ends = new Set(edges.flatMap(({ client, server }) => [client, server]));
  return {
    nodes: traffic.nodes.filter(({ id }) => ends.has(id)),
    edges,
    flows: edges.reduce((sum, { flows }) => sum + flows, 0),
    dropped: edges.reduce((sum, { dropped }) => sum + dropped, 0),
    firstMs: firstMs && span ? Math.max(firstMs, span.from * timeline.widthMs) : firstMs,
    lastMs: lastMs && span ? Math.min(lastMs, (span.to + 1) * timeline.widthMs) : lastMs,
  };
}

/** The timeline of the edges that a filter means, over the time of the whole. */
export function timelineOf(
  traffic: Traffic,
  filter: ((item: EdgeWithEnds) => boolean) | undefined,
): Timeline {
  const { timeline } = traffic;
  if (!filter) return timeline;
  const [flows, dropped] = [timeline.flows.map(() => 0), timeline.flows.map(() => 0)];
  for (const item of edgesOf(traffic)) {
    if (!filter(item)) continue;
    for (const [piece, count, lost] of item.edge.times) {
      const i = piece - timeline.first;
      flows[i] = (flows[i] ?? 0) + count;
      dropped[i] = (dropped[i] ?? 0) + lost;
    }
  }
  return { ...timeline, flows, dropped };
}
