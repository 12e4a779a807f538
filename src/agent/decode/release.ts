import { UserError } from '../../errors.ts';
import { type AgentRelease, type Build, parseBuild, releaseOfStatus } from '../../model/release.ts';
import type { AgentClient } from '../client.ts';

/** The release of an agent, and what its version says of the build. */
type AgentBuild = AgentRelease & Build;

const asked = new WeakMap<AgentClient, Promise<AgentBuild | undefined>>();

/** Asks the agent, once for each connection, which release it is; undefined when it does not say. */
export function readRelease(agent: AgentClient): Promise<AgentBuild | undefined> {
  const known = asked.get(agent) ?? ask(agent);
  asked.set(agent, known);
  return known;
}

async function ask(agent: AgentClient): Promise<AgentBuild | undefined> {
  try {
    const answer = await agent.get('/healthz', { headers: { brief: 'true' }, timeoutMs: 5_000 });
    const status = answer.as<Record<string, unknown>>();
    const message = answer.at('cilium').text('msg');
    return {
      ...releaseOfStatus(message, (field) => status.has(field)),
      development: parseBuild(message)?.development,
    };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
