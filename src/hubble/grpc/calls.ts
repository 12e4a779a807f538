import { errorMessage, UserError } from '../../errors.ts';
import { joinHostPort } from '../../lib/address.ts';
import { goQuote } from '../../lib/go-quote.ts';
import { Http2Connection } from '../http2/connection.ts';
import type { Headers } from '../http2/hpack.ts';
import { type Http2Stream, StreamReset } from '../http2/stream.ts';
import { FrameError, FrameReader, FrameTooLarge, frame, messagesOf } from './frames.ts';
import { ConnectionLost, codeOf, codeOfHttp, codeOfReset, RpcError } from './status.ts';
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
  #connection: Promise<Http2Connection> | undefined;

  constructor(
    readonly settings: ServerSettings,
    private readonly userAgent: string,
    /** Called with the header of every answer. */
    private readonly onHeader: (header: Headers) => void = () => {},
  ) {}

  #connect(): Promise<Http2Connection> {
    this.#connection ??= this.#dial();
    return this.#connection;
  }

  async #dial(): Promise<Http2Connection> {
    const wire = await open(this.settings);
    try {
      return await Http2Connection.greet(wire, WINDOW_BYTES, this.settings.dialTimeoutMs);
    } catch (error) {
      throw dialFault(this.settings, lastError(wire.socket) ?? error);
    }
  }

  /** Sends one message and returns the one that answers it. */
  async unary(call: Call): Promise<Buffer> {
    let answer: Buffer | undefined;
    for await (const whole of this.stream(call)) {
      // What was handed over is overwritten.
      for (const part of whole) for (const message of messagesOf(part)) answer = Buffer.from(message);
    }
    if (answer === undefined)
      throw new RpcError(
        'Internal',
        'cardinality violation: received no response message from non-server-streaming RPC',
        { hint: 'The server ended the call without an answer.' },
      );
    return answer;
  }

  /**
   * Yields the answers, all that one read brought at a time: whole messages behind their heads, which are overwritten when the
   * next ones are asked for. Ends when the server does or the signal is aborted.
   */
  async *stream(call: Call): AsyncGenerator<Buffer[], void, undefined> {
    const deadline = call.timeoutMs === undefined ? undefined : AbortSignal.timeout(call.timeoutMs);
    const signal = AbortSignal.any([call.signal, deadline].filter((s) => s !== undefined));
    const connection = await raceAbort(this.#connect(), signal).catch((error: unknown) => {
      throw this.#ended(error, call, deadline);
    });
    const stream = connection.request(this.#headers(call), call.requests.map(frame), this.onHeader);
    const outcome = new Outcome(stream);
    const abort = () => stream.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      const reader = new FrameReader();
      for await (const chunk of stream.chunks) {
        if (outcome.isForeign) throw await foreignAnswer(outcome, chunk, stream.chunks);
        const whole = reader.push(chunk);
        if (whole.length > 0) yield whole;
      }
      const failure = await outcome.failure(reader.pending, connection.isEnded);
      if (failure) throw failure;
    } catch (error) {
      // What ended the stream says more than how the stream put it.
      const isSaid = error instanceof RpcError || error instanceof FrameError;
      const failure = isSaid || !stream.headers ? undefined : await outcome.failure(0, true);
      throw this.#ended(failure ?? error, call, deadline);
    } finally {
      signal.removeEventListener('abort', abort);
      stream.close();
    }
  }

  #headers(call: Call): Record<string, string> {
    const { basicAuth, tls } = this.settings;
    return {
      ':method': 'POST',
      ':scheme': tls ? 'https' : 'http',
      ':authority': authority(this.settings),
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
    if (error instanceof FrameError)
      return new RpcError(error instanceof FrameTooLarge ? 'ResourceExhausted' : 'Internal', error.message, {
        cause: error,
      });
    // What stood in the way before the call.
    if (error instanceof UserError) return error;
    if (error instanceof StreamReset)
      return new RpcError(
        codeOfReset(error.reason),
        `stream terminated by RST_STREAM with error code: ${error.reason}`,
        { cause: error },
      );
    return new ConnectionLost(`error reading from server: ${errorMessage(error)}`, {
      hint: 'The connection broke: is the server restarting?',
      cause: error,
    });
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    connection?.destroy();
  }
}

