import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server on a unix socket that hands each connection to a function. */
export interface StreamServer extends AsyncDisposable {
  socket: string;
}

/** Serves connections on a fresh unix socket; `serve` gets each one with its number, from 0. */
export async function serveStream(
  serve: (connection: Socket, number: number) => void,
): Promise<StreamServer> {
  const folder = mkdtempSync(join(tmpdir(), 'stream-'));
  const socket = join(folder, 'stream.sock');
  const open = new Set<Socket>();
  let number = 0;
  const server = createServer((connection) => {
    open.add(connection);
    connection.on('error', () => {});
    connection.on('close', () => open.delete(connection));
    serve(connection, number++);
  });
  await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
  return {
    socket,
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
