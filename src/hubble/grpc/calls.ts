import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { errorMessage } from '../../errors.ts';
import { joinHostPort } from '../../lib/address.ts';
import { FrameError, FrameReader, frame } from './frames.ts';
import { codeOf, codeOfHttp, RpcError } from './status.ts';
import type { ServerSettings } from './target.ts';
import { dialFault, lastError, open } from './transport.ts';

/** Streams may run this far ahead of the reader. */
const WINDOW_BYTES = 1024 * 1024;

/** One call. */
export interface Call {
  /** `/package.Service/Method` */
  path: string;
  /** Encoded messages, sent at once; the sending side is then closed. */
  requests: readonly Uint8Array[];
  /** For the whole call; absent means no limit. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * gRPC over one HTTP/2 connection, made on the first call. Only what Hubble needs: no compression, no retries.
 * Why not @grpc/grpc-js: docs/decisions/grpc-framing.md.
 */
export class GrpcClient {
  #session: Promise<ClientHttp2Session> | undefined;

  constructor(
    readonly settings: ServerSettings,
    private readonly userAgent: string,
    /** Called with the header of every answer. */
    private readonly onHeader: (header: IncomingHttpHeaders) => void = () => {},
  ) {}

  #connect(): Promise<ClientHttp2Session> {
    this.#session ??= this.#dial();
    return this.#session;
  }

  async #dial(): Promise<ClientHttp2Session> {
    const [socket, http2] = await Promise.all([open(this.settings), import('node:http2')]);
    const session = http2.connect(authority(this.settings), {
      createConnection: () => socket as Socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    });
    session.on('error', () => {});
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        clearTimeout(timer);
        session.destroy();
        reject(dialFault(this.settings, error));
      };
      const timer = setTimeout(
        () => fail(new Error('no answer to the HTTP/2 greeting')),
        this.settings.dialTimeoutMs,
      );
      session.once('remoteSettings', () => {
        clearTimeout(timer);
        session.setLocalWindowSize(WINDOW_BYTES);
        resolve(session);
      });
      session.once('error', fail);
      // The socket may have gone while HTTP/2 was being loaded, and a session on it would never say so.
      const gone = () =>
        fail(lastError(socket) ?? new Error('the connection was closed before its greeting'));
      session.once('close', gone);
      socket.once('close', gone);
      socket.once('error', fail);
      if (socket.destroyed) gone();
    });
  }

  /** Sends one message and returns the one that answers it. */
  async unary(call: Call): Promise<Buffer> {
    let answer: Buffer | undefined;
    for await (const messages of this.stream(call)) answer = messages.at(-1) ?? answer;
    if (answer === undefined) throw new RpcError('Internal', 'the server ended the call without an answer');
    return answer;
  }

  /** Yields the answers, all that one read brought at a time. Ends when the server does or the signal is aborted. */
  async *stream(call: Call): AsyncGenerator<Buffer[], void, undefined> {
    const deadline = call.timeoutMs === undefined ? undefined : AbortSignal.timeout(call.timeoutMs);
    const signal = AbortSignal.any([call.signal, deadline].filter((s) => s !== undefined));
    const session = await raceAbort(this.#connect(), signal).catch((error: unknown) => {
      throw this.#ended(error, call, deadline);
    });
    const stream = session.request(this.#headers(call), { signal });
    const outcome = watch(stream, this.onHeader);
    for (const request of call.requests) stream.write(frame(request));
    stream.end();
    const reader = new FrameReader();
    try {
      for await (const chunk of stream) {
        const messages = reader.push(chunk as Buffer);
        if (messages.length > 0) yield messages;
      }
      const failure = outcome.failure(reader.pending);
      if (failure) throw failure;
    } catch (error) {
      // What ended the stream says more than how the stream put it.
      const ended = error instanceof FrameError ? error : (outcome.failure(0) ?? error);
      throw this.#ended(ended, call, deadline);
    } finally {
      if (!stream.closed) stream.close();
    }
  }

  #headers(call: Call): Record<string, string> {
    const { basicAuth, tls } = this.settings;
    return {
      ':method': 'POST',
      ':scheme': tls ? 'https' : 'http',
      ':path': call.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': this.userAgent,
      ...(call.timeoutMs !== undefined && { 'grpc-timeout': `${Math.ceil(call.timeoutMs)}m` }),
      ...(basicAuth && {
        authorization: `Basic ${Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString('base64')}`,
      }),
    };
  }

  /** The error that a caller sees for whatever ended the call. */
  #ended(error: unknown, call: Call, deadline: AbortSignal | undefined): unknown {
    if (call.signal?.aborted) return call.signal.reason;
    if (deadline?.aborted)
      return new RpcError('DeadlineExceeded', 'context deadline exceeded', {
        hint: `The server did not answer within ${(call.timeoutMs ?? 0) / 1000} s (--request-timeout).`,
      });
    if (error instanceof RpcError) return error;
    if (error instanceof FrameError) return new RpcError('Internal', error.message, { cause: error });
    return new RpcError('Unavailable', `error reading from server: ${errorMessage(error)}`, {
      hint: 'The connection broke: is the server restarting?',
      cause: error,
    });
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    session?.destroy();
  }
}

function authority({ target, tls }: ServerSettings): string {
  if (target.network === 'unix') return 'http://localhost';
  return `${tls ? 'https' : 'http'}://${joinHostPort(target.host, target.port)}`;
}

/** Collects what the headers and trailers of a call say about its end. */
function watch(
  stream: ClientHttp2Stream,
  onHeader: (header: IncomingHttpHeaders) => void,
): { failure(pending: number): RpcError | undefined } {
  let header: IncomingHttpHeaders | undefined;
  let trailer: IncomingHttpHeaders | undefined;
  stream.on('response', (headers) => {
    header = headers;
    onHeader(headers);
  });
  stream.on('trailers', (headers) => {
    trailer = headers;
  });
  return {
    failure(pending) {
      const last = trailer ?? header;
      const status = header?.[':status'];
      if (last?.['grpc-status'] !== undefined) {
        const code = codeOf(Number(last['grpc-status']));
        if (code !== 'OK') return new RpcError(code, decodeMessage(last['grpc-message']));
        return pending > 0
          ? new RpcError('Internal', 'unexpected EOF: the last message is cut short')
          : undefined;
      }
      if (status === undefined) return undefined;
      if (Number(status) !== 200)
        return new RpcError(
          codeOfHttp(Number(status)),
          `unexpected HTTP status code received from server: ${status}`,
          { hint: 'Is this the address of a Hubble server? A proxy in between must pass HTTP/2 and gRPC.' },
        );
      return new RpcError(
        'Unavailable',
        pending > 0 ? 'the answer broke off in the middle of a message' : 'error reading from server: EOF',
        { hint: 'The server went away in the middle of its answer.' },
      );
    },
  };
}

/** gRPC percent-encodes the bytes of its messages. */
function decodeMessage(text: string | string[] | undefined): string {
  const bytes = String(text ?? '').replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
