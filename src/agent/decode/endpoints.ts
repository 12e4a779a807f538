import { UserError } from '../../errors.ts';
import { parseItems } from '../../lib/exact-json.ts';
import { compareBytes } from '../../lib/order.ts';
import type { EndpointChange, EndpointConfig, EndpointRow, EndpointState } from '../../model/endpoint.ts';
import type { AgentClient, AnswerText } from '../client.ts';
import { type Answer, byNumber, listAnswer, objectAnswer } from './answer.ts';
import { Reader } from './reader.ts';
import type { Endpoint, EndpointStatusLog } from './types.gen.ts';

/** The endpoints of the node, by their number. */
export function listEndpoints(
  agent: AgentClient,
  options: { timeoutMs?: number } = {},
): Promise<Answer<EndpointRow[]>> {
  return inOrder(agent.get('/endpoint', options));
}

/**
 * The same without their documents. They are decoded one after the other, so that an answer of many megabytes does not stand
 * in memory as objects.
 */
export async function listEndpointRows(
  agent: AgentClient,
  options: { timeoutMs?: number } = {},
): Promise<Pick<Answer<EndpointRow[]>, 'decode'>> {
  const answer = await agent.getText('/endpoint', options);
  const rows = rowsIn(answer);
  return rows ? { decode: () => rows } : inOrder(Promise.resolve(answer.read()));
}

/** Undefined where something is wrong, which whoever reads all of the answer says. */
function rowsIn({ call, text }: AnswerText<Endpoint[]>): EndpointRow[] | undefined {
  const list = new Reader<unknown>(call, []);
  const rows: EndpointRow[] = [];
  try {
    for (const item of parseItems(text)) {
      const place = { parent: list, key: rows.length, needed: true };
      rows.push({ ...decodeRow(new Reader<Endpoint>(call, item, place)), document: undefined });
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof UserError) return undefined;
    throw error;
  }
  return rows.sort((a, b) => a.id - b.id);
}

/** The same of what the agent's own command line printed. */
export function printedEndpoints(printed: unknown): Promise<Answer<EndpointRow[]>> {
  return inOrder(Promise.resolve(new Reader<Endpoint[]>('cilium endpoint list -o json', printed)));
}

function inOrder(asked: Promise<Reader<Endpoint[]>>): Promise<Answer<EndpointRow[]>> {
  const order = byNumber<Endpoint[]>((endpoint) => endpoint.integer('id'));
  return listAnswer(asked, 'Endpoint[]', decodeEndpointRows, order);
}

/** The endpoints that have these labels, in the agent's order. */
export function findEndpoints(agent: AgentClient, labels: readonly string[]): Promise<Answer<EndpointRow[]>> {
  return listAnswer(agent.get('/endpoint', { body: labels }), 'Endpoint[]', decodeEndpointRows);
}

/** One endpoint, by its number or as `prefix:value`. */
export function readEndpoint(agent: AgentClient, id: string): Promise<Answer<EndpointRow>> {
  return objectAnswer(agent.get('/endpoint/{id}', { path: { id } }), 'Endpoint', decodeRow);
}

/** Whether an endpoint has been regenerated and runs what it is configured to. */
export async function isEndpointReady(agent: AgentClient, id: string): Promise<boolean> {
  return (await readEndpoint(agent, id)).decode().state === 'ready';
}

/** Picks what a list shows from the agent's answer; in order of the endpoint's number. */
export function decodeEndpointRows(answer: Reader<Endpoint[]>): EndpointRow[] {
  return answer
    .items()
    .map(decodeRow)
    .toSorted((a, b) => a.id - b.id);
}

