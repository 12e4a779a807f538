import { compareRanges, parsePrefix } from '../../lib/address.ts';
import type { IdentityRow, IpRow } from '../../model/identity.ts';
import type { AgentClient } from '../client.ts';
import { Answer, byNumber, listAnswer } from './answer.ts';
import { listEndpointRows } from './endpoints.ts';
import type { Reader } from './reader.ts';
import type { Identity, IdentityEndpoints, IPListEntry } from './types.gen.ts';

const byId = byNumber<Identity[]>((identity) => identity.integer('id'));

/** The identities, by their number; with labels only the one that has these. */
export function listIdentities(
  agent: AgentClient,
  { labels = [], timeoutMs }: { labels?: readonly string[]; timeoutMs?: number } = {},
): Promise<Answer<IdentityRow[]>> {
  const asked = agent.get('/identity', { body: labels.length > 0 ? labels : undefined, timeoutMs });
  return listAnswer(asked, 'Identity[]', decodeIdentities, byId);
}

/** The identity of a number, as a list of one. */
export async function findIdentity(agent: AgentClient, id: string): Promise<Answer<IdentityRow[]>> {
  const identity = await agent.get('/identity/{id}', { path: { id } });
  return new Answer([identity.fields()], 'Identity[]', () => [decodeIdentity(identity)]);
}

/** The labels of an identity, in the agent's order. */
export async function identityLabels(agent: AgentClient, id: number): Promise<string[]> {
  return (await agent.get('/identity/{id}', { path: { id } })).texts('labels');
}

function decodeIdentities(answer: Reader<Identity[]>): IdentityRow[] {
  return answer
    .items()
    .map(decodeIdentity)
    .toSorted((a, b) => a.id - b.id);
}

function decodeIdentity(identity: Reader<Identity>): IdentityRow {
  return { id: identity.integer('id'), labels: identity.texts('labels') };
}

/** The identities that endpoints of the node have, by their number. */
export function listUsedIdentities(agent: AgentClient): Promise<Answer<IdentityRow[]>> {
  return listAnswer(
    agent.get('/identity/endpoints'),
    'IdentityEndpoints[]',
    (answer) =>
      answer
        .items()
        .map((entry) => ({
          ...decodeIdentity(entry.need('identity')),
          refCount: entry.integer('refCount'),
        }))
        .toSorted((a, b) => a.id - b.id),
    byNumber<IdentityEndpoints[]>((entry) => entry.at('identity').integer('id')),
  );
}

/** The entries of the ipcache, the widest block first, then by address: all, or those of a block or of labels. */
export function listIps(
  agent: AgentClient,
  { cidr, labels }: { cidr?: string; labels?: readonly string[] } = {},
): Promise<Answer<IpRow[]>> {
  const asked = agent.get('/ip', { query: { cidr }, body: labels });
  return listAnswer(
    asked,
    'IPListEntry[]',
    (answer) => sortByCidr(answer).map(decodeIp),
    (answer) => sortByCidr(answer).map(({ document }) => document),
  );
}

function sortByCidr(answer: Reader<IPListEntry[]>): Reader<IPListEntry>[] {
  return answer
    .items()
    .map((entry) => ({ entry, range: parsePrefix(entry.text('cidr')) }))
    .toSorted(({ range: a }, { range: b }) =>
      a && b ? compareRanges(a, b) : Number(a !== undefined) - Number(b !== undefined),
    )
    .map(({ entry }) => entry);
}

/** Every identity goes by its number. */
function decodeIp(entry: Reader<IPListEntry>): IpRow {
  const metadata = entry.at('metadata');
  const identity = entry.integer('identity');
  return {
    cidr: entry.text('cidr'),
    identity,
    names: [entry.has('identity') ? String(identity) : 'N/A'],
    source: metadata.text('source'),
    host: entry.text('hostIP'),
    encryptKey: entry.integer('encryptKey'),
    pod: metadata.text('name'),
    namespace: metadata.text('namespace'),
  };
}

/** Names of the node's pods, by identity and by address. */
export async function listPods(agent: AgentClient): Promise<{
  byIdentity: Map<number, string[]>;
  byAddress: Map<string, { pod: string; namespace: string }>;
}> {
  const byIdentity = new Map<number, string[]>();
  const byAddress = new Map<string, { pod: string; namespace: string }>();
  for (const row of (await listEndpointRows(agent)).decode()) {
    if (row.pod === '') continue;
    const name = `${row.namespace}/${row.pod}`;
    if (row.identity !== undefined)
      byIdentity.set(row.identity, [...(byIdentity.get(row.identity) ?? []), name]);
    for (const address of [row.addresses?.ipv4, row.addresses?.ipv6])
      if (address) byAddress.set(address, { pod: row.pod, namespace: row.namespace });
  }
  return { byIdentity, byAddress };
}
