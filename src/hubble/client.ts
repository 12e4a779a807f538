import type { Messages } from '../model/hubble.gen.ts';
import { GrpcClient } from './grpc/calls.ts';
import { messagesOf } from './grpc/frames.ts';
import { RpcError } from './grpc/status.ts';
import type { ServerSettings } from './grpc/target.ts';
import { decode, encode } from './protobuf/codec.ts';
import { METHODS } from './protobuf/descriptor.gen.ts';
import { WireError } from './protobuf/wire.ts';

type Methods = typeof METHODS;
/** Path of a method, `/observer.Observer/GetFlows`. */
export type Method = keyof Methods;
export type RequestOf<M extends Method> = Messages[Methods[M]['request']];
export type ResponseOf<M extends Method> = Messages[Methods[M]['response']];
export type UnaryMethod = { [M in Method]: Methods[M]['stream'] extends false ? M : never }[Method];
export type StreamMethod = Exclude<Method, UnaryMethod>;

/** How a client presents itself and what it tells. */
export interface ClientOptions {
  /** Version of this toolkit. */
  version: string;
  /** For calls with one answer. */
  requestTimeoutMs: number;
  signal?: AbortSignal;
  /** Called once per answer with the versions that the server and the relay name in its header. */
  onVersions?: (versions: { server?: string; relay?: string }) => void;
}

/** Hubble's services. Connects on the first call; every method throws RpcError. */
export class HubbleClient {
  readonly #grpc: GrpcClient;

  constructor(
    readonly settings: ServerSettings,
    private readonly options: ClientOptions,
  ) {
    this.#grpc = new GrpcClient(settings, `cilium-toolkit/${options.version}`, (header) => {
      const server = text(header['hubble-server-version']);
      const relay = text(header['hubble-relay-version']);
      if (server || relay) options.onVersions?.({ ...(server && { server }), ...(relay && { relay }) });
    });
  }

  /** A call with one answer. */
  async call<M extends UnaryMethod>(method: M, request: RequestOf<M>): Promise<ResponseOf<M>> {
    const { request: type, response } = METHODS[method];
    const bytes = await this.#grpc.unary({
      path: method,
      requests: [encode(type, request)],
      timeoutMs: this.options.requestTimeoutMs,
      signal: this.options.signal,
    });
    return decodeAnswer(() => decode(response, bytes)) as ResponseOf<M>;
  }

  /**
   * A call with a stream of answers, still encoded: each item is all that one read brought, whole messages behind their heads, and
   * overwritten when the next one is asked for.
   */
  streamBytes<M extends StreamMethod>(
    method: M,
    request: RequestOf<M>,
  ): AsyncGenerator<Buffer[], void, undefined> {
    return this.#grpc.stream({
      path: method,
      requests: [encode(METHODS[method].request, request)],
      signal: this.options.signal,
    });
  }

  /** A call with a stream of answers. */
  async *stream<M extends StreamMethod>(
    method: M,
    request: RequestOf<M>,
  ): AsyncGenerator<ResponseOf<M>, void, undefined> {
    const { response } = METHODS[method];
    for await (const batch of this.streamBytes(method, request)) {
      for (const bytes of batch.flatMap(splitUp))
        yield decodeAnswer(() => decode(response, bytes)) as ResponseOf<M>;
    }
  }

  /** A call that sends several requests at once and answers each. */
  async exchange<M extends StreamMethod>(
    method: M,
    requests: readonly RequestOf<M>[],
  ): Promise<ResponseOf<M>[]> {
    const { request: type, response } = METHODS[method];
    const answers: ResponseOf<M>[] = [];
    const call = {
      path: method,
      requests: requests.map((request) => encode(type, request)),
      timeoutMs: this.options.requestTimeoutMs,
      signal: this.options.signal,
    };
    for await (const batch of this.#grpc.stream(call)) {
      for (const bytes of batch.flatMap(splitUp))
        answers.push(decodeAnswer(() => decode(response, bytes)) as ResponseOf<M>);
    }
    return answers;
  }

  /** Ends the connection. */
  close(): Promise<void> {
    return this.#grpc.close();
  }
}

/** What can be asked of a server. */
export type HubbleCalls = Pick<HubbleClient, 'settings' | 'call' | 'stream' | 'streamBytes' | 'exchange'>;

const splitUp = (whole: Buffer) => [...messagesOf(whole)];

function text(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Runs a decoder; bytes that are no message become an error of the call. */
export function decodeAnswer<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new RpcError('Internal', `grpc: failed to unmarshal the received message: ${error.message}`, {
      cause: error,
    });
  }
}
