import { UserError } from '../../errors.ts';
import {
  isNewer,
  NEWEST_RELEASE,
  parseRelease,
  type Release,
  recogniseRelease,
} from '../../model/release.ts';
import type { AgentClient } from '../client.ts';
import type { Reader } from './reader.ts';

/** What an agent says of its release. */
export interface AgentRelease {
  /** An unknown newer release is taken for the newest one. */
  release: Release;
  /** The release that the agent names itself, when the toolkit does not know it yet. */
  newer?: Release;
}

const asked = new WeakMap<AgentClient, Promise<AgentRelease | undefined>>();

/** Asks the agent, once for each connection, which release it is; undefined when it does not say. */
export function readRelease(agent: AgentClient): Promise<AgentRelease | undefined> {
  const known = asked.get(agent) ?? ask(agent);
  asked.set(agent, known);
  return known;
}

async function ask(agent: AgentClient): Promise<AgentRelease | undefined> {
  try {
    const answer = await agent.get('/healthz', { headers: { brief: 'true' }, timeoutMs: 30_000 });
    return releaseOfStatus(answer.at('cilium').text('msg'), answer.as());
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** By the version that the agent's message begins with, else by the fields that its status has. */
export function releaseOfStatus(message: string, status: Reader<Record<string, unknown>>): AgentRelease {
  const named = parseRelease(message);
  if (!named) return { release: recogniseRelease('status', (field) => status.has(field)) };
  return isNewer(named) ? { release: NEWEST_RELEASE, newer: named } : { release: named };
}
