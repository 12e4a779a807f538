import { errorMessage } from '../errors.ts';
import { isRecord } from '../lib/record.ts';
import { type KubeClient, type KubeObject, wordsOf } from './client.ts';
import { listAll } from './pages.ts';
import { pathIn } from './paths.ts';

/** What the kubeconfig calls the cluster. */
export function clusterNames({ config, server }: KubeClient): {
  cluster: string;
  context: string;
  server: string;
} {
  return {
    cluster: config.getCurrentCluster()?.name ?? '',
    context: config.getCurrentContext() ?? '',
    server,
  };
}

/** The answer, or why there is none. */
export type Seen<T> = { value: T } | { why: string };

async function seen<T>(client: KubeClient, look: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await look() };
  } catch (error) {
    client.signal.throwIfAborted();
    return { why: wordsOf(error) };
  }
}

/** The labels of all nodes. */
export function nodeLabels(client: KubeClient): Promise<Seen<Record<string, string>[]>> {
  return seen(client, () =>
    listAll<KubeObject, Record<string, string>>(
      client,
      '/api/v1/nodes',
      { namesOnly: true },
      ({ metadata }) => metadata?.labels ?? {},
    ),
  );
}

/** Whether the cluster has a group of resources. */
export function hasGroup(client: KubeClient, group: string): Promise<Seen<boolean>> {
  return seen(client, async () => (await client.find({ path: `/apis/${group}` })) !== undefined);
}

/** The names of the DaemonSets of a namespace. */
export function daemonSetNames(client: KubeClient, namespace: string): Promise<Seen<string[]>> {
  return seen(client, () =>
    listAll<KubeObject, string>(
      client,
      pathIn(namespace, 'apps/v1/daemonsets'),
      { namesOnly: true },
      ({ metadata }) => metadata?.name,
    ),
  );
}

/** Host and port of an API server in a URL; empty where it names none, as Go's SplitHostPort has it. */
export function hostAndPort(server: string): { host: string; port: string } {
  const found = /^https?:\/\/(?:\[([^\]]+)\]|([^/:]+)):(\d+)/.exec(server);
  return found ? { host: found[1] ?? found[2] ?? '', port: found[3] ?? '' } : { host: '', port: '' };
}

/** Why the API server's own address was not found, in the words of the reference. */
export class NoEndpoint extends Error {
  override name = 'NoEndpoint';
}

/** The address of the API server as the cluster sees it, of the service `kubernetes`. Throws NoEndpoint. */
export async function serviceEndpoint(client: KubeClient): Promise<{ host: string; port: string }> {
  const path = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes';
  let slice: Record<string, unknown>;
  try {
    slice = await client.json<Record<string, unknown>>({ path, form: { fields: {} } });
  } catch (error) {
    client.signal.throwIfAborted();
    throw new NoEndpoint(`Couldn't find 'kubernetes' service endpoint on Kind`, {
      cause: new Error(errorMessage(error)),
    });
  }
  const [endpoint] = Array.isArray(slice.endpoints) ? slice.endpoints : [];
  if (!isRecord(endpoint)) throw new NoEndpoint(`Couldn't find 'kubernetes' service endpoint subset on Kind`);
  const [host] = Array.isArray(endpoint.addresses) ? endpoint.addresses : [];
  if (typeof host !== 'string')
    throw new NoEndpoint(`Couldn't find endpoint address of the 'kubernetes' service endpoint on Kind`);
  const [port] = Array.isArray(slice.ports) ? slice.ports : [];
  if (!isRecord(port) || typeof port.port !== 'number')
    throw new NoEndpoint(`Couldn't find endpoint port of the 'kubernetes' service endpoint on Kind`);
  return { host, port: String(port.port) };
}
