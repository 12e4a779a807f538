import { UserError } from '../errors.ts';
import type { Dial } from '../lib/dial.ts';
import { formatJson, parseJson, parsePlainJson, TooDeep } from '../lib/exact-json.ts';
import { compareBytes } from '../lib/order.ts';
import { Reader } from './decode/reader.ts';
import type { DeleteAnswers, GetAnswers, PatchAnswers, PutAnswers } from './decode/types.gen.ts';
import { HttpClient, type HttpRequest, parseAddress, TransportError } from './http/http.ts';

export const DEFAULT_SOCKET = '/var/run/cilium/cilium.sock';
const BASE_PATH = '/v1';
/** What an answer may take, and a change: one that is given up may have been made. */
export const TIMEOUT_MS = 30_000;
const WRITE_TIMEOUT_MS = 90_000;

/** Values for the places, the query, the headers and the body of a request. */
export interface CallOptions {
  /** Fills `{name}` in the path. */
  path?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | readonly string[] | undefined>;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  timeoutMs?: number | undefined;
  signal?: AbortSignal;
}

/** An answer that is not parsed yet. */
export interface AnswerText<T> {
  /** The call that was answered, such as `GET /v1/endpoint`. */
  call: string;
  text: string;
  read(): Reader<T>;
}

/** The agent answered with an error status. */
export class ApiError extends UserError {
  override name = 'ApiError';
  constructor(
    readonly method: string,
    /** Template, such as `/endpoint/{id}`. */
    readonly path: string,
    readonly status: number,
    /** Decoded body: usually a sentence. Undefined when there was none. */
    readonly payload: unknown,
  ) {
    super(
      `[${method} ${path}][${status}] ${operationName(method, path)}${statusName(method, path, status)}${payload === undefined ? '' : ` ${cut(formatJson(payload) ?? '')}`}`,
      { hint: isUnknownPath(status, payload) ? UNKNOWN_PATH : hintFor(path, notFoundOr(status, payload)) },
    );
  }

  /** Nothing answers at this path: the agent's release does not have the call. */
  get isUnknownPath(): boolean {
    return isUnknownPath(this.status, this.payload);
  }
}

/** What is shown of an answer that may be anything. */
const SHOWN = 4096;

function cut(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text;
}

function isUnknownPath(status: number, payload: unknown): boolean {
  if (status === 405) return true;
  if (status !== 404 || typeof payload !== 'object' || payload === null) return false;
  return 'message' in payload && /^path .* was not found$/.test(String(payload.message));
}

const UNKNOWN_PATH =
  'This agent does not have the call: it came with a later release, or has ended. "cilium version" shows the release.';

/** Where to look up what a call could not find: its status says no more than its number. */
const LISTS: readonly [path: RegExp, status: readonly number[], hint: string][] = [
  [
    /^\/endpoint\/\{id\}/,
    [400],
    'Expected the number of an endpoint, or a name such as container-id:ID, pod-name:NAMESPACE/POD or ipv4:ADDRESS.',
  ],
  [/^\/endpoint\/\{id\}/, [404], '"cilium endpoint list" shows the endpoints of this node.'],
  [/^\/identity/, [400, 404], '"cilium identity list" shows the identities, by number and labels.'],
  [
    /^\/map\/\{name\}\/events$/,
    [404],
    'Is it in "cilium map list"? Events are kept of the maps that the option bpf-map-event-buffers of the agent names.',
  ],
  [/^\/map\/\{name\}$/, [404], '"cilium map list" shows the names.'],
  [/^\/policy$/, [404], 'No rule has these labels; "cilium policy get" shows the rules.'],
  [/^\/service\/\{id\}/, [404], '"cilium service list" shows the services, by number.'],
  [/^\/recorder\/\{id\}/, [404], '"cilium recorder list" shows the recorders, by number.'],
];

/** Agents from 1.17 on answer 500 for a policy that is not there. */
function notFoundOr(status: number, payload: unknown): number {
  return status === 500 && payload === 'policy not found' ? 404 : status;
}

function hintFor(path: string, status: number): string | undefined {
  return LISTS.find(([paths, codes]) => codes.includes(status) && paths.test(path))?.[2];
}

/**
 * The agent's REST API, for the functions of decode/. Every method throws ApiError for an error status and
 * TransportError below HTTP.
 */
export class AgentClient {
  constructor(
    readonly http: HttpClient,
    private readonly signal?: AbortSignal,
    /** What the user said a request may take, if anything. */
    private readonly timeoutMs?: number,
  ) {}

  get<P extends keyof GetAnswers>(path: P, options: CallOptions = {}): Promise<Reader<GetAnswers[P]>> {
    return this.#call('GET', path, options);
  }

  /** As `get`, before it is parsed. */
  getText<P extends keyof GetAnswers>(
    path: P,
    options: CallOptions = {},
  ): Promise<AnswerText<GetAnswers[P]>> {
    return this.#callText('GET', path, options);
  }

  put<P extends keyof PutAnswers>(path: P, options: CallOptions = {}): Promise<Reader<PutAnswers[P]>> {
    return this.#call('PUT', path, options);
  }

  patch<P extends keyof PatchAnswers>(path: P, options: CallOptions = {}): Promise<Reader<PatchAnswers[P]>> {
    return this.#call('PATCH', path, options);
  }

  delete<P extends keyof DeleteAnswers>(
    path: P,
    options: CallOptions = {},
  ): Promise<Reader<DeleteAnswers[P]>> {
    return this.#call('DELETE', path, options);
  }

