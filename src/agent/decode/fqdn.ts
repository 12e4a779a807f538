import type { LookupRow } from '../../model/fqdn.ts';
import { type AgentClient, ApiError } from '../client.ts';
import { Answer, listAnswer } from './answer.ts';

/** Which lookups are meant. */
export interface LookupFilter {
  endpoint?: string;
  matchpattern?: string;
  source?: string;
}

/** The lookups of the DNS proxy; none when the agent answers that it found none. */
export function listLookups(agent: AgentClient, filter: LookupFilter): Promise<Answer<LookupRow[]>> {
  const query = { matchpattern: filter.matchpattern || undefined, source: filter.source || undefined };
  const asked = filter.endpoint
    ? agent.get('/fqdn/cache/{id}', { path: { id: filter.endpoint }, query })
    : agent.get('/fqdn/cache', { query });
  const type = 'DNSLookup[]';
  return listAnswer(asked, type, (answer) =>
    answer.items().map((lookup) => ({
      endpoint: lookup.integer('endpoint-id'),
      source: lookup.text('source'),
      fqdn: lookup.text('fqdn'),
      ttl: lookup.integer('ttl'),
      expiration: lookup.text('expiration-time'),
      ips: lookup.texts('ips'),
    })),
  ).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return new Answer([], type, () => []);
    throw error;
  });
}

/** Forgets lookups: those whose names match a pattern, or all. */
export async function deleteLookups(agent: AgentClient, matchpattern: string): Promise<void> {
  await agent.delete('/fqdn/cache', { query: { matchpattern: matchpattern || undefined } });
}

/** What the DNS proxy matches names with, as the agent tells it. */
export async function readDnsNames(agent: AgentClient): Promise<object> {
  return (await agent.get('/fqdn/names')).fields();
}
