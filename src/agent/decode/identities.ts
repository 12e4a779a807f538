import { compareRanges, parsePrefix } from '../../lib/address.ts';
import type { IdentityRow, IpRow } from '../../model/identity.ts';
import type { AgentClient } from '../client.ts';
import { decodeEndpointRows } from './endpoints.ts';
import { Reader } from './reader.ts';
import type { Identity, IdentityEndpoints, IPListEntry } from './types.gen.ts';

/** What `identity list` shows, in order of the number. */
export function decodeIdentities(call: string, answer: unknown): IdentityRow[] {
  return new Reader<Identity[]>(call, answer)
    .items()
    .map((identity) => ({ id: identity.integer('id'), labels: identity.texts('labels') }))
    .toSorted((a, b) => a.id - b.id);
}

/** What `identity list --endpoints` shows, in order of the number. */
export function decodeIdentityEndpoints(answer: unknown): IdentityRow[] {
  return new Reader<IdentityEndpoints[]>('GET /identity/endpoints', answer)
    .items()
    .map((entry) => ({
      id: entry.at('identity').integer('id'),
      labels: entry.at('identity').texts('labels'),
      refCount: entry.integer('refCount'),
    }))
    .toSorted((a, b) => a.id - b.id);
}

/** Entries of GET /identity/endpoints as they came, in order of the identity's number. */
export function sortByIdentity(answer: IdentityEndpoints[]): IdentityEndpoints[] {
  return Array.isArray(answer)
    ? answer.toSorted((a, b) => (a?.identity?.id ?? 0) - (b?.identity?.id ?? 0))
    : answer;
}

/** Entries of GET /ip as they came, widest block first, then by address. */
export function sortByCidr(answer: IPListEntry[]): IPListEntry[] {
  if (!Array.isArray(answer)) return answer;
  return answer
    .map((entry) => ({ entry, range: parsePrefix(String(entry?.cidr)) }))
    .toSorted(({ range: a }, { range: b }) =>
      a && b ? compareRanges(a, b) : Number(a !== undefined) - Number(b !== undefined),
    )
    .map(({ entry }) => entry);
}

/** What `ip list` shows of the entries, in their order; every identity by its number. */
export function decodeIps(answer: unknown): IpRow[] {
  return new Reader<IPListEntry[]>('GET /ip', answer).items().map((entry) => {
    const metadata = entry.at('metadata');
    const identity = entry.integer('identity');
    return {
      cidr: entry.text('cidr'),
      identity,
      names: [String(identity)],
      source: metadata.text('source'),
      host: entry.text('hostIP'),
      encryptKey: entry.integer('encryptKey'),
      pod: metadata.text('name'),
      namespace: metadata.text('namespace'),
    };
  });
}

/** Names of the node's pods, by identity and by address. */
export async function listPods(agent: AgentClient): Promise<{
  byIdentity: Map<number, string[]>;
  byAddress: Map<string, { pod: string; namespace: string }>;
}> {
  const byIdentity = new Map<number, string[]>();
  const byAddress = new Map<string, { pod: string; namespace: string }>();
  for (const row of decodeEndpointRows(await agent.get('/endpoint'))) {
    if (row.pod === '') continue;
    const name = `${row.namespace}/${row.pod}`;
    if (row.identity !== undefined)
      byIdentity.set(row.identity, [...(byIdentity.get(row.identity) ?? []), name]);
    for (const address of [row.addresses?.ipv4, row.addresses?.ipv6])
      if (address) byAddress.set(address, { pod: row.pod, namespace: row.namespace });
  }
  return { byIdentity, byAddress };
}
