import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import type { RawData, WebSocket as WebSocketType } from 'ws';
import { UserError } from '../errors.ts';
import { checkServerName } from '../lib/go-x509.ts';
import { collect, type KubeClient, KubeUnreachable, parseStatus } from './client.ts';
import { shownServer } from './config.ts';

/** Bytes that may wait to be sent before a writer is held back. */
const HIGH_WATER = 1024 * 1024;
/** A peer that does not answer a ping before the next one is gone. */
const PING_MS = 15_000;
/** Closes a channel of the other side; only v5 has it. */
const CLOSE_CHANNEL = 255;

/** What arrives on a channel. A promise holds back all further data. */
export type OnData = (channel: number, bytes: Buffer) => Promise<void> | undefined;

/**
 * A WebSocket of the Kubernetes API that carries several streams: each message begins with the number of its channel.
 * Of the client library's own this takes nothing but the credentials: it loses the body of a refusal, does not notice
 * a connection that is dropped, and buffers what a slow reader does not take (docs/decisions/kube-channels.md).
 */
export class Channels {
  #pending: Promise<void> = Promise.resolve();
  readonly #closed = Promise.withResolvers<void>();
  #alive = true;

  private constructor(
    private readonly socket: WebSocketType,
    private readonly what: string,
    onData: OnData,
  ) {
    socket.on('message', (data: RawData) => this.#receive(data as Buffer, onData));
    socket.on('pong', () => {
      this.#alive = true;
    });
    const ping = setInterval(() => {
      // Of one that is held back no answer is read.
      if (socket.isPaused) this.#alive = true;
      if (!this.#alive) return this.#fail(new KubeUnreachable(`${what}: the connection is dead`));
      this.#alive = false;
      socket.ping();
    }, PING_MS);
    ping.unref();
    socket.on('close', (code: number) => {
      clearInterval(ping);
      // Everything that came is handed on before the end is told.
      this.#pending.then(() =>
        code === 1000 || code === 1005
          ? this.#closed.resolve()
          : this.#closed.reject(new KubeUnreachable(`${what}: the connection broke (${code})`)),
      );
    });
    socket.on('error', (error: Error) =>
      this.#fail(new KubeUnreachable(`${what}: ${error.message}`, { cause: error })),
    );
    this.#closed.promise.catch(() => {});
  }

  /** Opens one of the paths `exec`, `attach` and `portforward`. Throws as `KubeClient.open` does. */
  static async open(
    client: KubeClient,
    path: string,
    query: URLSearchParams,
    protocols: readonly string[],
    onData: OnData,
    signal: AbortSignal = client.signal,
  ): Promise<Channels> {
    const { default: WebSocket } = await import('ws');
    const what = `GET ${shownServer(client.server)}${path}`;
    const options: Record<string, unknown> = { headers: {}, checkServerIdentity: checkServerName };
    await client.config.applyToHTTPSOptions(options as never);
    const url = `${client.server.replace(/^http/, 'ws')}${path}?${query}`;
    const headers = { ...(options.headers as object), ...(await client.headers()) };
    const { timeoutMs } = client;
    signal.throwIfAborted();
    const socket = new WebSocket(url, [...protocols], {
      ...options,
      headers,
      perMessageDeflate: false,
      maxPayload: 64 * 1024 * 1024,
      followRedirects: false,
    });
    const stop = () => socket.terminate();
    signal.addEventListener('abort', stop, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', stop));
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        clearTimeout(timer);
        reject(signal.aborted ? signal.reason : error);
        socket.terminate();
      };
      const late = () => fail(client.tooLate({ path }, timeoutMs));
      const timer = timeoutMs > 0 ? setTimeout(late, timeoutMs) : undefined;
      socket.once('unexpected-response', (_, response: IncomingMessage) => {
        refusalOf(response, client, path).then(fail, fail);
      });
      socket.once('error', (error) =>
        fail(error instanceof UserError ? error : client.explain(error, { path })),
      );
      // Messages may follow in the same read: whoever takes them has to be there at once.
      socket.once('open', () => {
        clearTimeout(timer);
        resolve(new Channels(socket, what, onData));
      });
    });
  }

  /** The subprotocol that the server chose. */
  get protocol(): string {
    return this.socket.protocol;
  }

  /** Resolves when the far end closed the connection, after all data; rejects when it broke. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Sends bytes on a channel. Resolves when more may follow. */
  send(channel: number, bytes: Uint8Array): Promise<void> {
    const message = Buffer.allocUnsafe(bytes.length + 1);
    message[0] = channel;
    message.set(bytes, 1);
    return new Promise((resolve, reject) => {
      const isFull = this.socket.bufferedAmount > HIGH_WATER;
      this.socket.send(message, (error) => {
        if (error) reject(new KubeUnreachable(`${this.what}: ${error.message}`, { cause: error }));
        else if (isFull) resolve();
      });
      if (!isFull) resolve();
    });
  }

  /** Tells the far end that no more comes on a channel. False where the protocol has no word for it. */
  async closeChannel(channel: number): Promise<boolean> {
    if (this.protocol !== 'v5.channel.k8s.io') return false;
    await this.send(CLOSE_CHANNEL, Buffer.of(channel));
    return true;
  }

  /** Ends the connection. */
  close(): void {
    if (this.socket.readyState === this.socket.CLOSED) return;
    this.socket.close();
    // A far end that does not answer is not waited for.
    const patience = setTimeout(() => this.socket.terminate(), 1000).unref();
    this.socket.once('close', () => clearTimeout(patience));
  }

  #receive(data: Buffer, onData: OnData): void {
    this.#alive = true;
    const [channel] = data;
    if (channel === undefined) return;
    const wait = onData(channel, data.subarray(1));
    if (!wait) return;
    this.socket.pause();
    this.#pending = wait.then(
      () => this.socket.resume(),
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#closed.reject(error);
    this.socket.terminate();
  }
}

