import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorMessage } from '../../errors.ts';

/** Codes of gRPC that a lab answers with. */
export const GRPC_CODE = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
} as const;

/** Ends a call with a status other than OK. */
export class GrpcFailure extends Error {
  override name = 'GrpcFailure';
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** A call under way. */
export interface GrpcCall {
  request: Buffer;
  /** Aborted when the client has gone or its deadline has passed. */
  signal: AbortSignal;
  /** Sends one or several messages, each framed already; resolves when there is room for more. */
  send(framed: Buffer): Promise<void>;
}

/** A server that can be told to drop its clients. */
export type HubbleServer = Http2Server & { disconnect(): void };

/** Answers a call; the status is OK when it returns. */
export type GrpcHandler = (call: GrpcCall) => Promise<void>;

const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
const FRAME_HEAD = 5;

/**
 * A gRPC server for calls with one request, on HTTP/2 itself: answers are bytes that were framed beforehand, many to
 * a write, which is several times faster than a message at a time.
 */
export function grpcServer(
  handlers: ReadonlyMap<string, GrpcHandler>,
  headers: Readonly<Record<string, string>> = {},
): HubbleServer {
  const sessions = new Set<ServerHttp2Session>();
  const server = Object.assign(createServer(), {
    disconnect: () => {
      for (const session of sessions) session.destroy();
    },
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => {});
  });
  server.on('stream', (stream: ServerHttp2Stream, requestHeaders: IncomingHttpHeaders) => {
    stream.on('error', () => {});
    void serve(stream, requestHeaders, handlers, headers);
  });
  return server;
}

async function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  handlers: ReadonlyMap<string, GrpcHandler>,
  extra: Readonly<Record<string, string>>,
): Promise<void> {
  const gone = new AbortController();
  stream.on('close', () => gone.abort());
  const deadline = timeoutMs(headers['grpc-timeout']);
  const signal =
    deadline === undefined ? gone.signal : AbortSignal.any([gone.signal, AbortSignal.timeout(deadline)]);
  const head = { ':status': 200, 'content-type': 'application/grpc', ...extra };
  try {
    if (!headers['content-type']?.startsWith('application/grpc')) {
      stream.respond({ ':status': 415 }, { endStream: true });
      return;
    }
    const path = String(headers[':path'] ?? '');
    const handler = handlers.get(path);
    if (!handler) throw new GrpcFailure(GRPC_CODE.unimplemented, unknownMethod(path, handlers));
    const request = await readRequest(stream, headers);
    const send = async (framed: Buffer) => {
      if (signal.aborted) return;
      if (!stream.headersSent) {
        stream.respond(head, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      }
      if (!stream.write(framed)) await writable(stream, signal);
    };
    let trailers: Record<string, string> = { 'grpc-status': '0' };
    try {
      await handler({ request, signal, send });
      if (signal.aborted && !gone.signal.aborted)
        throw new GrpcFailure(GRPC_CODE.deadlineExceeded, 'context deadline exceeded');
    } catch (error) {
      if (!stream.headersSent) throw error;
      trailers = statusOf(error);
    }
    if (stream.destroyed) return;
    if (!stream.headersSent) stream.respond({ ...head, ...trailers }, { endStream: true });
    else stream.end();
  } catch (error) {
    // Nothing was sent yet: the status goes into the header.
    if (!stream.destroyed && !stream.headersSent)
      stream.respond({ ...head, ...statusOf(error) }, { endStream: true });
  }
}

function statusOf(error: unknown): Record<string, string> {
  const code = error instanceof GrpcFailure ? error.code : GRPC_CODE.internal;
  // The message is percent-encoded UTF-8 with the printable ASCII characters left as they are.
  const message = [...Buffer.from(errorMessage(error))]
    .map((b) =>
      b >= 0x20 && b <= 0x7e && b !== 0x25
        ? String.fromCharCode(b)
        : `%${b.toString(16).padStart(2, '0').toUpperCase()}`,
    )
    .join('');
  return { 'grpc-status': String(code), 'grpc-message': message };
}

function unknownMethod(path: string, handlers: ReadonlyMap<string, GrpcHandler>): string {
  const [, service = '', method = ''] = path.split('/');
  const known = [...handlers.keys()].some((key) => key.startsWith(`/${service}/`));
  return known ? `unknown method ${method} for service ${service}` : `unknown service ${service}`;
}

async function readRequest(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  const body: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
  for await (const part of body) {
    size += part.length;
    if (size > MAX_REQUEST_BYTES)
      throw new GrpcFailure(
        GRPC_CODE.resourceExhausted,
        `the request is larger than ${MAX_REQUEST_BYTES} bytes`,
      );
    parts.push(part);
    // A client may keep its side open: one whole message is a request.
    if (size >= FRAME_HEAD && size >= FRAME_HEAD + Buffer.concat(parts).readUInt32BE(1)) break;
  }
  const all = Buffer.concat(parts);
  if (all.length < FRAME_HEAD) throw new GrpcFailure(GRPC_CODE.internal, 'the request has no message');
  const message = all.subarray(FRAME_HEAD, FRAME_HEAD + all.readUInt32BE(1));
  if (all[0] === 0) return message;
  if (headers['grpc-encoding'] !== 'gzip')
    throw new GrpcFailure(GRPC_CODE.unimplemented, `unknown compression ${String(headers['grpc-encoding'])}`);
  return await promisify(gunzip)(message);
}

function writable(stream: ServerHttp2Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
    signal.addEventListener('abort', done);
  });
}

const UNIT_MS: Readonly<Record<string, number>> = { H: 3.6e6, M: 6e4, S: 1e3, m: 1, u: 1e-3, n: 1e-6 };

/** The value of grpc-timeout in milliseconds. */
function timeoutMs(header: string | string[] | undefined): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(String(header ?? ''));
  if (!match) return undefined;
  return Math.min(2 ** 31 - 1, Math.ceil(Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 1)));
}
