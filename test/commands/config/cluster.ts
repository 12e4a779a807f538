import type { IncomingMessage } from 'node:http';
import { answerJson, type KubeServer, refusal, type SocketHandler, serveKube } from '../../helpers/kube.ts';
import { type RunOptions, type RunResult, run } from '../../helpers/run.ts';

/** What the API server was asked to change. */
export interface Written {
  call: string;
  type: string;
  body: unknown;
}

/** A cluster with Cilium, as far as the verbs of `config` look at it. */
export interface ConfigCluster extends AsyncDisposable {
  server: KubeServer;
  written: Written[];
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
}

/** Answers to requests that come before the cluster's own; undefined lets it answer. */
export type Override = (call: string, body: unknown) => { status?: number; body: unknown } | undefined;

const MAP = '/api/v1/namespaces/kube-system/configmaps/cilium-config';

/** Serves the ConfigMap. Writes are kept and acknowledged, not carried out: what they do is the API server's. */
export async function configCluster(
  configMap: { data: Record<string, string>; metadata?: object },
  override: Override = () => undefined,
  onSocket?: SocketHandler,
): Promise<ConfigCluster> {
  const written: Written[] = [];
  const server = await serveKube(async (request, response) => {
    const body = await bodyOf(request);
    const path = (request.url ?? '').replace(/\?.*/, '');
    const call = `${request.method} ${path}`;
    if (request.method !== 'GET')
      written.push({
        call: `${request.method} ${request.url}`,
        type: request.headers['content-type'] ?? '',
        body,
      });
    const own = override(call, body);
    if (own) return answerJson(response, own.body, own.status);
    if (call === 'GET /apis/apps/v1/daemonsets')
      return answerJson(response, { items: [{ metadata: { name: 'cilium', namespace: 'kube-system' } }] });
    if (path === MAP) return answerJson(response, { metadata: { resourceVersion: '7' }, ...configMap });
    answerJson(response, refusal(404, 'NotFound', `${path} not found`), 404);
  }, onSocket);
  return {
    server,
    written,
    run: (argv, options = {}) =>
      run(argv, { ...options, env: { KUBECONFIG: server.kubeconfig, ...options.env } }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return text === '' ? undefined : JSON.parse(text);
}

/** `metadata.managedFields` of a ConfigMap whose keys these managers have set. */
export function managed(keys: Readonly<Record<string, readonly string[]>>, operation = 'Update'): object[] {
  return Object.entries(keys).map(([manager, fields]) => ({
    manager,
    operation: manager === 'cilium-toolkit' ? 'Apply' : operation,
    fieldsV1: { 'f:data': { '.': {}, ...Object.fromEntries(fields.map((key) => [`f:${key}`, {}])) } },
  }));
}
