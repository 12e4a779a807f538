import type { Metric } from '../../model/metric.ts';
import { Reader } from './reader.ts';
import type { Metric as MetricModel } from './types.gen.ts';

/** The metrics of agents up to 1.17, in the order of the answer. */
export function decodeMetrics(answer: unknown): Metric[] {
  return new Reader<MetricModel[]>('GET /metrics/', answer).items().map((metric) => ({
    name: metric.text('name'),
    labels: Object.entries(metric.at('labels').textMap()),
    value: metric.number('value'),
    raw: metric.raw(),
  }));
}