  async #call<T>(method: HttpRequest['method'], path: string, options: CallOptions): Promise<Reader<T>> {
    return (await this.#callText<T>(method, path, options)).read();
  }

  async #callText<T>(
    method: HttpRequest['method'],
    path: string,
    options: CallOptions,
  ): Promise<AnswerText<T>> {
    const request = this.request(method, path, options);
    const { status, body } = await this.http.request(request);
    const text = body.toString('utf8');
    if (status < 200 || status >= 300) throw new ApiError(method, path, status, payloadOf(text));
    const call = `${method} ${request.path.replace(/\?.*/, '')}`;
    const read = () => new Reader<T>(call, text.trim() === '' ? undefined : parseAnswer(call, text));
    return { call, text, read };
  }

  /** The HTTP form of a call, for those that read the answer as a stream. */
  request(method: HttpRequest['method'], path: string, options: CallOptions = {}): HttpRequest {
    const body = options.body === undefined ? undefined : `${formatJson(options.body)}\n`;
    return {
      method,
      path: BASE_PATH + fillPath(path, options.path ?? {}) + queryOf(options.query ?? {}),
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...options.headers },
      ...(body !== undefined && { body }),
      timeoutMs: Math.min(
        this.timeoutMs ?? Number.POSITIVE_INFINITY,
        options.timeoutMs ?? this.timeoutMs ?? (method === 'GET' ? TIMEOUT_MS : WRITE_TIMEOUT_MS),
      ),
      ...((options.signal ?? this.signal) && { signal: options.signal ?? this.signal }),
    };
  }
}

/** The agent at an address such as `unix:///var/run/cilium/cilium.sock`; `signal` ends its calls. */
export function connectAgent(
  address: string,
  signal: AbortSignal,
  { timeoutMs, dial }: { timeoutMs?: number | undefined; dial?: Dial } = {},
): AgentClient {
  return new AgentClient(new HttpClient(parseAddress(address), dial), signal, timeoutMs);
}

/**
 * `--host`, else CILIUM_HOST (both in `globals.host`), else CILIUM_SOCK, else the default socket; of an agent in a
 * cluster its default socket.
 */
export function agentAddress(from: {
  globals: { host: string; elsewhere?: unknown; archive?: unknown };
  env: Environment;
}): string {
  if (from.globals.elsewhere || from.globals.archive) return `unix://${DEFAULT_SOCKET}`;
  return from.globals.host || `unix://${from.env.CILIUM_SOCK || DEFAULT_SOCKET}`;
}

/** The path of another socket of the agent: what the environment says of this machine, else the default. */
export function socketPath(
  from: { globals: { elsewhere?: unknown; archive?: unknown }; env: Environment },
  variable: string,
  fallback: string,
): string {
  return (from.globals.elsewhere || from.globals.archive ? undefined : from.env[variable]) || fallback;
}

type Environment = Readonly<Record<string, string | undefined>>;

function fillPath(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => escapeSegment(String(values[name] ?? '')));
}

/** Escapes a path segment as Go's url.PathEscape does: `pod-name:ns%2Fpod`. */
function escapeSegment(value: string): string {
  return encodeURIComponent(value)
    .replace(/%(24|26|2B|3A|3D|40)/g, decodeURIComponent)
    .replace(/[!'()*]/g, percent);
}

/** Escapes a query's name or value as Go's url.QueryEscape does. */
function escapeQuery(value: string): string {
  return encodeURIComponent(value)
    .replace(/[!'()*]/g, percent)
    .replaceAll('%20', '+');
}

function percent(c: string): string {
  return `%${c.charCodeAt(0).toString(16).toUpperCase()}`;
}

function queryOf(query: NonNullable<CallOptions['query']>): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : String(value)] as const)
    .toSorted(([a], [b]) => compareBytes(a, b))
    .map(([name, value]) => `${escapeQuery(name)}=${escapeQuery(value)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** Parses the body of an answer, which must be JSON; long numbers keep their digits. */
export function parseAnswer(call: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    const why = cause instanceof TooDeep ? cause.message : `the answer is not JSON: ${excerpt(text)}`;
    throw new TransportError('not-http', `${call}: ${why}`, true, {
      hint: 'Is this the socket of a Cilium agent?',
      cause,
    });
  }
}

/** What the body of a refusal says: usually a sentence. Undefined when it is empty. */
export function payloadOf(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return parsePlainJson(text);
  } catch {
    return excerpt(text);
  }
}

function excerpt(text: string): string {
  const line = text.slice(0, 120).replace(/\s+/g, ' ').trim();
  return text.length > 120 ? `${line}…` : line;
}

/** `GET /endpoint/{id}` is called getEndpointId in the API's description. */
function operationName(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return method.toLowerCase() + words.map((w) => w.charAt(0).toUpperCase() + w.slice(1)).join('');
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'Invalid',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Exists',
  429: 'TooManyRequests',
  460: 'InvalidPath',
  461: 'Failure',
  500: 'Failure',
  501: 'Disabled',
  502: 'Failure',
  503: 'ServiceUnavailable',
};

function statusName(method: string, path: string, status: number): string {
  if (path === '/policy' && status === 460) return 'InvalidPolicy';
  if (path === '/config' && status === 400 && method === 'PATCH') return 'BadRequest';
  return STATUS_NAMES[status] ?? 'Default';
}