function authority({ target }: ServerSettings): string {
  return target.network === 'unix' ? 'localhost' : joinHostPort(target.host, target.port);
}

const FOREIGN_HINT = 'Is this the address of a Hubble server? A proxy in between must pass HTTP/2 and gRPC.';
/** So much is shown of an answer that is none of gRPC. */
const FOREIGN_BYTES = 1024;

/** What the headers and trailers of a call say about its end. */
class Outcome {
  constructor(private readonly stream: Http2Stream) {}

  /** The answer is none of gRPC. */
  get isForeign(): boolean {
    return this.stream.headers !== undefined && isForeign(this.stream.headers);
  }

  /**
   * Why a call that is over failed, when `pending` bytes of a message came last and the connection is gone or stands;
   * undefined when it did not.
   */
  async failure(pending: number, isGone: boolean): Promise<RpcError | undefined> {
    const { headers, trailers } = this.stream;
    if (headers && isForeign(headers)) return foreignHeader(headers);
    const last = trailers ?? headers;
    if (last?.['grpc-status'] !== undefined) {
      const code = codeOf(Number(last['grpc-status']));
      if (code !== 'OK') return new RpcError(code, decodeMessage(last['grpc-message']));
      return pending > 0
        ? new RpcError('Internal', 'unexpected EOF: the last message is cut short')
        : undefined;
    }
    if (headers && !isGone)
      return new RpcError('Internal', 'server closed the stream without sending trailers');
    return new ConnectionLost(
      pending > 0 ? 'the answer broke off in the middle of a message' : 'error reading from server: EOF',
      { hint: 'The server went away before its answer ended.' },
    );
  }
}

function isGrpc(header: Headers): boolean {
  return /^application\/grpc(?:$|[+;])/i.test(header['content-type'] ?? '');
}

function isForeign(header: Headers): boolean {
  return !isGrpc(header) || Number(header[':status']) !== 200;
}

/** What is wrong with a header that does not belong to gRPC, in the words of gRPC for Go. */
async function foreignHeader(header: Headers): Promise<RpcError> {
  const { STATUS_CODES } = await import('node:http');
  const status = Number(header[':status']);
  const type = header['content-type'];
  const parts = [
    `unexpected HTTP status code received from server: ${status} (${STATUS_CODES[status] ?? ''})`,
  ];
  if (type === undefined) parts.push('malformed header: missing HTTP content-type');
  else if (!isGrpc(header)) parts.push(`transport: received unexpected content-type ${goQuote(type)}`);
  return new RpcError(codeOfHttp(status), parts.join('; '), { hint: FOREIGN_HINT });
}

/** The error of an answer that is none of gRPC, with the start of what came. */
async function foreignAnswer(
  outcome: Outcome,
  first: Buffer,
  rest: AsyncIterable<Buffer>,
): Promise<RpcError | undefined> {
  let body: Buffer = Buffer.from(first);
  for await (const chunk of rest) {
    if (body.length >= FOREIGN_BYTES) break;
    body = Buffer.concat([body, chunk]);
  }
  const failure = await outcome.failure(0, true);
  return (
    failure &&
    new RpcError(
      failure.code,
      `${failure.desc}\ndata: ${goQuote(body.toString('latin1', 0, FOREIGN_BYTES))}`,
      {
        hint: FOREIGN_HINT,
      },
    )
  );
}

/** gRPC percent-encodes the bytes of its messages. */
function decodeMessage(text: string | undefined): string {
  const bytes = (text ?? '').replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
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
