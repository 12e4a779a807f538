import { chmodSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import { errorCode, UserError } from '../errors.ts';
import type { Agent } from './agent/agent.ts';
import type { LabInfo } from './folder.ts';
import type { HubbleServer } from './hubble/grpc-server.ts';
import type { HubbleServices } from './hubble/observer.ts';
import { monitorServer } from './monitor.ts';
import { healthServer } from './rest/health.ts';
import { restServer } from './rest/server.ts';
import { shellServer } from './shell.ts';
import type { AgentVersion } from './version.ts';

const SOCKET_MODE = 0o660;

/** What answers, and where. */
export interface Served {
  agent: Agent;
  hubble: HubbleServices;
  version: AgentVersion;
  sockets: LabInfo['sockets'];
  /** 0 or absent takes a free one. */
  hubblePort?: number | undefined;
}

/** Opens all sockets of an agent, each of which `opened` closes again. Returns the TCP address of its Hubble. */
export async function serveAgent(
  { agent, hubble, version, sockets, hubblePort }: Served,
  opened: AsyncDisposableStack,
): Promise<string> {
  const at = async (path: string, server: NetServer, stop: () => Promise<void>) => {
    await listen(server, path);
    chmodSync(path, SOCKET_MODE);
    opened.defer(stop);
  };
  for (const [path, server] of [
    [sockets.agent, restServer(agent)],
    [sockets.health, healthServer(agent)],
  ] as const)
    await at(path, server, () => stopHttp(server));
  for (const [path, server] of [
    [sockets.monitor, monitorServer(version)],
    [sockets.shell, shellServer(agent)],
  ] as const)
    await at(path, server, stopperOf(server));
  const [unix, tcp] = [hubble.server(), hubble.server()];
  await at(sockets.hubble, unix, () => stopHttp2(unix));
  await listen(tcp, { host: '127.0.0.1', port: hubblePort ?? 0 });
  opened.defer(() => stopHttp2(tcp));
  return `127.0.0.1:${portOf(tcp)}`;
}

async function listen(server: NetServer, at: string | { host: string; port: number }): Promise<void> {
  await new Promise<void>((done, reject) => {
    server.once('error', (cause) =>
      reject(
        errorCode(cause) === 'EADDRINUSE'
          ? new UserError(`${typeof at === 'string' ? at : `${at.host}:${at.port}`} is taken already`, {
              cause,
            })
          : cause,
      ),
    );
    server.listen(at, () => done());
  });
}

function portOf(server: NetServer): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function stopHttp(server: Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeIdleConnections();
  // Streams that follow (map events) would keep it open for ever.
  const patience = setTimeout(() => server.closeAllConnections(), 200).unref();
  await closed;
  clearTimeout(patience);
}

/** Keeps count of a server's connections from now on, and stops it with them. */
function stopperOf(server: NetServer): () => Promise<void> {
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  return () =>
    new Promise((done) => {
      server.close(() => done());
      for (const socket of connections) socket.destroy();
    });
}

async function stopHttp2(server: HubbleServer): Promise<void> {
  await new Promise<void>((done) => {
    server.close(() => done());
    server.disconnect();
  });
}
