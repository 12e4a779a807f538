import type { AgentClient } from '../client.ts';

/** The agent's version with its revision and date; only this call tells it whole. */
export async function readVersion(agent: AgentClient, timeoutMs: number): Promise<string> {
  return (await agent.get('/debuginfo', { timeoutMs })).text('cilium-version');
}
