import { HttpClient, type HttpResponse, TransportError } from '../agent/http/http.ts';
import { UserError } from '../errors.ts';
import { parsePlainJson } from '../lib/exact-json.ts';
import { type EtcdConfig, endpointAddress } from './config.ts';

/** A key and what is stored under it. */
export interface KeyValue {
  key: string;
  value: Buffer;
  modRevision: number;
  lease: string;
}

/** Keys come in pages of this size, so that a large store is read with bounded answers. */
const PAGE = 1000;

/**
 * An etcd cluster, spoken to through the JSON gateway that every member serves (etcd 3.4 and later). The first member
 * that can be reached is used.
 */
export class EtcdClient {
  #http: HttpClient | undefined;
  #token = '';

  constructor(
    private readonly config: EtcdConfig,
    private readonly options: { timeoutMs: number; signal: AbortSignal },
  ) {}

  /** The value of one key. */
  async get(key: string): Promise<KeyValue | undefined> {
    const answer = await this.#call('/v3/kv/range', { key: encode(key) });
    return decodeKvs(answer)[0]?.pair;
  }

  /** All keys that begin with `prefix`, in order, page by page. */
  async *list(prefix: string): AsyncGenerator<KeyValue[]> {
    const end = encode(prefixEnd(prefix));
    let from: Uint8Array = keyBytes(prefix);
    for (;;) {
      const answer = await this.#call('/v3/kv/range', {
        key: encode(from),
        range_end: end,
        limit: String(PAGE),
      });
      const page = decodeKvs(answer);
      for (const { bytes, pair } of page) {
        if (Buffer.compare(bytes, from) < 0)
          throw new UserError(
            `etcd: key ${JSON.stringify(pair.key)} was not asked for, or comes out of order`,
            {
              hint: 'Is this the client address of an etcd member?',
            },
          );
        from = Buffer.concat([bytes, Buffer.from([0])]);
      }
      if (page.length > 0) yield page.map(({ pair }) => pair);
      if (page.length < PAGE) return;
    }
  }

  async put(key: string, value: string): Promise<void> {
    await this.#call('/v3/kv/put', { key: encode(key), value: encode(value) }, true);
  }

  /** Deletes one key, or all that begin with it; returns how many there were. */
  async delete(key: string, recursive: boolean): Promise<number> {
    const answer = await this.#call(
      '/v3/kv/deleterange',
      recursive ? { key: encode(keyBytes(key)), range_end: encode(prefixEnd(key)) } : { key: encode(key) },
      true,
    );
    return Number(digitsOf(answer, 'deleted'));
  }

  /** Cluster and member that answered. */
  async status(): Promise<{ clusterId: string; version: string }> {
    const answer = await this.#call('/v3/maintenance/status', {});
    return {
      clusterId: BigInt(digitsOf(field(answer, 'header'), 'cluster_id')).toString(16),
      version: textOf(answer, 'version'),
    };
  }

  async close(): Promise<void> {
    await this.#http?.close();
  }

  async #call(path: string, body: object, writes = false): Promise<unknown> {
    if (this.#http) return this.#post(this.#http, path, body);
    if (this.config.endpoints.length === 0) throw new UserError('the etcd configuration names no endpoints');
    let last: unknown;
    for (const endpoint of this.config.endpoints) {
      const http = new HttpClient(await endpointAddress(endpoint, this.config));
      try {
        await this.#login(http);
        const answer = await this.#post(http, path, body);
        this.#http = http;
        return answer;
      } catch (error) {
        await http.close();
        // What may have been written by one member must not be written again through the next.
        if (!(error instanceof TransportError) || (writes && error.mayHaveArrived)) throw error;
        last = error;
      }
    }
    throw last;
  }

  async #login(http: HttpClient): Promise<void> {
    const { username, password } = this.config;
    if (!username || this.#token) return;
    const answer = await this.#post(http, '/v3/auth/authenticate', { name: username, password });
    this.#token = textOf(answer, 'token');
    // It goes into a header.
    if (!/^[\x21-\x7e]*$/.test(this.#token))
      throw new UserError('etcd: token should be a text without spaces');
  }

  async #post(http: HttpClient, path: string, body: object): Promise<unknown> {
    const response = await http.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...(this.#token && { authorization: this.#token }) },
      body: JSON.stringify(body),
      ...this.options,
    });
    return decodeAnswer(path, response);
  }
}

function decodeAnswer(path: string, { status, body }: HttpResponse): unknown {
  let answer: unknown;
  try {
    answer = parsePlainJson(body.toString());
  } catch (cause) {
    throw new UserError(`${path}: the answer of status ${status} is not JSON`, {
      hint:
        status === 404
          ? 'This looks like an etcd before 3.4, or none at all.'
          : 'Is this the client address of an etcd member?',
      cause,
    });
  }
  if (status === 200) return answer;
  const told = [field(answer, 'message'), field(answer, 'error')].find((text) => typeof text === 'string');
  throw new UserError(`etcd: ${told ?? `status ${status}`}`);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** A whole number of an answer; gRPC's gateway writes those of 64 bits as text and leaves out a zero. */
function digitsOf(value: unknown, name: string): string {
  const found = field(value, name) ?? '0';
  const digits = typeof found === 'number' ? String(found) : found;
  if (typeof digits === 'string' && /^\d{1,20}$/.test(digits)) return digits;
  throw new UserError(`etcd: ${name} should be a number`);
}

function textOf(value: unknown, name: string): string {
  const found = field(value, name) ?? '';
  if (typeof found === 'string') return found;
  throw new UserError(`etcd: ${name} should be a text`);
}

/** Pairs with the bytes of their keys: one that is no UTF-8 would not be found again by its text. */
function decodeKvs(answer: unknown): { bytes: Buffer; pair: KeyValue }[] {
  const kvs = field(answer, 'kvs');
  if (kvs === undefined) return [];
  if (!Array.isArray(kvs)) throw new UserError('etcd: kvs should be a list');
  return kvs.map((kv) => {
    const bytes = Buffer.from(textOf(kv, 'key'), 'base64');
    const pair = {
      key: bytes.toString(),
      value: Buffer.from(textOf(kv, 'value'), 'base64'),
      modRevision: Number(digitsOf(kv, 'mod_revision')),
      lease: digitsOf(kv, 'lease'),
    };
    return { bytes, pair };
  });
}

function encode(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64');
}

/** The whole store begins at the zero byte: etcd takes no empty key. */
function keyBytes(prefix: string): Uint8Array {
  return prefix === '' ? Buffer.from([0]) : Buffer.from(prefix);
}

/** The first key behind all that begin with `prefix`. */
function prefixEnd(prefix: string): Uint8Array {
  const bytes = Buffer.from(prefix);
  for (let i = bytes.length - 1; i >= 0; i--) {
    const byte = bytes[i] ?? 0;
    if (byte < 0xff) {
      bytes[i] = byte + 1;
      return bytes.subarray(0, i + 1);
    }
  }
  return Buffer.from([0]);
}
