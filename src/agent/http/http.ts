import type { Client as UndiciClient } from 'undici';
import { errorCode, errorMessage, UserError } from '../../errors.ts';
import { Deadline } from '../../lib/deadline.ts';
import { type Dial, dialSocket } from '../../lib/dial.ts';
import { checkServerName, verifyFault } from '../../lib/go-x509.ts';
import { exchangeOverSocket } from './unix-http.ts';

/** Where a server listens: `unix:///path` or `tcp://host:port`. */
export interface Address {
  network: 'unix' | 'tcp';
  /** Path of the socket, or `host:port`. */
  target: string;
  /** HTTPS with these; PEM texts. Without it the connection is in the clear. */
  tls?: { ca?: string; cert?: string; key?: string; servername?: string };
}

/** Larger bodies are refused: the values that one of nothing but brackets stands for take twenty times as much. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** One HTTP request. */
export interface HttpRequest {
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Path with its query, already escaped. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** For the whole exchange; absent means no limit. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal;
  maxBodyBytes?: number;
}

/** A complete answer. */
export interface HttpResponse {
  status: number;
  contentType: string;
  body: Buffer;
}

/** What went wrong below HTTP, in a form that callers can branch on. */
export type TransportFault =
  | 'no-socket'
  | 'permission'
  | 'refused'
  | 'timeout'
  | 'not-http'
  | 'truncated'
  | 'too-large'
  | 'aborted'
  | 'other';

/** The exchange itself failed: no server, no permission, a broken answer. */
export class TransportError extends UserError {
  override name = 'TransportError';
  constructor(
    readonly fault: TransportFault,
    message: string,
    /** True when the request may have reached the server, so that a write may have taken effect. */
    readonly mayHaveArrived: boolean,
    options: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

/** Parses a server address in the reference's syntax. */
export function parseAddress(host: string): Address {
  const at = host.indexOf('://');
  const network = host.slice(0, Math.max(at, 0));
  if (network !== 'unix' && network !== 'tcp')
    throw new UserError(`invalid host format '${host}'`, {
      hint: 'Expected unix://PATH or tcp://HOST:PORT.',
    });
  const target = host.slice(at + 3);
  if (target === '')
    throw new UserError(`invalid host format '${host}'`, { hint: 'The address after :// is empty.' });
  return { network, target };
}

/** HTTP/1.1 to one server: over a unix socket with a connection per request, over TCP with one that is kept. */
export class HttpClient {
  #client: UndiciClient | undefined;

  constructor(
    readonly address: Address,
    private readonly dial: Dial = dialSocket,
  ) {}

  async #connect(): Promise<UndiciClient> {
    if (this.#client) return this.#client;
    // Only the client: the package's index also builds fetch, WebSocket and caches, 60 ms of every start.
    const { default: Client } = await import('undici/lib/dispatcher/client.js');
    const { target, tls } = this.address;
    this.#client ??= new Client(`${tls ? 'https' : 'http'}://${target}`, {
      // HTTP/2 is not part of the bundle.
      ...(tls && { connect: { ...tls, checkServerIdentity: checkServerName }, allowH2: false }),
      connectTimeout: 10_000,
      maxHeaderSize: 64 * 1024,
      pipelining: 1,
    });
    return this.#client;
  }

  /** Sends a request and collects the answer. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const chunks: Buffer[] = [];
    const limit = request.maxBodyBytes ?? MAX_BODY_BYTES;
    let size = 0;
    const head = await this.#dispatch(request, (chunk) => {
      size += chunk.length;
      if (size > limit) throw new BodyTooLarge(limit);
      chunks.push(chunk);
      return undefined;
    });
    return { ...head, body: Buffer.concat(chunks, size) };
  }

  /** Sends a request and hands each piece of the answer to `onData`; a promise it returns holds the stream back. */
  async stream(
    request: HttpRequest,
    onData: (chunk: Buffer, status: number) => Promise<void> | undefined,
  ): Promise<Omit<HttpResponse, 'body'>> {
    return this.#dispatch(request, onData);
  }

