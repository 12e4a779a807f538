import { UserError } from '../../errors.ts';
import { parseJson } from '../../lib/exact-json.ts';
import type { CachedMapRow, MapEventRow } from '../../model/cached-map.ts';
import { Reader } from './reader.ts';
import type { BPFMap, MapEvent } from './types.gen.ts';

/** What is shown of a map. */
export function decodeMap(map: Reader<BPFMap>): CachedMapRow {
  return {
    path: map.text('path'),
    cache: map.has('cache')
      ? map
          .at('cache')
          .items()
          .map((entry) => ({
            key: entry.text('key'),
            value: entry.text('value'),
            state: entry.text('desired-action'),
            error: entry.text('last-error'),
          }))
      : undefined,
  };
}

/** What is shown of a change of a map. */
export function decodeMapEvent(value: unknown): MapEventRow {
  const event = new Reader<MapEvent>('GET /map/{name}/events', value);
  return {
    key: event.text('key'),
    value: event.text('value'),
    timestamp: event.text('timestamp'),
    action: event.text('action'),
    desiredAction: event.text('desired-action'),
    lastError: event.text('last-error'),
  };
}

/** No single value of a stream is larger; beyond it the stream is taken for broken. */
const MAX_VALUE_BYTES = 16 * 1024 * 1024;

/** Cuts a stream of JSON objects, with or without newlines between them, into its values. */
export class JsonStream {
  #pending = '';
  #depth = 0;
  #inString = false;
  #escaped = false;
  #decoder = new TextDecoder();

  constructor(private readonly call: string) {}

  /** The values that `chunk` completes. */
  push(chunk: Uint8Array): unknown[] {
    const from = this.#pending.length;
    this.#pending += this.#decoder.decode(chunk, { stream: true });
    const text = this.#pending;
    const values: unknown[] = [];
    let start = 0;
    for (let i = from; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (c === 0x5c) this.#escaped = true;
        else if (c === 0x22) this.#inString = false;
      } else if (c === 0x22) this.#inString = true;
      else if (c === 0x7b || c === 0x5b) this.#depth++;
      else if (c === 0x7d || c === 0x5d) {
        this.#depth--;
        if (this.#depth <= 0) {
          values.push(this.#parse(text.slice(start, i + 1)));
          this.#depth = 0;
          start = i + 1;
        }
      }
    }
    this.#pending = text.slice(start);
    if (this.#pending.length > MAX_VALUE_BYTES)
      throw new UserError(`${this.call}: a single event is larger than ${MAX_VALUE_BYTES} bytes`);
    return values;
  }

  /** Fails when the stream ended within a value. */
  end(): void {
    if (this.#pending.trim() !== '')
      throw new UserError(`${this.call}: the stream broke off within an event`, {
        hint: 'Is the agent restarting?',
      });
  }

  #parse(text: string): unknown {
    try {
      return parseJson(text);
    } catch (cause) {
      throw new UserError(`${this.call}: the agent sent an event that is not JSON`, {
        hint: 'Is this the socket of a Cilium agent?',
        cause,
      });
    }
  }
}
