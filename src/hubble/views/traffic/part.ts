import type { Count, Drop, PortCount, TimedCount, TrafficEdge } from '../../../model/traffic.ts';

/** A part of the timeline: numbers of its first and last piece. */
export interface Span {
  from: number;
  to: number;
}

/** Verdicts that mean that a flow was dropped. */
const DROPS: ReadonlySet<string> = new Set(['DROPPED', 'ERROR']);

/**
 * An edge with the flows of a part of the time; undefined when it has none then. What is not known of the part stays of the whole,
 * and is marked so. A drop that was not seen in it has no flows, and keeps its place.
 */
export function partOf(edge: TrafficEdge, span: Span, widthMs: number): TrafficEdge | undefined {
  const times = edge.times.filter(([piece]) => piece >= span.from && piece <= span.to);
  const flows = times.reduce((sum, [, count]) => sum + count, 0);
  const dropped = times.reduce((sum, [, , count]) => sum + count, 0);
  if (flows === 0) return undefined;
  const { http, dns } = edge;
  return {
    ...edge,
    ...{ flows, dropped, times, isPart: true },
    drops: dropsOf(edge.drops, span, widthMs, dropped),
    ports: portsOf(edge.ports, flows, dropped),
    verdicts: verdictsOf(edge.verdicts, flows, dropped),
    policies: edge.policies.map(ofWhole),
    http: http && {
      ...http,
      codes: countsOf(http.codes, span),
      paths: http.paths.map(ofWhole),
      responses: sumOf(countsOf(http.codes, span)),
    },
    dns: dns && { ...dns, failures: countsOf(dns.failures, span) },
  };
}

function ofWhole<T extends Count>(count: T): T {
  return { ...count, isWhole: true };
}

function sumOf(counts: readonly Count[]): number {
  return counts.reduce((sum, { flows }) => sum + flows, 0);
}

/** Those of the pieces of a part; undefined where it was not kept when they were seen. */
function within(times: TimedCount['times'], { from, to }: Span) {
  return times?.filter(([piece]) => piece >= from && piece <= to);
}

/** What was seen in a part of the time. */
function countsOf(counts: readonly TimedCount[], span: Span): TimedCount[] {
  return counts
    .map((count) => {
      const times = within(count.times, span);
      return times
        ? { ...count, times, flows: times.reduce((sum, [, flows]) => sum + flows, 0) }
        : ofWhole(count);
    })
    .filter(({ flows }) => flows > 0)
    .sort((a, b) => b.flows - a.flows);
}

function dropsOf(drops: readonly Drop[], span: Span, widthMs: number, dropped: number): Drop[] {
  const [beginMs, endMs] = [span.from * widthMs, (span.to + 1) * widthMs];
  const mayBeSeen = ({ firstMs, lastMs }: Drop) => dropped > 0 && lastMs >= beginMs && firstMs < endMs;
  const parts = drops.map((drop): Drop => {
    const times = within(drop.times, span);
    if (!times) return mayBeSeen(drop) ? ofWholeDrop(drop, beginMs, endMs) : { ...drop, flows: 0 };
    const [first, last] = [times[0], times.at(-1)];
    if (!first || !last) return { ...drop, times, flows: 0 };
    return {
      ...{ ...drop, times },
      flows: times.reduce((sum, [, flows]) => sum + flows, 0),
      firstMs: Math.max(drop.firstMs, first[0] * widthMs),
      lastMs: Math.min(drop.lastMs, (last[0] + 1) * widthMs),
    };
  });
  const [only, ...more] = parts.filter(({ isWhole }) => isWhole);
  if (!only || more.length > 0) return parts;
  // What the others leave of the flows that were dropped is its own.
  const left = dropped - parts.reduce((sum, { flows, isWhole }) => sum + (isWhole ? 0 : flows), 0);
  const { isWhole: _, ...known } = only;
  return parts.map((part) => (part === only ? { ...known, flows: left } : part));
}

function ofWholeDrop(drop: Drop, beginMs: number, endMs: number): Drop {
  const { firstMs, lastMs } = drop;
  return { ...drop, firstMs: Math.max(firstMs, beginMs), lastMs: Math.min(lastMs, endMs), isWhole: true };
}

/** All flows are of one port where there is no other. */
function portsOf(ports: readonly PortCount[], flows: number, dropped: number): PortCount[] {
  return ports.length === 1 ? ports.map((port) => ({ ...port, flows, dropped })) : ports.map(ofWhole);
}

/** Known where one verdict at most is of those that were dropped, and one of the rest. */
function verdictsOf(verdicts: readonly Count[], flows: number, dropped: number): Count[] {
  const bad = verdicts.filter(({ name }) => DROPS.has(name)).length;
  if (bad > 1 || verdicts.length - bad > 1) return verdicts.map(ofWhole);
  return verdicts
    .map((verdict) => ({ ...verdict, flows: DROPS.has(verdict.name) ? dropped : flows - dropped }))
    .filter((verdict) => verdict.flows > 0);
}
