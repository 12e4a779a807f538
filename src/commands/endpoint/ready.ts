import type { AgentClient } from '../../agent/client.ts';
import { Reader } from '../../agent/decode/reader.ts';
import type { Endpoint } from '../../agent/decode/types.gen.ts';

/** Whether an endpoint has been regenerated and runs what it is configured to. */
export async function endpointReady(agent: AgentClient, id: string): Promise<boolean> {
  const answer = await agent.get('/endpoint/{id}', { path: { id } });
  return new Reader<Endpoint>('GET /endpoint/{id}', answer).at('status').text('state') === 'ready';
}