/** One channel in each direction as a stream. */
export class ChannelStream extends Duplex {
  #channels: Channels | undefined;
  #demand: (() => void) | undefined;

  /** What is written goes to the channel `target`. */
  constructor(private readonly target: number) {
    super({ allowHalfOpen: true });
    // It may fail before anybody reads it; who reads it then hears of it.
    this.on('error', () => {});
  }

  /** From here on it can be written to. */
  connect(channels: Channels): void {
    this.#channels = channels;
  }

  /** Takes what arrived; the promise holds back what follows until it was read. */
  receive(bytes: Buffer): Promise<void> | undefined {
    if (bytes.length === 0 || this.destroyed || this.push(bytes)) return undefined;
    return new Promise((resolve) => {
      this.#demand = resolve;
    });
  }

  override _read(): void {
    this.#demand?.();
    this.#demand = undefined;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#open.send(this.target, chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#open.closeChannel(this.target).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#demand?.();
    this.#channels?.close();
    done(error);
  }

  get #open(): Channels {
    if (!this.#channels) throw new Error('written to before it was connected');
    return this.#channels;
  }
}

/** What the server said instead of opening the connection. */
async function refusalOf(response: IncomingMessage, client: KubeClient, path: string): Promise<Error> {
  return client.refusal(response.statusCode ?? 0, await collect(response), { path });
}

/** The outcome of a command as channel 3 tells it: its exit code, or why it did not run. */
export function exitCodeOf(bytes: Buffer, what: string): number {
  const status = parseStatus(bytes) as ReturnType<typeof parseStatus> & { status?: string };
  if (status.status === 'Success') return 0;
  const code = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (code !== undefined && /^\d+$/.test(code)) return Number(code);
  // Some runtimes say it in the text alone.
  const told = /(?:exit (?:status|code)|terminated with exit code) (\d+)/.exec(status.message ?? '')?.[1];
  if (told !== undefined) return Number(told);
  throw new UserError(`${what}: ${status.message ?? 'the command ended without saying how'}`);
}
