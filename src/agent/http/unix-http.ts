import type { Duplex } from 'node:stream';
import type { Dial } from '../../lib/dial.ts';

/** What the caller of an exchange is told, in this order. */
export interface ExchangeEvents {
  /** The connection stands; from here on the request may reach the server. */
  onConnect(): void;
  onHead(status: number, headers: Readonly<Record<string, string>>): void;
  /** A promise holds the stream back until it settles. */
  onData(chunk: Buffer): Promise<void> | undefined;
}

export interface ExchangeRequest {
  method: string;
  /** Escaped, with its query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string | undefined;
}

/** The other side broke HTTP/1.1. Name and code are those of the client that TCP goes through. */
export class HttpFault extends Error {
  override name = 'HTTPParserError';
  constructor(
    readonly code: 'HPE_INVALID' | 'UND_ERR_HEADERS_OVERFLOW' | 'UND_ERR_SOCKET',
    message: string,
  ) {
    super(message);
  }
}

const MAX_HEAD_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 1024;
/** Answers such as 100 Continue that may come before the real one. */
const MAX_INTERIM = 16;

/**
 * One HTTP/1.1 exchange over a unix socket, on a connection of its own. An exchange with the agent of this node is
 * most of what a short command does, and the general client would cost it 25 ms and 14 MB. Rejects with the signal's
 * reason, an error of the system, or HttpFault.
 */
export async function exchangeOverSocket(
  dial: Dial,
  socketPath: string,
  request: ExchangeRequest,
  signal: AbortSignal,
  events: ExchangeEvents,
): Promise<void> {
  signal.throwIfAborted();
  const socket: Duplex = await dial(socketPath, signal);
  const stop = () => void socket.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    events.onConnect();
    socket.write(requestHead(request) + (request.body ?? ''));
    const reader = new ByteReader(socket as AsyncIterable<Buffer>);
    const head = await readHead(reader);
    events.onHead(head.status, head.headers);
    await readBody(reader, head, events);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

function requestHead({ method, path, headers, body }: ExchangeRequest): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'connection: close'];
  for (const [name, value] of Object.entries({ host: 'localhost', ...headers }))
    lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`content-length: ${Buffer.byteLength(body)}`);
  // A line break inside a part would begin another header.
  if (lines.some((line) => /[\r\n\0]/.test(line)) || /\s/.test(path))
    throw new TypeError(`not a request: ${JSON.stringify(lines[0])}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

interface Head {
  status: number;
  headers: Readonly<Record<string, string>>;
}

async function readHead(reader: ByteReader): Promise<Head> {
  for (let interim = 0; ; interim++) {
    if (interim > MAX_INTERIM)
      throw new HttpFault('UND_ERR_HEADERS_OVERFLOW', 'interim answers without an end');
    const text = await reader.until('\r\n\r\n', MAX_HEAD_BYTES);
    const [first = '', ...lines] = text.split('\r\n');
    const match = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first);
    if (!match)
      throw new HttpFault('HPE_INVALID', `not a status line: ${JSON.stringify(first.slice(0, 80))}`);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon <= 0) throw new HttpFault('HPE_INVALID', 'a header without a colon');
      headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
    const status = Number(match[1]);
    // Interim answers (100 Continue) come before the real one.
    if (status >= 200) return { status, headers };
  }
}

async function readBody(reader: ByteReader, head: Head, events: ExchangeEvents): Promise<void> {
  const { status, headers } = head;
  if (status === 204 || status === 304) return;
  if (/\bchunked$/i.test(headers['transfer-encoding'] ?? '')) return readChunks(reader, events);
  const length = headers['content-length'];
  if (length === undefined) {
    for (let piece = await reader.some(); piece; piece = await reader.some()) await events.onData(piece);
    return;
  }
  if (!/^\d{1,15}$/.test(length)) throw new HttpFault('HPE_INVALID', `not a content length: ${length}`);
  await pass(reader, Number(length), events);
}

async function readChunks(reader: ByteReader, events: ExchangeEvents): Promise<void> {
  for (;;) {
    const line = await reader.until('\r\n', MAX_LINE_BYTES);
    const size = /^([0-9a-fA-F]{1,8})\s*(?:;.*)?$/.exec(line)?.[1];
    if (size === undefined) throw new HttpFault('HPE_INVALID', 'not the size of a chunk');
    const bytes = Number.parseInt(size, 16);
    // What may follow the last chunk tells nothing about the body.
    if (bytes === 0) return;
    await pass(reader, bytes, events);
    if ((await reader.until('\r\n', MAX_LINE_BYTES)) !== '')
      throw new HttpFault('HPE_INVALID', 'a chunk longer than its size');
  }
}

async function pass(reader: ByteReader, bytes: number, events: ExchangeEvents): Promise<void> {
  for (let left = bytes; left > 0; ) {
    const piece = await reader.some(left);
    if (!piece) throw new HttpFault('UND_ERR_SOCKET', 'the connection ended inside the answer');
    left -= piece.length;
    await events.onData(piece);
  }
}

/** Bytes of a stream, by delimiter or by amount. What is not asked for is not read. */
class ByteReader {
  #pieces: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#pieces.next();
    if (done) return false;
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    return true;
  }

  /** Up to `limit` bytes; undefined at the end. */
  async some(limit = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    if (this.#rest.length === 0 && !(await this.#more())) return undefined;
    const piece = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  /** The text before a delimiter, which is dropped. */
  async until(delimiter: string, limit: number): Promise<string> {
    for (let from = 0; ; ) {
      const at = this.#rest.indexOf(delimiter, from, 'latin1');
      if (at > limit || (at === -1 && this.#rest.length > limit)) {
        const code = this.#beginsAsHttp() ? 'UND_ERR_HEADERS_OVERFLOW' : 'HPE_INVALID';
        throw new HttpFault(code, `more than ${limit} bytes without an end`);
      }
      if (at !== -1) {
        const text = this.#rest.toString('latin1', 0, at);
        this.#rest = this.#rest.subarray(at + delimiter.length);
        return text;
      }
      from = Math.max(0, this.#rest.length - delimiter.length + 1);
      const empty = this.#rest.length === 0;
      if (!(await this.#more())) {
        throw empty ? new HttpFault('UND_ERR_SOCKET', 'the connection ended before the answer') : this.#cut();
      }
    }
  }

  #beginsAsHttp(): boolean {
    return this.#rest.toString('latin1', 0, 5) === 'HTTP/';
  }

  /** An answer that ends inside its head is either cut off or no HTTP at all. */
  #cut(): HttpFault {
    return this.#beginsAsHttp()
      ? new HttpFault('UND_ERR_SOCKET', 'the connection ended inside the head')
      : new HttpFault('HPE_INVALID', 'not HTTP');
  }
}