  async #dispatch(
    request: HttpRequest,
    onData: (chunk: Buffer, status: number) => Promise<void> | undefined,
  ): Promise<Omit<HttpResponse, 'body'>> {
    const progress = { sent: false, status: 0, contentType: '' };
    if (this.address.network === 'unix') return this.#overSocket(request, onData, progress);
    const client = await this.#connect();
    return new Promise((resolve, reject) => {
      let abort = (_: Error) => {};
      const deadline = new Deadline(request.timeoutMs, request.signal);
      const { signal } = deadline;
      const stop = () => abort(signal.reason);
      const finish = (error?: Error) => {
        signal.removeEventListener('abort', stop);
        deadline[Symbol.dispose]();
        if (error) reject(this.#explain(error, request, progress, deadline.isOver));
        else resolve({ status: progress.status, contentType: progress.contentType });
      };
      if (signal.aborted) return finish(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
      client.dispatch(
        {
          method: request.method,
          path: request.path,
          headers: { accept: 'application/json', ...request.headers },
          ...(request.body !== undefined && { body: request.body }),
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        {
          onRequestStart(controller) {
            progress.sent = true;
            abort = (reason) => controller.abort(reason);
            if (signal.aborted) stop();
          },
          onResponseStart(_, status, headers) {
            progress.status = status;
            progress.contentType = String(headers['content-type'] ?? '');
          },
          onResponseData(controller, chunk) {
            try {
              const wait = onData(chunk, progress.status);
              if (!wait) return;
              controller.pause();
              wait.then(
                () => controller.resume(),
                (error) => controller.abort(error),
              );
            } catch (error) {
              controller.abort(error instanceof Error ? error : new Error(String(error)));
            }
          },
          onResponseEnd: () => finish(),
          onResponseError: (_, error) => finish(error),
        },
      );
    });
  }

  async #overSocket(
    request: HttpRequest,
    onData: (chunk: Buffer, status: number) => Promise<void> | undefined,
    progress: { sent: boolean; status: number; contentType: string },
  ): Promise<Omit<HttpResponse, 'body'>> {
    using deadline = new Deadline(request.timeoutMs, request.signal);
    const { signal } = deadline;
    const { method, path, body } = request;
    try {
      const headers = { accept: 'application/json', ...request.headers };
      await exchangeOverSocket(this.dial, this.address.target, { method, path, headers, body }, signal, {
        onConnect: () => {
          progress.sent = true;
        },
        onHead: (status, head) => {
          progress.status = status;
          progress.contentType = head['content-type'] ?? '';
        },
        onData: (chunk) => onData(chunk, progress.status),
      });
      return { status: progress.status, contentType: progress.contentType };
    } catch (error) {
      throw this.#explain(error, request, progress, deadline.isOver);
    }
  }

  #explain(
    error: unknown,
    request: HttpRequest,
    progress: { sent: boolean; status: number },
    timedOut: boolean,
  ): Error {
    if (request.signal?.aborted) return request.signal.reason;
    if (error instanceof UserError) return error;
    const where = `${this.address.network}://${this.address.target}`;
    const what = `${request.method} ${where}${request.path}`;
    const fault = (kind: TransportFault, text: string, hint?: string) =>
      new TransportError(kind, `${what}: ${text}`, progress.sent, { hint, cause: error });
    if (timedOut)
      return fault(
        'timeout',
        `no answer within ${(request.timeoutMs ?? 0) / 1000} s`,
        'Cilium API client timeout exceeded. A longer --timeout may help where the command has one.',
      );
    if (error instanceof BodyTooLarge) return fault('too-large', error.message);
    const code = errorCode(error) ?? errorCode(Object(error).cause);
    switch (code) {
      case 'ENOENT':
        return fault(
          'no-socket',
          'no such socket',
          `Is the agent running? Its socket is named by --host or CILIUM_SOCK.`,
        );
      case 'EACCES':
      case 'EPERM':
        return fault(
          'permission',
          'permission denied',
          'Run the command as root, or as a member of the group that owns the socket.',
        );
      case 'ECONNREFUSED':
      case 'ENOTSOCK':
      case 'EPROTOTYPE':
        return fault('refused', 'connection refused: nothing listens there', 'Is the agent running?');
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return fault('refused', 'the host name is unknown');
      case 'UND_ERR_CONNECT_TIMEOUT':
        return fault('timeout', 'no connection within 10 s');
      case 'UND_ERR_SOCKET':
      case 'ECONNRESET':
      case 'EPIPE':
      case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
        return fault(
          'truncated',
          progress.status
            ? 'the answer broke off before its end'
            : 'the connection was closed before an answer',
          'Is the agent restarting?',
        );
      case 'UND_ERR_HEADERS_OVERFLOW':
        return fault(
          'too-large',
          'the head of the answer does not end: 64 KiB and 16 interim answers are read of it',
          'Is this the socket of a Cilium agent?',
        );
      default:
        if (Object(error).name === 'HTTPParserError')
          return fault('not-http', 'the server does not speak HTTP', 'Is this the socket of a Cilium agent?');
        return fault('other', verifyFault(code) ?? errorMessage(error));
    }
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.#client?.destroy();
  }
}

class BodyTooLarge extends Error {
  constructor(limit: number) {
    super(`the answer is larger than ${limit / 1024 / 1024} MiB`);
  }
}
