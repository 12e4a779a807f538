import type { AgentClient } from '../client.ts';
import { type Answer, objectAnswer } from './answer.ts';

/** The blocks of addresses whose packets are dropped first of all. */
export function readPrefilter(agent: AgentClient): Promise<Answer<{ revision: number; deny: string[] }>> {
  return objectAnswer(agent.get('/prefilter'), 'Prefilter', (prefilter) => {
    const realized = prefilter.need('status').need('realized');
    return { revision: realized.integer('revision'), deny: realized.texts('deny') };
  });
}

/** A change of the prefilter: blocks to add or to remove, and the revision that it is based on. */
export interface PrefilterChange {
  deny: string[];
  revision?: number;
}

/** Adds blocks. */
export async function patchPrefilter(agent: AgentClient, change: PrefilterChange): Promise<void> {
  await agent.patch('/prefilter', { body: change });
}

/** Removes blocks. */
export async function deletePrefilter(agent: AgentClient, change: PrefilterChange): Promise<void> {
  await agent.delete('/prefilter', { body: change });
}
