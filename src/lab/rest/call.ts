import type { IncomingHttpHeaders } from 'node:http';
import type { Agent } from '../agent/agent.ts';

/** One request, taken apart and held against the description of the API. */
export interface Call {
  /** Values of the places in the path. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: unknown;
}

export interface Answer {
  status: number;
  /** Sent as JSON; absent means an empty body. */
  body?: unknown;
  /** Sent piece by piece instead of `body`. */
  stream?: (gone: AbortSignal) => AsyncIterable<string>;
}

export type Handler = (call: Call, agent: Agent) => Answer | Promise<Answer>;

/** Handlers by operation: `GET /endpoint/{id}`. */
export type Handlers = Readonly<Record<string, Handler>>;

/** Ends a call with an error status. */
export class ApiFailure extends Error {
  override name = 'ApiFailure';
  constructor(
    readonly status: number,
    /** Usually a sentence; undefined where the API answers without a body. */
    readonly payload?: unknown,
  ) {
    super(typeof payload === 'string' ? payload : `status ${status}`);
  }
}

export function ok(body?: unknown): Answer {
  return body === undefined ? { status: 200 } : { status: 200, body };
}

/** The labels that GET calls take in their body. */
export function labelsIn(body: unknown): string[] {
  return Array.isArray(body) ? body.map(String) : [];
}

/** The number in a path. Throws ApiFailure where it is none. */
export function idOf(text: string | undefined): number {
  if (text && /^\d+$/.test(text)) return Number(text);
  throw new ApiFailure(422, { code: 601, message: `id in path must be of type int64: "${text}"` });
}
