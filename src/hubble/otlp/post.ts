import type { ClientRequest, Agent as HttpAgent, IncomingMessage, RequestOptions } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { errorCode, errorMessage, systemReason } from '../../errors.ts';
import { Deadline } from '../../lib/deadline.ts';
import { verifyFault } from '../../lib/go-x509.ts';
import type { OtlpSettings } from './settings.ts';

/** What came of a request. */
export type Answer =
  /** Without a body where it did not come to its end. */
  | { kind: 'taken'; type: string; body: Uint8Array | undefined }
  /** The same may work later, at the earliest after `afterMs` where the collector says so. */
  | { kind: 'later'; why: string; afterMs?: number | undefined }
  /** It will not work with these records, or with none at all. */
  | { kind: 'refused'; status: number; why: string }
  | { kind: 'broken'; why: string; hint?: string };

/** Statuses that the specification has tried again. */
const LATER = [429, 502, 503, 504];
/** Errors of a connection after which another one may be made. */
const TRANSIENT = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
]);
const CLOSED = new Set(['ECONNRESET', 'EPIPE']);
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;
const MOST_WORDS = 300;
/** Longer a collector is not believed that it wants to wait. */
const LONGEST_WAIT_MS = 3_600_000;

const packed = promisify(gzip);

/** Sends requests to one collector, over a connection that is kept. */
export class Poster implements AsyncDisposable {
  #agent: HttpAgent | undefined;

  constructor(
    private readonly settings: OtlpSettings,
    private readonly contentType: string,
    private readonly userAgent: string,
    private readonly nowMs: () => number,
  ) {}

  /** Sends one request. Only the signal makes it fail; what else happens is an answer. */
  async post(bytes: Uint8Array, signal: AbortSignal): Promise<Answer> {
    const { url, compression, headers, timeoutMs } = this.settings;
    const isPacked = compression === 'gzip';
    const sendable = isPacked ? await packed(bytes) : bytes;
    const { request, Agent } = await (url.protocol === 'http:' ? import('node:http') : import('node:https'));
    this.#agent ??= new Agent({ keepAlive: true, maxSockets: 1, ...this.#tls(), ...this.#proxy() });
    using deadline = new Deadline(timeoutMs, signal);
    const options: RequestOptions = {
      method: 'POST',
      agent: this.#agent,
      signal: deadline.signal,
      headers: {
        ...headers,
        'user-agent': this.userAgent,
        'content-type': this.contentType,
        'content-length': sendable.byteLength,
        ...(isPacked && { 'content-encoding': 'gzip' }),
      },
    };
    for (;;) {
      const sent = request(url, options);
      try {
        const response = await responseTo(sent, sendable);
        const body = await bodyOf(response).catch((error: unknown) => {
          // It has taken them, and to send them again would double them.
          if (isTaken(response)) return undefined;
          throw error;
        });
        return answerOf(response, body, this.settings, this.nowMs());
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (deadline.isOver) return { kind: 'later', why: `no answer within ${timeoutMs / 1000} s` };
        // The collector closed a connection that was idle: another one says whether it is there.
        if (sent.reusedSocket && CLOSED.has(errorCode(error) ?? '')) continue;
        return this.#failed(error);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent?.destroy();
  }

  #tls() {
    const { ca, cert, key, serverName, allowInsecure } = this.settings.tls;
    return {
      ...(ca && { ca }),
      ...(cert && { cert, key }),
      ...(serverName && { servername: serverName }),
      rejectUnauthorized: !allowInsecure,
    };
  }

  /** Node.js speaks to proxies itself, and is told here which one. */
  #proxy() {
    const { proxy } = this.settings;
    return proxy && { proxyEnv: { HTTP_PROXY: proxy.url.href, HTTPS_PROXY: proxy.url.href } };
  }

