import { readConfig } from '../../agent/decode/config.ts';
import { listEndpoints } from '../../agent/decode/endpoints.ts';
import { listIdentities } from '../../agent/decode/identities.ts';
import { listMaps } from '../../agent/decode/maps.ts';
import { listNodes } from '../../agent/decode/nodes.ts';
import { parsePolicy, readPolicy } from '../../agent/decode/policy.ts';
import { listRecorders } from '../../agent/decode/recorder.ts';
import { listServices } from '../../agent/decode/services.ts';
import { mutableOptions } from '../../agent/options.ts';
import { isRecord } from '../../lib/record.ts';
import type { EndpointRow } from '../../model/endpoint.ts';
import { type Ask, type Candidate, distinct, type Source } from './place.ts';

async function rows({ ctx }: Ask): Promise<EndpointRow[]> {
  return (await listEndpoints(await ctx.agent())).decode();
}

const podOf = ({ namespace, pod }: EndpointRow) => (namespace ? `${namespace}/${pod}` : pod);

/** Endpoints of the node, by number. */
export const endpoints: Source = async (ask) =>
  (await rows(ask)).map((row) => ({
    value: String(row.id),
    meaning: row.pod ? podOf(row) : (row.labels[0] ?? ''),
  }));

/** Pods of the node, with `separator` between namespace and name. */
export function podsOfNode(separator: '/' | ':'): Source {
  return async (ask) =>
    (await rows(ask))
      .filter(({ pod, namespace }) => pod && namespace)
      .map(({ id, pod, namespace }) => ({
        value: `${namespace}${separator}${pod}`,
        meaning: `endpoint ${id}`,
      }));
}

/** Labels of the node's endpoints, as selectors have them. */
export const endpointLabels: Source = async (ask) => {
  const counts = new Map<string, number>();
  for (const { labels } of await rows(ask))
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([value, count]) => ({ value, meaning: count === 1 ? '1 endpoint' : `${count} endpoints` }));
};

export const identities: Source = async ({ ctx }) =>
  (await listIdentities(await ctx.agent()))
    .decode()
    .map(({ id, labels }) => ({ value: String(id), meaning: labels.join(' ') }));

/** Labels that identities have. */
export const identityLabels: Source = async ({ ctx }) =>
  distinct(
    (await listIdentities(await ctx.agent()))
      .decode()
      .flatMap(({ id, labels }) => labels.map((value) => ({ value, meaning: `identity ${id}` }))),
  );

export const maps: Source = async ({ ctx }) =>
  ((await listMaps(await ctx.agent())).decode() ?? []).map(({ path }) => ({
    value: path.split('/').at(-1) ?? '',
    meaning: path,
  }));

export const services: Source = async ({ ctx }) =>
  (await listServices(await ctx.agent())).decode().services.map(({ id, frontend }) => ({
    value: String(id),
    meaning: `${frontend.ip}:${frontend.port}`,
  }));

export const recorders: Source = async ({ ctx }) =>
  (await listRecorders(await ctx.agent())).decode().map(({ id }) => ({ value: String(id), meaning: '' }));

/** Nodes that the agent knows, without the name of their cluster. */
export const nodesOfAgent: Source = async ({ ctx }) =>
  (await listNodes(await ctx.agent()))
    .decode()
    .nodes.map(({ name, ipv4 }) => ({ value: name.split('/').at(-1) ?? '', meaning: ipv4 }));

/** Options that the agent takes while it runs, each with its `=`. */
export const configOptions: Source = () => [
  ...mutableOptions('daemon').map(({ name, description }) => ({ value: `${name}=`, meaning: description })),
  { value: 'PolicyEnforcement=', meaning: 'default, always or never' },
];

/** Those of an endpoint. */
export const endpointOptions: Source = () =>
  mutableOptions('endpoint').map(({ name, description }) => ({ value: `${name}=`, meaning: description }));

export const configNames: Source = async ({ ctx }) => {
  const config = await readConfig(await ctx.agent());
  const names = [...Object.keys(config.options), 'PolicyEnforcement', ...Object.keys(config.readOnly ?? {})];
  return distinct(names.map((value) => ({ value, meaning: '' })));
};

/** Labels of the rules that the agent has. */
export const ruleLabels: Source = async ({ ctx }) => {
  const rules = parsePolicy((await readPolicy(await ctx.agent())).decode());
  return distinct((Array.isArray(rules) ? rules : []).flatMap(labelsOf));
};

function labelsOf(rule: unknown): Candidate[] {
  if (!isRecord(rule) || !Array.isArray(rule.labels)) return [];
  const meaning = typeof rule.description === 'string' ? rule.description : '';
  return rule.labels.filter(isRecord).map(({ source, key, value }) => {
    const name = source ? `${source}:${key}` : String(key);
    return { value: value ? `${name}=${value}` : name, meaning };
  });
}

/** Tables of the agent's database. */
export const tables: Source = async ({ ctx }) => {
  const { tableNames } = await import('../../agent/statedb.ts');
  const agent = await ctx.agent();
  return [
    { value: 'dump', meaning: 'all tables, as JSON' },
    ...(await tableNames(agent.http, { signal: ctx.signal })).map((value) => ({ value, meaning: '' })),
  ];
};
