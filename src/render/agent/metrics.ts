import { goFixed } from '../../lib/go-fixed.ts';
import { compareBytes } from '../../lib/order.ts';
import type { Metric } from '../../model/metric.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

/** Metrics as `metrics list` of agents up to 1.17 shows them. */
export function renderMetricList(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ name, labels, value }) => {
    const sorted = labels.toSorted(([a], [b]) => compareBytes(a, b));
    const text = sorted.map(([key, label]) => `${key}="${label}"`).join(' ');
    return `${sanitizeCell(name)}\t${sanitizeCell(text)}\t${goFixed(value, 6)}\n`;
  });
  return tabulate(`Metric\tLabels\tValue\n${rows.join('')}`, LIST_TABLE);
}
