import type { Readable } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { RecordedRun } from '../archive/recorded-agent.ts';
import type { Recording } from '../archive/recording.ts';
import { errorMessage, Unreachable, UserError } from '../errors.ts';
import { Deadline } from '../lib/deadline.ts';
import { parsePlainJson, TooDeep } from '../lib/exact-json.ts';
import { type Form, Misfit, ofForm } from '../lib/form.ts';
import { type ClusterFlags, loadKubeConfig, shownServer } from './config.ts';
import { Connection, type Impersonation } from './connection.ts';
import { faultWords, innermost, isOwnFault, refusalHint } from './faults.ts';
import { OBJECT, STATUS } from './forms.ts';

/** An object of the Kubernetes API, as far as every one has the same. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: {
    name?: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    resourceVersion?: string;
    uid?: string;
    ownerReferences?: { kind?: string; name?: string; uid?: string }[];
    finalizers?: string[];
    managedFields?: unknown[];
    generation?: number;
  };
}

/** The API server's own words about a request that failed (`kind: Status`). */
export interface Status {
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    kind?: string;
    causes?: { reason?: string; message?: string; field?: string }[];
  };
}

/** The API server refused a request. */
export class KubeRefusal extends UserError {
  override name = 'KubeRefusal';
  constructor(
    readonly code: number,
    readonly status: Status,
    message: string,
    hint?: string,
  ) {
    super(message, { hint });
  }
}

/** The API server was not reached, or went away before its answer ended. */
export class KubeUnreachable extends Unreachable {
  override name = 'KubeUnreachable';
}

/** The API server did not answer in time. */
class KubeLate extends KubeUnreachable {
  override name = 'KubeLate';
}

