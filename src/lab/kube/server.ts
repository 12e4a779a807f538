import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Certificate } from './certificate.ts';
import { discovery } from './discovery.ts';
import { placeOf } from './kinds.ts';
import { decodeObject } from './protobuf.ts';
import { read, watch } from './reads.ts';
import { existing, Refusal, statusOf } from './refusal.ts';
import type { ObjectStore, Stored } from './store.ts';
import { remove, scale, write } from './writes.ts';

const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** What the API serves besides objects. */
export interface ApiParts {
  store: ObjectStore;
  /** Requests without this bearer token are refused. */
  token: string;
  /** The release of Kubernetes that it plays, such as `1.36.0`. */
  version: string;
  nowMs(): number;
  /** The log of a container of a pod. */
  log(pod: Stored, query: URLSearchParams, response: ServerResponse): void;
  /** Checks an object before it is kept; returns what is wrong with it. */
  refuse(object: Record<string, unknown>): Promise<string | undefined>;
}

/** A small Kubernetes API: the kinds of kinds.ts with lists, watches, server-side apply, patches, dry runs. */
export function kubeServer(parts: ApiParts, { cert, key }: Certificate): Server {
  return createServer({ cert, key }, (request, response) => {
    answer(parts, request, response).catch((error: unknown) => {
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
      send(response, statusOf(refusal), refusal.code);
    });
  });
}

/** Whether a request may be answered at all. */
export function isAllowed(request: IncomingMessage, token: string): boolean {
  return request.headers.authorization === `Bearer ${token}`;
}

async function answer(parts: ApiParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isAllowed(request, parts.token)) throw new Refusal(401, 'Unauthorized', 'Unauthorized');
  const url = new URL(request.url ?? '/', 'http://lab');
  const found = discovery(url.pathname, parts.version);
  if (found !== undefined) return send(response, found);
  if (url.pathname.endsWith('/selfsubjectaccessreviews'))
    return send(response, { kind: 'SelfSubjectAccessReview', status: { allowed: true } }, 201);
  const place = placeOf(url.pathname);
  if (!place) throw new Refusal(404, 'NotFound', 'the server could not find the requested resource');
  if (place.subresource === 'log') return parts.log(existing(parts.store, place), url.searchParams, response);
  if (place.subresource === 'scale')
    return send(response, scale(parts.store, place, request.method, await bodyOf(request)));
  if (place.subresource !== undefined && place.subresource !== 'status')
    throw new Refusal(400, 'BadRequest', 'Upgrade request required');
  const { store, refuse } = parts;
  const { method, headers } = request;
  const query = url.searchParams;
  if (method === 'GET') {
    if (query.get('watch') === 'true') return watch(store, place, query, response);
    return send(response, read(store, place, query, headers.accept ?? '', parts.nowMs()));
  }
  const body = await bodyOf(request);
  if (method === 'DELETE') return send(response, remove(store, place, query, body));
  const type = (headers['content-type'] ?? '').replace(/;.*/, '');
  const { object, isNew } = await write(store, place, { method, type, query, body }, refuse);
  send(response, object, isNew ? 201 : 200);
}

function send(response: ServerResponse, value: unknown, code = 200): void {
  if (response.headersSent) return void response.end();
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Refusal(413, 'RequestEntityTooLarge', 'Request entity too large');
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  if (/protobuf/.test(request.headers['content-type'] ?? '')) {
    const object = decodeObject(Buffer.concat(chunks));
    if (!object)
      throw new Refusal(
        415,
        'UnsupportedMediaType',
        'the body of the request is of a form or kind that the lab does not read',
      );
    return object;
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'BadRequest', 'the body of the request is not JSON');
  }
}
