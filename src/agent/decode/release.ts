import { UserError } from '../../errors.ts';
import { type AgentRelease, releaseOfStatus } from '../../model/release.ts';
import type { AgentClient } from '../client.ts';

const asked = new WeakMap<AgentClient, Promise<AgentRelease | undefined>>();

/** Asks the agent, once for each connection, which release it is; undefined when it does not say. */
export function readRelease(agent: AgentClient): Promise<AgentRelease | undefined> {
  const known = asked.get(agent) ?? ask(agent);
  asked.set(agent, known);
  return known;
}

async function ask(agent: AgentClient): Promise<AgentRelease | undefined> {
  try {
    const answer = await agent.get('/healthz', { headers: { brief: 'true' }, timeoutMs: 5_000 });
    const status = answer.as<Record<string, unknown>>();
    return releaseOfStatus(answer.at('cilium').text('msg'), (field) => status.has(field));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
