import type { Duplex } from 'node:stream';

/** First bytes of what a TLS server says: a handshake, or an alert. */
const TLS_RECORDS: readonly (number | undefined)[] = [0x16, 0x15];

/**
 * Whether the far end of a connection answers a greeting of TLS as such. The connection is used up. Rejects with its error,
 * and after `timeoutMs`.
 */
export async function speaksTls(stream: Duplex, timeoutMs: number): Promise<boolean> {
  const { connect } = await import('node:tls');
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const late = () => reject(new Error(`no answer within ${timeoutMs / 1000} s`));
  const timer = setTimeout(late, timeoutMs);
  stream.once('data', (bytes: Buffer) => resolve(TLS_RECORDS.includes(bytes[0])));
  stream.once('error', reject);
  stream.once('close', () => resolve(false));
  // Nothing is sent over it: who the far end is, is verified by the connection that follows.
  const greeting = connect({ socket: stream, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  greeting.on('error', () => {});
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    greeting.destroy();
    stream.on('error', () => {}).destroy();
  }
}