function decodeRow(endpoint: Reader<Endpoint>): EndpointRow {
  const status = endpoint.at('status');
  const realized = status.at('policy').at('realized');
  const identity = status.at('identity');
  const networking = status.at('networking');
  const pairs = networking.at('addressing').items();
  const [pair] = pairs;
  const names = status.at('external-identifiers');
  const [podNamespace = '', podName = ''] = names.text('pod-name').split('/', 2);
  return {
    id: endpoint.integer('id'),
    policy: realized.present ? realized.text('policy-enabled') : undefined,
    policyRevision: realized.present ? realized.integer('policy-revision') : undefined,
    identity: identity.present ? identity.integer('id') : undefined,
    identityLabels: identity.texts('labels'),
    labels: status.at('labels').texts('security-relevant').toSorted(compareBytes),
    addresses: networking.present
      ? pair
        ? { ipv4: pair.text('ipv4'), ipv6: pair.text('ipv6') }
        : null
      : undefined,
    allAddresses: pairs.flatMap((each) => [each.text('ipv4'), each.text('ipv6')]).filter(Boolean),
    ifindex: networking.has('interface-index') ? networking.integer('interface-index') : undefined,
    state: status.has('state') ? status.text('state') : undefined,
    pod: names.text('k8s-pod-name') || podName,
    namespace: names.text('k8s-namespace') || podNamespace,
    document: endpoint.document,
  };
}

/** How an endpoint is. */
export function readEndpointHealth(agent: AgentClient, id: string): Promise<Answer<EndpointState>> {
  const asked = agent.get('/endpoint/{id}/healthz', { path: { id } });
  return objectAnswer(asked, 'EndpointHealth', (health) => ({
    overall: health.need('overallHealth').asText(),
    bpf: health.text('bpf'),
    policy: health.text('policy'),
    connected: health.flag('connected'),
  }));
}

/** What happened to an endpoint, in the agent's order. */
export function readEndpointLog(agent: AgentClient, id: string): Promise<Answer<EndpointChange[]>> {
  const asked = agent.get('/endpoint/{id}/log', { path: { id } });
  return listAnswer<EndpointStatusLog, EndpointChange[]>(asked, 'EndpointStatusLog', (log) =>
    log.items().map((change) => ({
      timestamp: change.text('timestamp'),
      code: change.text('code'),
      state: change.text('state'),
      message: change.text('message'),
    })),
  );
}

/** The configuration of an endpoint. */
export function readEndpointConfig(agent: AgentClient, id: string): Promise<Answer<EndpointConfig>> {
  const asked = agent.get('/endpoint/{id}/config', { path: { id } });
  return objectAnswer(asked, 'EndpointConfigurationStatus', (config) => {
    const realized = config.need('realized');
    return {
      immutable: config.at('immutable').textMap(),
      options: realized.at('options').textMap(),
      realized: realized.fields(),
    };
  });
}

/** The labels of an endpoint: those that users added, those of its pod that count, those that are switched off. */
export async function readEndpointLabels(
  agent: AgentClient,
  id: string,
): Promise<{ user: string[]; securityRelevant: string[]; disabled: string[] }> {
  const answer = await agent.get('/endpoint/{id}/labels', { path: { id } });
  const status = answer.need('status');
  return {
    user: status.at('realized').texts('user'),
    securityRelevant: status.texts('security-relevant'),
    disabled: status.texts('disabled'),
  };
}

/** Removes an endpoint; returns how many errors the agent met meanwhile. */
export async function deleteEndpoint(agent: AgentClient, id: string): Promise<number> {
  const errors = await agent.delete('/endpoint/{id}', { path: { id } });
  return errors.present ? errors.asInteger() : 0;
}

/** Configures an endpoint anew; with an empty configuration it is only regenerated. */
export async function patchEndpointConfig(agent: AgentClient, id: string, config: object): Promise<void> {
  await agent.patch('/endpoint/{id}/config', { path: { id }, body: config });
}

/** Replaces the labels that users added to an endpoint. */
export async function patchEndpointLabels(agent: AgentClient, id: string, user: string[]): Promise<void> {
  await agent.patch('/endpoint/{id}/labels', { path: { id }, body: user.length > 0 ? { user } : {} });
}
