import { UserError } from '../../errors.ts';
import { parseJson } from '../../lib/exact-json.ts';
import type { CachedMapRow, MapEventRow } from '../../model/cached-map.ts';
import { type AgentClient, ApiError, payloadOf } from '../client.ts';
import { Answer, objectAnswer } from './answer.ts';
import { Reader } from './reader.ts';
import type { BPFMap, MapEvent } from './types.gen.ts';

/** The maps that the agent has open; undefined when it sent no list. */
export function listMaps(
  agent: AgentClient,
  options: { timeoutMs?: number } = {},
): Promise<Answer<CachedMapRow[] | undefined>> {
  return objectAnswer(agent.get('/map', options), 'BPFMapList', (answer) =>
    answer.has('maps') ? answer.at('maps').items().map(decodeMap) : undefined,
  );
}

/** One map, with what the agent keeps of it. */
export function readMap(agent: AgentClient, name: string): Promise<Answer<CachedMapRow>> {
  return objectAnswer(agent.get('/map/{name}', { path: { name } }), 'BPFMap', decodeMap);
}

function decodeMap(map: Reader<BPFMap>): CachedMapRow {
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

/** Hands over the changes of a map as they come; `follow` goes on until the signal or the agent ends it. */
export async function streamMapEvents(
  agent: AgentClient,
  name: string,
  follow: boolean,
  onEvents: (events: Answer<MapEventRow>[]) => Promise<void>,
): Promise<void> {
  const path = '/map/{name}/events';
  const request = agent.request('GET', path, { path: { name }, query: { follow } });
  const call = `GET ${request.path.replace(/\?.*/, '')}`;
  const events = new JsonStream(call);
  let refusal = '';
  const { status } = await agent.http.stream(
    follow ? { ...request, timeoutMs: undefined } : request,
    async (chunk, status) => {
      if (status !== 200) refusal = (refusal + chunk.toString()).slice(0, 4096);
      else await onEvents(events.push(chunk).map((event) => eventOf(new Reader<MapEvent>(call, event))));
    },
  );
  if (status !== 200) throw new ApiError('GET', path, status, payloadOf(refusal));
  events.end();
}

function eventOf(event: Reader<MapEvent>): Answer<MapEventRow> {
  return new Answer(event.document, 'MapEvent', () => ({
    key: event.text('key'),
    value: event.text('value'),
    timestamp: event.text('timestamp'),
    action: event.text('action'),
    desiredAction: event.text('desired-action'),
    lastError: event.text('last-error'),
  }));
}

/** No single value of a stream is larger; beyond it the stream is taken for broken. */
const MAX_VALUE_BYTES = 16 * 1024 * 1024;

/** Cuts a stream of JSON objects, with or without newlines between them, into its values. */
class JsonStream {
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
