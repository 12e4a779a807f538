import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type FakeHelm, fakeHelm } from './fake-helm.ts';
import { type KubeServer, refusal, serveKube } from './kube.ts';
import { type RunOptions, type RunResult, run } from './run.ts';

/** A request that changed something. */
export interface Change {
  method: string;
  path: string;
  body: unknown;
}

/** An API server that has the objects that are given, by path, and a helm that records how it is started. */
export interface InstallCluster extends AsyncDisposable {
  server: KubeServer;
  helm: FakeHelm;
  changes: Change[];
  objects: Map<string, object>;
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
}

/** What a chart says of itself, and an empty answer to all else. */
export const HELM_SCRIPT = `case "$1 $2" in
  "show chart") printf 'name: cilium\\nversion: %s\\n' "\${CHART:-1.20.0}";;
  *) echo '{"manifest":"","config":{},"hooks":[]}';;
esac`;

/** The Secret of a release, as Helm packs it. */
export function releaseSecret(
  release: {
    version?: number;
    status?: string;
    chart?: string;
    chartName?: string;
    config?: object;
    manifest?: string;
  } = {},
): Record<string, object> {
  const { version = 1, status = 'deployed', chart = '1.20.0', config = {}, manifest = '' } = release;
  const { chartName = 'cilium' } = release;
  const value = {
    name: 'cilium',
    version,
    info: { status },
    config,
    manifest,
    chart: {
      metadata: { name: chartName, version: chart, apiVersion: 'v2' },
      values: {},
      templates: [{ name: 'templates/a.yaml', data: Buffer.from('a: 1\n').toString('base64') }],
    },
  };
  const packed = Buffer.from(gzipSync(JSON.stringify(value)).toString('base64')).toString('base64');
  const name = `sh.helm.release.v1.cilium.v${version}`;
  const metadata = { name, namespace: 'kube-system', labels: { owner: 'helm', name: 'cilium', status } };
  return { [`/api/v1/namespaces/kube-system/secrets/${name}`]: { metadata, data: { release: packed } } };
}

/** Starts one. `names` replaces those of the kubeconfig. */
export async function startInstallCluster(
  given: Readonly<Record<string, object>> = {},
  {
    names = {},
    script = HELM_SCRIPT,
    version,
    refused = [],
  }: {
    names?: { cluster?: string; context?: string };
    script?: string;
    version?: string;
    /** Paths that may not be read. */
    refused?: readonly string[];
  } = {},
): Promise<InstallCluster> {
  const objects = new Map(Object.entries(given));
  const changes: Change[] = [];
  const server = await serveKube((request, response) => {
    const { pathname: path } = new URL(request.url ?? '/', 'http://x');
    const answer = (code: number, value: object) => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (refused.includes(path))
      return answer(403, refusal(403, 'Forbidden', `User "u" cannot list resource "x" at ${path}`));
    if (request.method !== 'GET') {
      let text = '';
      request.on('data', (part) => {
        text += part;
      });
      request.on('end', () => {
        changes.push({
          method: request.method ?? '',
          path,
          body: text === '' ? undefined : JSON.parse(text),
        });
        if (request.method === 'DELETE') objects.delete(path);
        answer(200, { kind: 'Status' });
      });
      return;
    }
    const found = objects.get(path);
    if (found) return answer(200, found);
    const items = [...objects].filter(
      ([key]) => key.startsWith(`${path}/`) && !key.slice(path.length + 1).includes('/'),
    );
    const isList = items.length > 0 || /(?:s|es)$/.test(path);
    const isOne = /\/namespaces\/[^/]+\/[^/]+\/[^/]+$/.test(path) || /^\/apis\/[^/]+$/.test(path);
    if (!isList || (isOne && items.length === 0))
      return answer(404, refusal(404, 'NotFound', `${path} not found`));
    answer(200, { metadata: {}, items: items.map(([, object]) => object) });
  });
  const { cluster = 'c', context = 'k' } = names;
  const config = readFileSync(server.kubeconfig, 'utf8')
    .replaceAll('"name":"c"', `"name":${JSON.stringify(cluster)}`)
    .replaceAll('"cluster":"c"', `"cluster":${JSON.stringify(cluster)}`)
    .replaceAll('"name":"k"', `"name":${JSON.stringify(context)}`)
    .replaceAll('"current-context":"k"', `"current-context":${JSON.stringify(context)}`);
  writeFileSync(server.kubeconfig, config);
  const helm = fakeHelm(script, version);
  return {
    server,
    helm,
    changes,
    objects,
    run: (argv, options = {}) =>
      run(argv, {
        ...options,
        env: {
          KUBECONFIG: server.kubeconfig,
          CILIUM_HELM: helm.path,
          PATH: process.env.PATH ?? '',
          ...options.env,
        },
      }),
    [Symbol.asyncDispose]: async () => {
      helm[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
