import type { Metric } from '../../model/metric.ts';
import type { AgentClient } from '../client.ts';

/** The metrics of agents up to 1.17, in the order of the answer. */
export async function listMetrics(agent: AgentClient): Promise<Metric[]> {
  return (await agent.get('/metrics/')).items().map((metric) => ({
    name: metric.text('name'),
    labels: Object.entries(metric.at('labels').textMap()),
    value: metric.number('value'),
    raw: metric.document,
  }));
}
