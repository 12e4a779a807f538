import { compareBytes } from '../lib/order.ts';
import type { FeatureMetric } from '../model/cluster.ts';

/** The metrics of each node. */
export type NodeMetrics = ReadonlyMap<string, readonly FeatureMetric[]>;

/** What all nodes say of one metric. */
export interface FeatureRow {
  /** Whether all nodes agree; undefined where the values are numbers of something. */
  isUniform: boolean | undefined;
  /** Empty where it is that of the row above. */
  name: string;
  labels: string;
  /** In the order of the nodes; zero where a node does not have it. */
  values: number[];
}

/** The names of the nodes in the order of the columns. */
export function nodesOf(metrics: NodeMetrics): string[] {
  return [...metrics.keys()].toSorted(compareBytes);
}

/** One row for each metric and its labels, by name. */
export function featureRows(metrics: NodeMetrics): FeatureRow[] {
  const nodes = nodesOf(metrics);
  const byKey = new Map<string, Map<string, number>>();
  for (const [node, list] of metrics)
    for (const { name = '', labels = {}, value = 0 } of list) {
      const words = Object.entries(labels).map(([key, text]) => `${key}=${text}`);
      const key = [name, ...words.toSorted(compareBytes)].join(';');
      const values = byKey.get(key) ?? new Map<string, number>();
      byKey.set(key, values.set(node, value));
    }
  let above: string | undefined;
  return [...byKey]
    .toSorted(([a], [b]) => compareBytes(a, b))
    .map(([key, held]) => {
      const cut = key.indexOf(';');
      const name = cut < 0 ? key : key.slice(0, cut);
      const labels = cut < 0 ? '' : key.slice(cut + 1);
      const values = nodes.map((node) => held.get(node) ?? 0);
      const isBinary = values.every((value) => value === 0 || value === 1);
      const row = {
        isUniform: isBinary ? new Set(values).size <= 1 : undefined,
        name: name === above ? '' : name,
        labels,
        values,
      };
      above = name;
      return row;
    });
}

/** A number without its fraction as Go's `%.0f` prints it: of two that are as near the even one. */
export function wholeNumber(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN';
  const isHalf = Math.abs(value % 1) === 0.5;
  const whole = isHalf ? 2 * Math.round(value / 2) : Math.round(value);
  return whole === 0 && (value < 0 || Object.is(value, -0)) ? '-0' : BigInt(whole).toString();
}
