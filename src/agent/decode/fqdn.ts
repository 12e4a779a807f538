import type { LookupRow } from '../../model/fqdn.ts';
import { type AgentClient, ApiError } from '../client.ts';
import { Reader } from './reader.ts';
import type { DNSLookup } from './types.gen.ts';

/** Which lookups are meant. */
export interface LookupFilter {
  endpoint?: string;
  matchpattern?: string;
  source?: string;
}

/** The lookups of the DNS proxy; none when the agent answers that it found none. */
export async function listLookups(agent: AgentClient, filter: LookupFilter): Promise<DNSLookup[]> {
  const query = { matchpattern: filter.matchpattern || undefined, source: filter.source || undefined };
  const asked = filter.endpoint
    ? agent.get('/fqdn/cache/{id}', { path: { id: filter.endpoint }, query })
    : agent.get('/fqdn/cache', { query });
  return asked.catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  });
}

/** What is shown of lookups. */
export function decodeLookups(answer: unknown): LookupRow[] {
  return new Reader<DNSLookup[]>('GET /fqdn/cache', answer).items().map((lookup) => ({
    endpoint: lookup.integer('endpoint-id'),
    source: lookup.text('source'),
    fqdn: lookup.text('fqdn'),
    ttl: lookup.integer('ttl'),
    expiration: lookup.text('expiration-time'),
    ips: lookup.texts('ips'),
  }));
}
