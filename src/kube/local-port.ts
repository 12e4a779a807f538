import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemReason, UserError } from '../errors.ts';

/** A port of the loopback of this machine that leads elsewhere. */
export interface LocalPort extends AsyncDisposable {
  port: number;
}

/**
 * Listens on 127.0.0.1, and on ::1 where there is one; 0 takes any port that is free. Each connection is joined to one
 * that `dial` makes. What keeps it from that is told to `onTrouble`, and the connection is ended.
 */
export async function listenLocally(
  port: number,
  dial: () => Promise<Duplex>,
  onTrouble: (error: unknown) => void,
): Promise<LocalPort> {
  const sockets = new Set<Socket>();
  const take = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {});
    dial().then(
      (far) => join(socket, far),
      (error: unknown) => {
        onTrouble(error);
        socket.resetAndDestroy();
      },
    );
  };
  const first = await listen(port, '127.0.0.1', take);
  const taken = portOf(first);
  // Without IPv6, or where somebody else has that port there, IPv4 is enough.
  const second = await listen(taken, '::1', take).catch(() => undefined);
  return {
    port: taken,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([first, second].map((server) => server && closed(server)));
    },
  };
}

/** Passes bytes in both directions until one side is done. */
function join(near: Socket, far: Duplex): void {
  near.once('close', () => far.destroy());
  far.once('close', () => near.destroy()).on('error', () => {});
  if (near.destroyed) {
    far.destroy();
    return;
  }
  near.pipe(far).pipe(near);
}

function listen(port: number, host: string, take: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, take);
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new UserError(`listen on ${host}:${port}: ${systemReason(cause)}`, {
          hint: 'Another port may be free: 0 takes any that is.',
          cause,
        }),
      ),
    );
    server.listen({ port, host, ipv6Only: host.includes(':') }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
