import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RestExchange } from './recordings.ts';

/** A server on a unix socket that answers requests as they were recorded. */
export interface Replay extends AsyncDisposable {
  socket: string;
  /** Requests that came, in order. */
  seen: {
    method: string;
    path: string;
    body: string;
    headers: Record<string, string | string[] | undefined>;
  }[];
}

/**
 * Serves recorded exchanges. Exchanges of the same method and path are answered in their recorded order, the
 * last one again and again; a request that was never recorded gets a 404.
 */
export async function replay(exchanges: readonly RestExchange[]): Promise<Replay> {
  const queues = new Map<string, RestExchange[]>();
  for (const exchange of exchanges) {
    const key = `${exchange.request.method} ${exchange.request.path}`;
    queues.set(key, [...(queues.get(key) ?? []), exchange]);
  }
  const seen: Replay['seen'] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      seen.push({ method, path, body: Buffer.concat(parts).toString(), headers });
      const queue = queues.get(`${method} ${path}`);
      const exchange = queue && (queue.length > 1 ? queue.shift() : queue[0]);
      if (!exchange) {
        response.writeHead(404, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ code: 404, message: `path ${path} was not found` }));
        return;
      }
      const { status, contentType, body } = exchange.response;
      response.writeHead(status, contentType ? { 'content-type': contentType } : {});
      response.end(body);
    });
  });
  const socket = await listen(server);
  return { socket, seen, [Symbol.asyncDispose]: () => close(server, socket) };
}

/** Listens on a fresh unix socket in a private folder. */
export async function listen(server: Pick<Server, 'listen'>): Promise<string> {
  const socket = join(mkdtempSync(join(tmpdir(), 'replay-')), 'agent.sock');
  await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
  return socket;
}

/** Ends a server of `listen` and its connections, and removes its folder. */
export async function close(server: Server, socket: string): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(join(socket, '..'), { recursive: true, force: true });
}
