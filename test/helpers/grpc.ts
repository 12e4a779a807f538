import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frame } from '../../src/hubble/grpc/frames.ts';
import { fixturePath } from './recordings.ts';

/** The messages of a recorded gRPC answer: each has a byte of flags and a length of four bytes in front. */
export function recordedMessages(file: string): Buffer[] {
  return framedMessages(readFileSync(fixturePath(`recordings/${file}`)));
}

/** Cuts framed bytes into messages. */
export function framedMessages(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return messages;
}

/** What a server says to one call. */
export interface GrpcAnswer {
  messages?: readonly Uint8Array[];
  /** 0 when absent. */
  status?: number;
  message?: string;
  header?: Record<string, string>;
  /** Takes over after the messages: to hang, to break off, to send more. */
  after?: (stream: ServerHttp2Stream) => void;
  /** Answers instead of all of the above. */
  raw?: (stream: ServerHttp2Stream) => void;
}

/** A gRPC server on a real socket. */
export interface GrpcServer extends AsyncDisposable {
  /** Value of --server. */
  address: string;
  /** Calls that came, in order. */
  seen: { path: string; requests: Buffer[]; headers: Record<string, unknown> }[];
}

export interface GrpcServerOptions {
  tls?: SecureServerOptions;
  /** Listen on TCP instead of a unix socket. */
  tcp?: boolean;
}

/** Serves answers by path; a path without one is unimplemented. */
export async function serveGrpc(
  answers: Record<string, GrpcAnswer | ((requests: Buffer[]) => GrpcAnswer)>,
  options: GrpcServerOptions = {},
): Promise<GrpcServer> {
  const seen: GrpcServer['seen'] = [];
  const server: Http2Server = options.tls ? (createSecureServer(options.tls) as never) : createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => {});
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const path = String(headers[':path']);
      const requests = framedMessages(Buffer.concat(parts));
      seen.push({ path, requests, headers });
      const found = answers[path] ?? { status: 12, message: `unknown method ${path.split('/').at(-1)}` };
      answer(stream, typeof found === 'function' ? found(requests) : found);
    });
  });
  const folder = mkdtempSync(join(tmpdir(), 'grpc-'));
  const socket = join(folder, 'hubble.sock');
  await new Promise<void>((resolve) =>
    options.tcp ? server.listen(0, '127.0.0.1', resolve) : server.listen(socket, resolve),
  );
  return {
    address: options.tcp ? `127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${socket}`,
    seen,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answer(stream: ServerHttp2Stream, found: GrpcAnswer): void {
  if (found.raw) {
    found.raw(stream);
    return;
  }
  const { messages = [], status = 0, message = '', header = {} } = found;
  const outcome = {
    'grpc-status': String(status),
    ...(message && { 'grpc-message': encodeURIComponent(message) }),
  };
  const head = { ':status': 200, 'content-type': 'application/grpc', ...header };
  if (messages.length === 0 && status !== 0) {
    stream.respond({ ...head, ...outcome }, { endStream: true });
    return;
  }
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(outcome));
  for (const each of messages) stream.write(frame(each));
  if (found.after) found.after(stream);
  else stream.end();
}
