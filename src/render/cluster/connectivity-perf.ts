import type { PerfResult } from '../../cluster/connectivity/perf.ts';
import { goDuration } from '../text/duration.ts';

/** Widths of the columns, as the reference has them. */
const LATENCIES = [15, 10, 15, 15, 15, 15, 15, 15, 15, 15, 15];
const THROUGHPUTS = [15, 10, 18, 15, 15];
const [LATENCY_WIDTH, THROUGHPUT_WIDTH, NUMBER_WIDTH] = [200, 88, 12];

function row(cells: readonly string[], widths: readonly number[]): string {
  return `📋 ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')}`;
}

/** What was measured, as the reference prints it. */
export function renderPerf(namespace: string, results: readonly PerfResult[]): string {
  const head = ({ scenario, isSameNode, test, seconds }: PerfResult) => [
    scenario,
    isSameNode ? 'same-node' : 'other-node',
    test,
    goDuration(Math.round(seconds * 1e9)),
  ];
  const [rule, shortRule] = ['-'.repeat(LATENCY_WIDTH), '-'.repeat(THROUGHPUT_WIDTH)];
  const numbers = (widths: readonly number[]) => widths.with(-1, NUMBER_WIDTH);
  const latencies = results.flatMap((result) => {
    const { latency, rate } = result;
    if (!latency || rate === undefined) return [];
    const { min, mean, max, p50, p90, p99 } = latency;
    const cells = [...head(result), ...[min, mean, max, p50, p90, p99].map(goDuration), rate.toFixed(2)];
    return [row(cells, numbers(LATENCIES))];
  });
  const throughputs = results.flatMap((result) =>
    result.throughput === undefined
      ? []
      : [`${row([...head(result), (result.throughput / 1e6).toFixed(2)], numbers(THROUGHPUTS))} `],
  );
  const columns = ['Scenario', 'Node', 'Test', 'Duration'];
  const lines = [
    '',
    `🔥 Network Performance Test Summary [${namespace}]:`,
    rule,
    row([...columns, 'Min', 'Mean', 'Max', 'P50', 'P90', 'P99', 'Transaction rate OP/s'], LATENCIES),
    rule,
    ...latencies,
    rule,
    shortRule,
    `${row([...columns, 'Throughput Mb/s'], THROUGHPUTS)} `,
    shortRule,
    ...throughputs,
    shortRule,
  ];
  return `${lines.join('\n')}\n`;
}
