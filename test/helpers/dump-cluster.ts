import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import yauzl from 'yauzl';
import { answerJson, type KubeServer, refusal, serveKube } from './kube.ts';
import { end, SUCCESS, say } from './kubelet.ts';

/** What a command in a pod prints; `hangs` never ends. */
export interface Printed {
  stdout?: string | Buffer;
  stderr?: string;
  code?: number;
  hangs?: boolean;
}

export interface DumpCluster {
  nodes: number;
  /** Pods of users on each node. */
  pods?: number;
  /** Lists beside nodes and pods, by path; a number is the status of a refusal. */
  lists?: Readonly<Record<string, { kind: string; items: object[] } | number>>;
  /** Objects and texts by path; a number is the status of a refusal. */
  answers?: Readonly<Record<string, object | string | number>>;
  /** Changes a pod before it is served. */
  change?: (pod: Record<string, unknown>) => void;
  log?: (pod: string, url: URL) => string | undefined;
  /** Undefined: the container has no such program. */
  run?: (argv: readonly string[], pod: string) => Printed | undefined;
  /** The agent's API; undefined: 404. */
  api?: (path: string, pod: string) => string | undefined;
  /** Names of other sockets that answer as the agent's API does. */
  sockets?: readonly string[];
  /** Told of every request. */
  onRequest?: (url: URL, method: string) => void;
}

export const agentName = (node: number) => `cilium-${String(node).padStart(4, '0')}`;

function pod(
  name: string,
  namespace: string,
  node: string,
  labels: object,
  container: string,
): Record<string, unknown> {
  return {
    metadata: { name, namespace, labels, uid: `uid-${name}`, annotations: {} },
    spec: {
      nodeName: node,
      containers: [{ name: container, image: 'quay.io/cilium/cilium:v1.18.2', env: [] as object[] }],
    },
    status: {
      phase: 'Running',
      podIPs: [{ ip: '10.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: container, ready: true, restartCount: 0, state: { running: {} } }],
    },
  };
}

/** A stand-in for a cluster with agents that run commands and answer, on real sockets. Lists come in pages. */
export async function serveDumpCluster(options: DumpCluster): Promise<KubeServer & { requests: URL[] }> {
  const requests: URL[] = [];
  const podAt = (i: number): Record<string, unknown> => {
    const perNode = 1 + (options.pods ?? 0);
    const node = `n${Math.floor(i / perNode)}`;
    const made =
      i % perNode === 0
        ? pod(agentName(i / perNode), 'kube-system', node, { 'k8s-app': 'cilium' }, 'cilium-agent')
        : pod(`web-${i}`, 'default', node, { app: 'web' }, 'web');
    options.change?.(made);
    return made;
  };
  const podCount = options.nodes * (1 + (options.pods ?? 0));
  const serve = (url: URL, response: ServerResponse, accept: string) => {
    const { pathname, searchParams } = url;
    const logOf = /^\/api\/v1\/namespaces\/[^/]+\/pods\/([^/]+)\/log$/.exec(pathname)?.[1];
    if (logOf !== undefined) {
      const text = options.log ? options.log(logOf, url) : `2026-11-29T05:00:00Z log of ${logOf}\n`;
      if (text === undefined) return answerJson(response, refusal(403, 'Forbidden', 'no logs for you'), 403);
      return response
        .writeHead(200)
        .end(text.slice(0, Number(searchParams.get('limitBytes') ?? text.length)));
    }
    if (accept.includes('as=Table'))
      return answerJson(response, { kind: 'Table', columnDefinitions: [{ name: 'Name' }], rows: [] });
    const given = options.answers?.[pathname];
    if (typeof given === 'number')
      return answerJson(response, refusal(given, 'Forbidden', `${pathname} is forbidden`), given);
    if (typeof given === 'string') return response.writeHead(200).end(given);
    if (given) return answerJson(response, given);
    const list = options.lists?.[pathname];
    if (typeof list === 'number')
      return answerJson(response, refusal(list, 'Forbidden', `${pathname} is forbidden`), list);
    const selector = searchParams.get('labelSelector') ?? '';
    const namespace = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/.exec(pathname)?.[1];
    const page = (kind: string, count: number, at: (i: number) => object) => {
      const from = Number(searchParams.get('continue') ?? 0);
      const to = Math.min(count, from + Number(searchParams.get('limit') ?? count));
      const items = Array.from({ length: Math.max(0, to - from) }, (_, i) => at(from + i));
      const metadata = { resourceVersion: '7', ...(to < count && { continue: String(to) }) };
      answerJson(response, { apiVersion: 'v1', kind, metadata, items });
    };
    if (pathname === '/api/v1/nodes')
      return page('NodeList', options.nodes, (i) => ({
        metadata: { name: `n${i}` },
        status: { addresses: [{ type: 'InternalIP', address: `192.168.0.${i}` }] },
      }));
    if (pathname === '/api/v1/pods' && selector === '') return page('PodList', podCount, podAt);
    if (pathname === '/api/v1/pods' || namespace !== undefined) {
      const isAgents = selector === 'k8s-app=cilium' && namespace !== 'default';
      const perNode = 1 + (options.pods ?? 0);
      return page('PodList', isAgents ? options.nodes : 0, (i) => podAt(i * perNode));
    }
    if (list) return page(list.kind, list.items.length, (i) => list.items[i] ?? {});
    if (pathname === '/apis/apps/v1/daemonsets' || pathname === '/apis/apps/v1/deployments')
      return page('List', 1, () => ({ metadata: { name: 'cilium', namespace: 'kube-system' } }));
    const what = 'the server could not find the requested resource';
    return answerJson(response, refusal(404, 'NotFound', what), 404);
  };
  const server = await serveKube(
    (request: IncomingMessage, response) => {
      const url = new URL(request.url ?? '/', 'http://x');
      requests.push(url);
      options.onRequest?.(url, request.method ?? '');
      serve(url, response, request.headers.accept ?? '');
    },
    (socket, url) => {
      const argv = url.searchParams.getAll('command');
      const name = /\/pods\/([^/]+)\/exec$/.exec(url.pathname)?.[1] ?? '';
      if (argv[0] === 'perl') {
        const path = argv.at(-1) ?? '';
        if (!path.endsWith('/cilium.sock') && !options.sockets?.includes(path.split('/').at(-1) ?? '')) {
          say(socket, 2, `connect ${path}: No such file or directory\n`);
          end(socket, { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '69' }] } });
          return;
        }
        say(socket, 1, '+');
        socket.on('message', (data: Buffer) => {
          const asked = /^[A-Z]+ (\S+) HTTP/.exec(data.subarray(1).toString())?.[1];
          if (data[0] !== 0 || asked === undefined) return;
          const body = options.api?.(asked, name);
          const bytes = Buffer.from(body ?? '{"code":404,"message":"path was not found"}');
          const head = `HTTP/1.1 ${body === undefined ? '404 Not Found' : '200 OK'}\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}\r\nconnection: close\r\n\r\n`;
          say(socket, 1, Buffer.concat([Buffer.from(head), bytes]));
          end(socket, SUCCESS);
        });
        return;
      }
      const printed = options.run?.(argv, name);
      if (!printed)
        return end(socket, {
          status: 'Failure',
          message: `exec: "${argv[0]}": executable file not found in $PATH`,
        });
      const stdout = Buffer.from(printed.stdout ?? '');
      for (let at = 0; at < stdout.length; at += 60_000) say(socket, 1, stdout.subarray(at, at + 60_000));
      if (printed.stderr) say(socket, 2, printed.stderr);
      if (printed.hangs) return;
      end(
        socket,
        printed.code
          ? {
              status: 'Failure',
              details: { causes: [{ reason: 'ExitCode', message: String(printed.code) }] },
            }
          : SUCCESS,
      );
    },
  );
  return Object.assign(server, { requests });
}