/** One request. */
export interface KubeRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/api` or `/apis` on, without a query. */
  path: string;
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  body?: unknown;
  contentType?: string;
  accept?: string | undefined;
  /** What the answer has to be; absent means an object. */
  form?: Form;
  /** Until the answer begins, and for JSON until it ends; absent means the client's. 0 means no limit. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** How a cluster is spoken to. */
export interface KubeOptions extends ClusterFlags {
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  /** For a request with one answer, in milliseconds. Default 30 s. */
  timeoutMs?: number | undefined;
  as?: Impersonation | undefined;
}

/** What answers instead of an API server: a recording of one. */
export interface RecordedServer {
  /** What the user calls it. */
  readonly label: string;
  readonly recording: Recording;
  /** As a server would answer. Throws KubeRefusal, or UserError where it was not recorded. */
  json(request: KubeRequest): Promise<unknown>;
  open(request: KubeRequest): Promise<Readable>;
  /** What a command in a container printed. */
  run(place: { pod: string; container: string; command: readonly string[] }): Promise<RecordedRun>;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Larger answers are refused; lists come in pages. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * The API server of a cluster, over the credentials and proxies of a kubeconfig. Raw paths and plain objects: the typed
 * classes of the client library would cost a second of every start.
 */
export class KubeClient implements AsyncDisposable {
  #hasAnswered = false;
  /** Asked when the server goes away that has answered before: whether it is back, and to be asked once more. */
  onOutage: ((why: string) => Promise<boolean>) | undefined;

  private constructor(
    private readonly connection: Connection | undefined,
    private readonly options: KubeOptions,
    /** What answers, where it is no server. */
    readonly recorded?: RecordedServer,
  ) {}

  /** Reads the kubeconfig, or in a pod the service account. Connects on the first request. */
  static async open(options: KubeOptions): Promise<KubeClient> {
    const config = await loadKubeConfig(options.env, options);
    return new KubeClient(new Connection(config, options.as), options);
  }

  /** A client whose answers come from a recording. */
  static ofRecording(recorded: RecordedServer, options: KubeOptions): KubeClient {
    return new KubeClient(undefined, options, recorded);
  }

  get #live(): Connection {
    if (this.connection) return this.connection;
    throw new UserError(`${this.server} is no API server: only what was recorded of one can be read`);
  }

  get config(): KubeConfig {
    return this.#live.config;
  }

  /** URL of the API server, without a slash at its end. */
  get server(): string {
    return this.recorded?.label ?? this.#live.server;
  }

  /** The namespace that the kubeconfig's context names. */
  get namespace(): string | undefined {
    if (this.recorded) return undefined;
    return this.config.getContextObject(this.config.getCurrentContext())?.namespace;
  }

  get signal(): AbortSignal {
    return this.options.signal;
  }

  /** How long a request may take that says nothing of it, in milliseconds; 0 means no limit. */
  get timeoutMs(): number {
    return this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** An answer as JSON. Throws KubeRefusal or KubeUnreachable. */
  async json<T>(request: KubeRequest): Promise<T> {
    try {
      const answer = await this.#json<T>(request);
      this.#hasAnswered = true;
      return answer;
    } catch (error) {
      const isRead = (request.method ?? 'GET') === 'GET';
      const isAway = error instanceof KubeUnreachable && !(error instanceof KubeLate);
      if (!(isAway && isRead && this.#hasAnswered)) throw error;
      if (!(await this.onOutage?.(error.message))) throw error;
      return await this.#json<T>(request);
    }
  }

  async #json<T>(request: KubeRequest): Promise<T> {
    const limitMs = request.timeoutMs ?? this.timeoutMs;
    using deadline = new Deadline(limitMs, request.signal ?? this.options.signal);
    const { signal } = deadline;
    try {
      const value = await (this.recorded?.json(request) ??
        this.#parsed({ ...request, signal, timeoutMs: 0 }));
      return ofForm<T>(value, request.form ?? OBJECT);
    } catch (error) {
      if (deadline.isOver) throw this.tooLate(request, limitMs);
      if (error instanceof SyntaxError)
        throw new KubeUnreachable(
          `${this.#what(request)}: ${error instanceof TooDeep ? error.message : 'the answer is not JSON'}`,
          {
            hint: 'Is this the address of a Kubernetes API server?',
            cause: error,
          },
        );
      if (error instanceof Misfit)
        throw new UserError(
          `${this.#what(request)}: the answer is not as Kubernetes gives it: ${error.message}`,
          {
            cause: error,
          },
        );
      throw error instanceof UserError || signal.aborted ? error : this.explain(error, request);
    }
  }

  async #parsed(request: KubeRequest): Promise<unknown> {
    return parsePlainJson((await collect(await this.open(request))).toString('utf8'));
  }

  /** As `json`; undefined where the server does not know the object or its kind. */
  async find<T>(request: KubeRequest): Promise<T | undefined> {
    try {
      return await this.json<T>(request);
    } catch (error) {
      if (error instanceof KubeRefusal && error.code === 404) return undefined;
      throw error;
    }
  }

  /** The body of an answer as it comes: of a watch, of logs. Errors while it is read are the caller's (`explain`). */
  async open(request: KubeRequest): Promise<Readable> {
    if (this.recorded) return await this.recorded.open(request);
    const { method = 'GET', body, contentType = 'application/json' } = request;
    const headers = await this.headers();
    headers.accept = request.accept ?? 'application/json';
    if (body !== undefined) headers['content-type'] = contentType;
    const limitMs = request.timeoutMs ?? this.timeoutMs;
    const { dispatcher, origin, prefix } = await this.#live.open();
    const signal = request.signal ?? this.options.signal;
    signal.throwIfAborted();
    try {
      const answer = await dispatcher.request({
        origin,
        path: prefix + withQuery(request),
        method,
        headers,
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        signal,
        headersTimeout: limitMs,
        bodyTimeout: 0,
      });
      if (answer.statusCode < 300) return answer.body;
      throw this.refusal(answer.statusCode, await collect(answer.body), request);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof UserError ? error : this.explain(error, request);
    }
  }

  /** Credentials and impersonation; asked anew for each request, since tokens are renewed. */
  headers(): Promise<Record<string, string | string[]>> {
    return this.#live.headers();
  }

  /** Puts an error below HTTP into words. A fault of this program stays what it is. */
  explain(error: unknown, request: KubeRequest): Error {
    const inner = innermost(error);
    if (isOwnFault(inner)) return inner;
    const { text, hint } = faultWords(inner, this.connection?.config.getCurrentCluster()?.proxyUrl);
    return new KubeUnreachable(`${this.#what(request)}: ${text}`, { hint, cause: error });
  }

  /** The error of a request that was not answered in its time. */
  tooLate(request: KubeRequest, limitMs: number): KubeLate {
    return new KubeLate(`${this.#what(request)}: no answer within ${limitMs / 1000} s`, {
      hint: 'Is the API server overloaded? A longer --timeout may help.',
    });
  }

  /** An answer of the server that is no success. */
  refusal(code: number, body: Buffer, request: KubeRequest): KubeRefusal {
    const status = parseStatus(body);
    const isJson = Object.keys(status).length > 0 || body.length === 0 || body[0] === 0x7b;
    const rest = isJson ? '' : `: ${body.toString('utf8', 0, 200).trim()}`;
    const told = status.message ?? `the API server answered ${code}${rest}`;
    return new KubeRefusal(
      code,
      status,
      `${this.#what(request)}: ${told}`,
      refusalHint(code, this.options.as),
    );
  }

  #what({ method = 'GET', path }: KubeRequest): string {
    return `${method} ${shownServer(this.server)}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.recorded?.close();
    await this.connection?.[Symbol.asyncDispose]();
  }
}

function withQuery({ path, query = {} }: KubeRequest): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, String(value));
  return words.size > 0 ? `${path}?${words}` : path;
}

/** The Status in a body; empty where there is none. */
export function parseStatus(body: Buffer): Status {
  try {
    return ofForm<Status>(parsePlainJson(body.toString('utf8')), STATUS);
  } catch {
    return {};
  }
}

/** Collects an answer of at most `limit` bytes. */
export async function collect(body: AsyncIterable<Buffer>, limit = MAX_ANSWER_BYTES): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > limit) throw new UserError(`the answer is larger than ${limit / 1024 / 1024} MiB`);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

/** What is wrong, in the server's own words where it refused. */
export function wordsOf(error: unknown): string {
  return error instanceof KubeRefusal ? (error.status.message ?? error.message) : errorMessage(error);
}
