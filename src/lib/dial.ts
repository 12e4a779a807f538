import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Opens a connection to the unix socket at a path. Rejects with the system's error, or the signal's reason; the signal also
 * breaks a connection that stands.
 */
export type Dial = (path: string, signal?: AbortSignal) => Promise<Duplex>;

/** Opens a unix socket of this machine. */
export const dialSocket: Dial = (path, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const socket = connect(path);
    const stop = () => void socket.destroy(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    socket.once('close', () => signal?.removeEventListener('abort', stop));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // Whoever reads from a connection that breaks hears of it there.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