  #failed(error: unknown): Answer {
    const code = errorCode(error) ?? '';
    if (code === 'ERR_PROXY_TUNNEL') return tunnelFailed(error);
    const via = this.settings.proxy ? `through the proxy ${this.settings.proxy.url.host}: ` : '';
    const why = via + systemReason(error);
    if (TRANSIENT.has(code)) return { kind: 'later', why: why || code };
    const { url } = this.settings;
    if (code.startsWith('HPE_') || code === 'EPROTO' || code.startsWith('ERR_SSL'))
      return {
        kind: 'broken',
        why: `what answers there does not speak ${url.protocol === 'http:' ? 'HTTP' : 'TLS'} (${errorMessage(error).trim()})`,
        hint:
          url.port === '4317'
            ? 'Port 4317 is that of OTLP over gRPC; over HTTP collectors take it on 4318.'
            : 'Is it http:// or https://, and the port of OTLP over HTTP (4318)?',
      };
    return {
      kind: 'broken',
      why: via + (verifyFault(code) ?? errorMessage(error)),
      ...(url.protocol === 'https:' && {
        hint: 'Name the authority that signed its certificate with --endpoint-tls-ca-cert-files FILE, or its name with --endpoint-tls-server-name.',
      }),
    };
  }
}

/** A proxy did not open the way: it says why with a status, or says nothing in time. */
function tunnelFailed(error: unknown): Answer {
  const [, status = '', words = ''] =
    /: HTTP\/[\d.]+ (\d{3}) ?([\x20-\x7e]*)/.exec(errorMessage(error)) ?? [];
  const why = `the proxy does not open the way there: ${status === '' ? 'no answer in time' : `${status} ${words}`.trim()}`;
  if (!/^4/.test(status) || LATER.includes(Number(status))) return { kind: 'later', why };
  return { kind: 'broken', why, hint: status === '407' ? PROXY_USER : PROXY_LESS };
}

/** What helps where a proxy is in the way. */
export const PROXY_USER = 'Tell it who you are: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT.';
const PROXY_LESS = 'NO_PROXY names hosts that are asked without it.';

function responseTo(request: ClientRequest, body: Uint8Array): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Without somebody who listens for it Node.js tells nothing at all of such an answer.
    request.on('upgrade', ({ statusCode }, socket) => {
      socket.destroy();
      reject(new Error(`it answers with ${statusCode}, to speak something else than HTTP`));
    });
    request.on('response', resolve).on('error', reject).end(body);
  });
}

/** What else is sent is not waited for. */
async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    parts.push(part);
    size += part.length;
    if (size > MOST_ANSWER_BYTES) break;
  }
  return Buffer.concat(parts);
}

function isTaken({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function answerOf(
  response: IncomingMessage,
  body: Buffer | undefined,
  { url, secrets }: OtlpSettings,
  nowMs: number,
): Answer {
  const { statusCode: status = 0, statusMessage = '', headers } = response;
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (isTaken(response) || !body) return { kind: 'taken', type, body };
  const words = wordsOf(type, body, secrets);
  const name = `${status}${statusMessage && ` ${statusMessage}`}`;
  const why = words === '' ? name : `${name}: ${words}`;
  if (LATER.includes(status)) return { kind: 'later', why, afterMs: afterOf(headers['retry-after'], nowMs) };
  return { kind: 'refused', status, why: why + placeOf(headers.location, url) };
}

/** Where a collector points to: without the query, in which it may give a key back. */
function placeOf(location: string | undefined, from: URL): string {
  if (location === undefined || !URL.canParse(location, from)) return '';
  const { origin, pathname } = new URL(location, from);
  return `, which points to ${(origin + pathname).slice(0, MOST_WORDS)}`;
}

/** What a collector says of a failure: JSON with a message, text, or text within protobuf. */
function wordsOf(type: string, body: Buffer, secrets: readonly string[]): string {
  if (type === 'text/html') return '';
  let text = body.toString('utf8');
  if (type === 'application/json') {
    try {
      const { message } = JSON.parse(text) as { message?: unknown };
      if (typeof message === 'string') text = message;
    } catch {
      // It is shown as it is.
    }
  }
  return withoutSecrets(text, secrets)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, MOST_WORDS);
}

/** Some repeat in an error what they were sent. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => left.replaceAll(secret, '[hidden]'), text);
}

/** Seconds, or a date. */
function afterOf(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_WAIT_MS);
}
