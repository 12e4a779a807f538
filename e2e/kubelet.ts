import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { type Forwarded, forwarding } from '../test/helpers/kubelet.ts';
import { fixturePath } from '../test/helpers/recordings.ts';
import type { ApiServer } from './api-server.ts';

/** A kubelet, as far as an API server asks it for logs and forwarded ports. */
export interface Kubelet extends AsyncDisposable {
  port: number;
  /** Adds a line to the log of a pod, which is written to who follows it. */
  write(pod: string, text: string): void;
  /** Whether somebody follows the log of a pod. */
  isFollowed(pod: string): boolean;
  /** Where the ports of pods lead. */
  target: Forwarded;
  /** Ends all forwarded ports. */
  cut(): void;
}

interface Log {
  lines: { time: string; text: string }[];
  followers: Set<ServerResponse>;
}

/** Starts one. */
export async function startKubelet(): Promise<Kubelet> {
  const logs = new Map<string, Log>();
  const logOf = (pod: string) => {
    const log = logs.get(pod) ?? { lines: [], followers: new Set() };
    logs.set(pod, log);
    return log;
  };
  const pem = (name: string) => readFileSync(fixturePath(`tls/${name}`));
  const server = createServer({ cert: pem('server.crt'), key: pem('server.key') }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const pod = /^\/containerLogs\/[^/]+\/([^/]+)\//.exec(pathname)?.[1];
    if (pod === undefined) return void response.writeHead(404).end();
    const { lines, followers } = logOf(pod);
    const fromMs = Date.parse(searchParams.get('sinceTime') ?? '1970-01-01T00:00:00Z');
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    for (const { time, text } of lines) if (Date.parse(time) >= fromMs) response.write(`${time} ${text}\n`);
    if (searchParams.get('follow') !== 'true') return void response.end();
    followers.add(response);
    response.on('close', () => followers.delete(response));
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
  let clockNs = 1_790_000_000_000_000_000n;
  const kubelet: Kubelet = {
    port: 0,
    target: () => new Error('nothing listens'),
    write(pod, text) {
      clockNs += 7_000_000n;
      const seconds = new Date(Number(clockNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
      const line = { time: `${seconds}.${String(clockNs % 1_000_000_000n).padStart(9, '0')}Z`, text };
      const { lines, followers } = logOf(pod);
      lines.push(line);
      for (const follower of followers) follower.write(`${line.time} ${line.text}\n`);
    },
    isFollowed: (pod) => logOf(pod).followers.size > 0,
    cut() {
      for (const socket of sockets.clients) socket.close(1000);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '', 'http://x');
    sockets.handleUpgrade(request, socket, head, (ws) =>
      forwarding((asked) => kubelet.target(asked))(ws, url),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  kubelet.port = (server.address() as AddressInfo).port;
  return kubelet;
}

/** Tells the API server of a node with that kubelet, or of one that kwok makes ready. */
export async function addNode(server: ApiServer, name: string, kubelet?: Kubelet): Promise<void> {
  await server.call('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  if (!kubelet) return;
  await server.call(
    'PATCH',
    `/api/v1/nodes/${name}/status`,
    {
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
      },
    },
    'application/strategic-merge-patch+json',
  );
}

/** Adds a pod that runs on a node. */
export async function addPod(
  server: ApiServer,
  {
    namespace = 'kube-system',
    name,
    node,
    labels,
    container,
  }: { namespace?: string; name: string; node: string; labels: Record<string, string>; container: string },
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const made = await server.call('POST', path, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      nodeName: node,
      containers: [{ name: container, image: 'x', ports: [{ name: 'grpc', containerPort: 4245 }] }],
    },
  });
  if (made.status !== 201) throw new Error(made.body);
  const status = {
    name: container,
    image: 'x',
    imageID: 'x',
    ready: true,
    restartCount: 0,
    containerID: `containerd://${name}`,
    state: { running: {} },
  };
  await server.call(
    'PATCH',
    `${path}/${name}/status`,
    { status: { phase: 'Running', containerStatuses: [status] } },
    'application/strategic-merge-patch+json',
  );
}

/** Gives the user `viewer` a role in a namespace. */
export async function grant(server: ApiServer, rules: object[], namespace = 'kube-system'): Promise<void> {
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const metadata = { name: 'viewer' };
  await server.call('DELETE', `${path}/roles/viewer`);
  await server.call('POST', `${path}/roles`, { metadata, rules });
  await server.call('POST', `${path}/rolebindings`, {
    metadata,
    subjects: [{ kind: 'User', name: 'viewer', apiGroup: 'rbac.authorization.k8s.io' }],
    roleRef: { kind: 'Role', name: 'viewer', apiGroup: 'rbac.authorization.k8s.io' },
  });
}
