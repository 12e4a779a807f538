import { UserError } from '../errors.ts';
import { parsePlainJson } from '../lib/exact-json.ts';
import { Misfit, ofForm } from '../lib/form.ts';
import { LineSplitter } from '../lib/line-splitter.ts';
import { isRecord } from '../lib/record.ts';
import { type KubeClient, type KubeObject, KubeRefusal, KubeUnreachable, type Status } from './client.ts';
import { OBJECT, STATUS } from './forms.ts';
import { type ListQuery, pages } from './pages.ts';

/** What a watch tells, in order. */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** All objects that were there at the beginning have been told, or again after a new beginning. */
  | { type: 'SYNCED' }
  /** What was told before is void: the list is told anew, because the server no longer knew where the watch was. */
  | { type: 'RESTARTED'; cause: string }
  /** The connection broke; the watch goes on where it was. Nothing is lost. */
  | { type: 'RESUMED'; cause: string };

/** Times in milliseconds; tests make them short. */
export interface WatchTiming {
  /** The server ends a watch after this, and a new one is asked for. */
  serverMs: number;
  /** Longer silence than the server's own end means that the connection is dead. */
  graceMs: number;
  firstWaitMs: number;
  longestWaitMs: number;
}

const TIMING: WatchTiming = { serverMs: 240_000, graceMs: 30_000, firstWaitMs: 200, longestWaitMs: 10_000 };
const GONE = 410;
/** A line of a watch is one object. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * A list, and then what changes. Survives dropped connections, restarts of the API server and states that the server no
 * longer knows. The first list is not retried. Ends when the signal of the client is aborted, with its reason.
 */
export async function* watch<T extends KubeObject>(
  client: KubeClient,
  path: string,
  query: ListQuery = {},
  timing: WatchTiming = TIMING,
  sleep: (ms: number, signal: AbortSignal) => Promise<void> = pause,
): AsyncGenerator<WatchEvent<T>> {
  let version: string | undefined;
  let isFirst = true;
  let cause = '';
  for (let failures = 0; ; ) {
    try {
      if (version === undefined) {
        if (!isFirst) yield { type: 'RESTARTED', cause };
        let listed = '';
        for await (const page of pages<T>(client, path, query)) {
          if (page.restarted)
            yield { type: 'RESTARTED', cause: 'the list took longer than the server keeps it' };
          listed = page.resourceVersion;
          for (const object of page.items) yield { type: 'ADDED', object };
        }
        // Only a whole list is watched on from: one that broke is asked for anew.
        version = listed;
        yield { type: 'SYNCED' };
        isFirst = false;
      }
      let isEmpty = true;
      for await (const event of changes<T>(client, path, query, version, timing)) {
        isEmpty = false;
        if (failures > 0) {
          failures = 0;
          yield { type: 'RESUMED', cause };
        }
        if (event.object.metadata?.resourceVersion) version = event.object.metadata.resourceVersion;
        if (event.type !== 'BOOKMARK') yield event as WatchEvent<T>;
      }
      // The server ended the watch at its time; asked again, it goes on. One that ends each at once is not flooded.
      if (isEmpty) await sleep(timing.firstWaitMs, client.signal);
    } catch (error) {
      client.signal.throwIfAborted();
      if (isFirst) throw error;
      cause = error instanceof Error ? error.message : String(error);
      if (error instanceof KubeRefusal && error.code === GONE) {
        version = undefined;
        await sleep(timing.firstWaitMs, client.signal);
        continue;
      }
      if (!isPassing(error)) throw error;
      const waitMs = Math.min(timing.firstWaitMs * 2 ** failures++, timing.longestWaitMs);
      await sleep(waitMs, client.signal);
    }
  }
}

/** Whether trying again may help: not where the server says no to this user or this resource. */
function isPassing(error: unknown): boolean {
  if (error instanceof KubeUnreachable) return true;
  return error instanceof KubeRefusal && (error.code >= 500 || error.code === 429);
}

interface RawEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T;
}

/** One watch request, until the server ends it. */
async function* changes<T extends KubeObject>(
  client: KubeClient,
  path: string,
  query: ListQuery,
  resourceVersion: string,
  timing: WatchTiming,
): AsyncGenerator<RawEvent<T>> {
  const silence = new AbortController();
  const request = {
    path,
    query: {
      ...query,
      watch: true,
      resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.max(1, Math.round(timing.serverMs / 1000)),
    },
    signal: AbortSignal.any([client.signal, silence.signal]),
  };
  // Bookmarks come about every minute: longer than a whole watch without a byte is no quiet cluster.
  const limitMs = timing.serverMs + timing.graceMs;
  const mute = () => silence.abort(new KubeUnreachable(`watch ${path}: silent for ${limitMs / 1000} s`));
  let timer = setTimeout(mute, limitMs);
  try {
    const body = await client.open(request);
    const splitter = new LineSplitter(MAX_LINE_BYTES);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      timer = setTimeout(mute, limitMs);
      const lines = splitter.push(chunk);
      if (splitter.pending > MAX_LINE_BYTES) throw tooLarge(path);
      for (const { bytes, length } of lines) {
        if (length > MAX_LINE_BYTES) throw tooLarge(path);
        const line = bytes.toString('utf8');
        if (line.trim() !== '') yield parseEvent<T>(line, path);
      }
    }
    if (splitter.rest().bytes.toString('utf8').trim() !== '')
      throw new KubeUnreachable(`watch ${path}: the connection broke in the middle of an object`);
  } catch (error) {
    client.signal.throwIfAborted();
    if (silence.signal.aborted) throw silence.signal.reason;
    throw error instanceof UserError ? error : client.explain(error, request);
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function tooLarge(path: string): UserError {
  return new UserError(`watch ${path}: an object is larger than 64 MiB`);
}

function parseEvent<T extends KubeObject>(line: string, path: string): RawEvent<T> {
  let event: RawEvent<T>;
  try {
    const value: unknown = parsePlainJson(line);
    const ended = isRecord(value) && value.type === 'ERROR';
    event = ofForm<RawEvent<T>>(value, {
      fields: { type: 'text', object: ended ? STATUS : OBJECT },
      needs: ['type', 'object'],
    });
  } catch (cause) {
    if (cause instanceof Misfit)
      throw new UserError(`watch ${path}: an event is not as Kubernetes gives it: ${cause.message}`, {
        cause,
      });
    throw new KubeUnreachable(`watch ${path}: the server sent a line that is not JSON`, { cause });
  }
  if (event.type !== 'ERROR') return event;
  const status = event.object as Status;
  throw new KubeRefusal(
    status.code ?? 500,
    status,
    `watch ${path}: ${status.message ?? 'the server ended it'}`,
  );
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}