/** A tar archive of texts, packed. */
export function tarball(files: Readonly<Record<string, string>>): Buffer {
  const blocks: Buffer[] = [];
  for (const [name, text] of Object.entries(files)) {
    const body = Buffer.from(text);
    const head = Buffer.alloc(512);
    head.write(name, 0);
    head.write('0000644\0', 100);
    head.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
    head.write('0', 156);
    head.write('ustar\x0000', 257);
    blocks.push(head, body, Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** A release as Helm keeps it, as a list of Secrets and the Secret. */
export function helmSecret(values: object): { list: { kind: string; items: object[] }; secret: object } {
  const release = {
    name: 'cilium',
    version: 1,
    info: { status: 'deployed' },
    chart: { metadata: { name: 'cilium', version: '1.18.2' } },
    config: values,
    manifest: '',
  };
  const packed = Buffer.from(gzipSync(JSON.stringify(release)).toString('base64')).toString('base64');
  const metadata = {
    name: 'sh.helm.release.v1.cilium.v1',
    labels: { owner: 'helm', name: 'cilium', status: 'deployed' },
  };
  return {
    list: { kind: 'SecretList', items: [{ metadata }] },
    secret: { metadata, data: { release: packed } },
  };
}

/** Names, without the folder at the top, and contents of an archive. */
export async function unzipped(path: string): Promise<Map<string, Buffer>> {
  const file = await yauzl.openPromise(path, { lazyEntries: true });
  const found = new Map<string, Buffer>();
  for await (const entry of file.eachEntry()) {
    const parts: Buffer[] = [];
    for await (const part of await file.openReadStreamPromise(entry)) parts.push(part as Buffer);
    found.set(entry.fileName.replace(/^[^/]+\//, ''), Buffer.concat(parts));
  }
  return found;
}
