import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, type KubeServer, refusal, serveKube } from './kube.ts';
import { end, SUCCESS, say } from './kubelet.ts';

type Json = Record<string, unknown>;

/** What a command in a pod does. */
export type Ran = { stdout?: string; stderr?: string; code?: number } | 'hangs' | 'is not there';

/** A cluster whose objects and pods are as a test says, and which keeps what is written. */
export interface StubCluster extends KubeServer {
  /** By path. A list is of all that are below its path, of one namespace or of all. */
  objects: Map<string, Json>;
  /** Requests that may not be made: method and path. */
  forbidden: RegExp | undefined;
  /** Requests that came: method and path, with what follows `?`. */
  seen: string[];
  /** Runs a command in a pod. */
  exec: (pod: string, command: string[]) => Ran;
  /** Called before each request is answered. */
  before: (line: string) => void;
}

/** Serves one. */
export async function serveStub(objects: Record<string, Json> = {}): Promise<StubCluster> {
  const state: Omit<StubCluster, keyof KubeServer> = {
    objects: new Map(Object.entries(objects)),
    forbidden: undefined,
    seen: [],
    exec: () => 'is not there',
    before: () => {},
  };
  const server = await serveKube(
    (request, response) => void answer(state, request, response),
    (socket, url) => {
      const command = url.searchParams.getAll('command');
      const pod = url.pathname.split('/').at(-2) ?? '';
      state.seen.push(`EXEC ${pod} ${command.join(' ')}`);
      const ran = state.exec(pod, command);
      if (ran === 'hangs') return;
      if (ran === 'is not there')
        return end(socket, {
          status: 'Failure',
          message: `exec: "${command[0]}": executable file not found in $PATH`,
        });
      if (ran.stdout) say(socket, 1, ran.stdout);
      if (ran.stderr) say(socket, 2, ran.stderr);
      const { code = 0 } = ran;
      const causes = [{ reason: 'ExitCode', message: String(code) }];
      end(
        socket,
        code === 0
          ? SUCCESS
          : {
              status: 'Failure',
              reason: 'NonZeroExitCode',
              message: `exit code ${code}`,
              details: { causes },
            },
      );
    },
  );
  return Object.assign(state, server);
}

async function answer(
  state: Omit<StubCluster, keyof KubeServer>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://x');
  const { method = 'GET' } = request;
  const line = `${method} ${url.pathname}`;
  state.before(line);
  state.seen.push(`${line}${url.search}`);
  let text = '';
  for await (const part of request) text += part;
  const fail = (code: number, reason: string, message: string) =>
    answerJson(response, refusal(code, reason, message), code);
  const name = url.pathname.split('/').at(-1) ?? '';
  if (state.forbidden?.test(line)) return fail(403, 'Forbidden', `User "u" cannot ${method} ${url.pathname}`);
  const found = state.objects.get(url.pathname);
  const isDry = url.searchParams.get('dryRun') === 'All';
  if (method === 'POST') {
    const object = JSON.parse(text) as Json & { metadata: { name: string } };
    const path = `${url.pathname}/${object.metadata.name}`;
    if (state.objects.has(path))
      return fail(409, 'AlreadyExists', `"${object.metadata.name}" already exists`);
    if (!isDry) state.objects.set(path, versioned(object));
    return answerJson(response, object, 201);
  }
  if (method === 'PATCH' && found) {
    const patch = JSON.parse(text) as Json & { metadata?: { resourceVersion?: string } };
    const now = (found.metadata as { resourceVersion?: string }).resourceVersion;
    const wanted = patch.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== now)
      return fail(409, 'Conflict', 'the object has been modified; please apply your changes to the latest');
    const data = { ...(found.data as Json), ...(patch.data as Json) };
    const object = { ...found, data };
    if (!isDry) state.objects.set(url.pathname, versioned(object));
    return answerJson(response, object);
  }
  if (method !== 'GET') return fail(404, 'NotFound', `"${name}" not found`);
  if (found) return answerJson(response, found);
  const labels = url.searchParams.get('labelSelector');
  const node = /^spec\.nodeName=(.*)$/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
  const below = [...state.objects].filter(([path]) => {
    const list = path.slice(0, path.lastIndexOf('/'));
    return list === url.pathname || list.replace(/\/namespaces\/[^/]+\//, '/') === url.pathname;
  });
  const isList = /\/(pods|secrets|nodes|configmaps|daemonsets|services|ciliumnodes|\w+policies)$/.test(
    url.pathname,
  );
  if (below.length === 0 && !isList) return fail(404, 'NotFound', `"${name}" not found`);
  const items = below.map(([, object]) => object).filter((one) => fits(one, labels, node));
  answerJson(response, { metadata: {}, items });
}

function versioned(object: Json): Json {
  const metadata = object.metadata as { resourceVersion?: string };
  return {
    ...object,
    metadata: { ...metadata, resourceVersion: `${Number(metadata.resourceVersion ?? 0) + 1}` },
  };
}

function fits(object: Json, labels: string | null, node: string | undefined): boolean {
  const { labels: own = {} } = object.metadata as { labels?: Record<string, string> };
  const spec = (object.spec ?? {}) as { nodeName?: string };
  if (node !== undefined && spec.nodeName !== node) return false;
  return (labels ?? '').split(',').every((one) => {
    const [key = '', value] = one.split('=');
    return one === '' || own[key] === value;
  });
}

/** A pod that runs, of the namespace kube-system. */
export function runningPod(
  name: string,
  node: string,
  labels: Record<string, string>,
  container = 'cilium-agent',
): [string, Json] {
  return [
    `/api/v1/namespaces/kube-system/pods/${name}`,
    {
      metadata: { name, namespace: 'kube-system', labels },
      spec: { nodeName: node, containers: [{ name: container }] },
      status: {
        phase: 'Running',
        containerStatuses: [{ name: container, ready: true, state: { running: {} } }],
      },
    },
  ];
}

/** The ConfigMap of Cilium. */
export function ciliumConfig(data: Record<string, string>): [string, Json] {
  const name = 'cilium-config';
  return [
    `/api/v1/namespaces/kube-system/configmaps/${name}`,
    { metadata: { name, namespace: 'kube-system' }, data },
  ];
}
