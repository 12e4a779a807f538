import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import { KubeClient, type KubeOptions } from '../../src/kube/client.ts';

/** A stand-in for a Kubernetes API server, and the kubeconfig that leads to it. */
export interface KubeServer extends AsyncDisposable {
  url: string;
  kubeconfig: string;
}

/**
 * A server of Kubernetes' waits until a slow reader has taken what was sent before the end; by default this one would
 * break the connection after half a minute. The types do not know the option.
 */
const PATIENT = { closeTimeout: 24 * 3600_000 };

/** Takes a WebSocket that a client asked for. */
export type SocketHandler = (socket: WebSocket, url: URL) => void;

/**
 * Serves the handler's answers on a port of its own, and with `onSocket` WebSockets, but for those of a pod that is not
 * there.
 */
export async function serveKube(
  handler: RequestListener,
  onSocket?: SocketHandler,
  {
    protocol = 'v5.channel.k8s.io',
    isThere = () => true,
    port = 0,
  }: {
    protocol?: string | undefined;
    isThere?: (url: URL) => boolean;
    /** Any when absent. */
    port?: number | undefined;
  } = {},
): Promise<KubeServer> {
  const server = createServer(handler);
  const sockets = new WebSocketServer({
    noServer: true,
    ...PATIENT,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : ([...offered][0] ?? false)),
  });
  if (onSocket)
    server.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url ?? '/', 'http://x');
      if (isThere(url)) return sockets.handleUpgrade(request, socket, head, (ws) => onSocket(ws, url));
      const body = JSON.stringify(refusal(404, 'NotFound', `${url.pathname} not found`));
      socket.end(`HTTP/1.1 404 Not Found\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const folder = mkdtempSync(join(tmpdir(), 'kube-'));
  const kubeconfig = join(folder, 'config');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: url } }],
      contexts: [{ name: 'k', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': 'k',
    }),
  );
  return {
    url,
    kubeconfig,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A client of that server, as an anonymous user. */
export function kubeClient(
  { kubeconfig }: KubeServer,
  options: Partial<KubeOptions> = {},
): Promise<KubeClient> {
  return KubeClient.open({ env: {}, kubeconfig, signal: new AbortController().signal, ...options });
}

/** Answers with JSON. */
export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** A refusal as the API server words it. */
export function refusal(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}
