import type { Readable } from 'node:stream';
import { errorCode, errorMessage, UserError } from '../errors.ts';
import { LineSplitter } from '../lib/line-splitter.ts';
import { formatTimestamp, parseTimestamp } from '../lib/timestamp.ts';
import { type KubeClient, KubeRefusal, type KubeRequest, KubeUnreachable } from './client.ts';
import { type ContainerStatus, containerOf, type Pod, podPath } from './pods.ts';

/** A container that writes a log. */
export interface LogSource {
  node: string;
  namespace: string;
  pod: string;
  uid: string;
  container: string;
  /** Which of the containers that ran one after the other; undefined while none has. */
  containerId?: string | undefined;
  /** How often it was restarted. */
  restarts?: number | undefined;
}

/** Which part of a log is wanted. */
export interface LogQuery {
  follow: boolean;
  /** Of the container before the last restart. */
  previous: boolean;
  /** From a time on, or from so many seconds before the node's own. */
  since?: { time: string } | { seconds: number } | undefined;
  /** So many of the last lines; all when absent. */
  tail?: number | undefined;
}

/** A line, as the container wrote it. */
export interface LogRecord {
  /** When the runtime of the node took it, as RFC 3339; empty where it does not say so. */
  time: string;
  text: string;
  /** So many bytes of a line that is too long are left out. */
  omitted: number;
}

/** What is told of a log that is followed, and how time passes. */
export interface LogOptions {
  /** Called with one sentence on each thing that a reader should know. */
  say: (text: string) => void;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Longest silence of a log that is not followed, in milliseconds. */
  timeoutMs: number;
}

/** More of a line is counted and let go. */
const MAX_LINE_BYTES = 256 * 1024;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;
/** So often in a row is a log asked for again that is not followed. */
const MAX_ATTEMPTS = 5;
/** Lines remembered beyond those of the last second. */
const REMEMBERED = 500;
/** A connection that has been silent for so long may be dead: it is made anew. */
const SILENCE_MS = 300_000;
/** So long after a break a refusal may be one of an API server that has only begun to start. */
const STARTING_MS = 60_000;

/** The pod is there no longer, or another one has its name. */
export class PodGone extends UserError {
  override name = 'PodGone';
}

/**
 * The lines of a log in batches. A connection that breaks is made anew, and no line is lost or comes twice; with `follow`
 * so is one whose container was restarted, beginning with the rest of the log before that. Ends when the log does, and
 * with `follow` throws PodGone when the pod does. Otherwise throws as `KubeClient.open` does.
 */
export async function* readLog(
  client: KubeClient,
  source: LogSource,
  query: LogQuery,
  options: LogOptions,
): AsyncGenerator<LogRecord[]> {
  const mark = new Mark();
  let at = source;
  let attempts = 0;
  let brokeMs: number | undefined;
  let stood = false;
  for (;;) {
    const openedMs = performance.now();
    try {
      const request = requestOf(at, query, mark, options);
      const body = await openLog(client, at, request, query);
      let gone: PodGone | undefined;
      if (query.follow) {
        const before = at;
        const now = await containerNow(client, at).catch((error: unknown) => {
          // What there is of it is read nevertheless.
          if (error instanceof PodGone) gone = error;
          else throw error;
          return { id: at.containerId, restarts: at.restarts, status: undefined };
        });
        at = { ...at, containerId: now.id ?? at.containerId, restarts: now.restarts };
        if (before.containerId !== undefined && at.containerId !== before.containerId) {
          body.destroy();
          yield* restOf(client, before, now, query, mark, options);
          continue;
        }
      }
      if (brokeMs !== undefined)
        options.say(stood ? 'its log goes on where it was' : 'its log can be read now');
      stood = true;
      brokeMs = undefined;
      const resumed = mark.resume();
      for await (const records of linesOf(body, client, request, query, options)) {
        const fresh = records.filter(({ time }) => mark.isNew(time, resumed));
        if (fresh.length === 0) continue;
        attempts = 0;
        yield fresh;
      }
      if (!query.follow) return;
      if (gone) throw gone;
      if (performance.now() - openedMs > LONGEST_WAIT_MS) attempts = 0;
      await checkThere(client, at);
    } catch (error) {
      client.signal.throwIfAborted();
      if (error instanceof Quiet) continue;
      if (!isPassing(error, query, brokeMs)) {
        const said = await inWords(error, client, at).catch((gone: unknown) => gone);
        if (said instanceof PodGone && brokeMs !== undefined)
          options.say('what it wrote last may be missing, as its pod went while its log could not be read');
        throw said;
      }
      if (!query.follow && attempts >= MAX_ATTEMPTS) throw error;
      if (brokeMs === undefined)
        options.say(`its log ${stood ? 'broke off' : 'cannot be read yet'} (${errorMessage(error)})`);
      brokeMs ??= performance.now();
    }
    await options.sleep(Math.min(FIRST_WAIT_MS * 2 ** attempts++, LONGEST_WAIT_MS), client.signal);
  }
}

function requestOf(
  { namespace, pod, container }: LogSource,
  { follow, previous, since, tail }: LogQuery,
  mark: Mark,
  { timeoutMs }: LogOptions,
): KubeRequest {
  const from = mark.since;
  return {
    path: `${podPath(namespace, pod)}/log`,
    query: {
      container,
      timestamps: true,
      follow: follow || undefined,
      previous: previous || undefined,
      ...(from !== undefined
        ? { sinceTime: from }
        : {
            sinceTime: since && 'time' in since ? since.time : undefined,
            sinceSeconds: since && 'seconds' in since ? since.seconds : undefined,
            tailLines: tail,
          }),
    },
    accept: '*/*',
    timeoutMs,
  };
}

/** Nothing came for so long that the connection may be dead. */
class Quiet extends Error {}

/** Opens a log. A kubelet answers with the first line: of one that is followed a late answer is no error. */
async function openLog(
  client: KubeClient,
  source: LogSource,
  request: KubeRequest,
  { follow }: LogQuery,
): Promise<Readable> {
  if (!follow) return await client.open(request);
  try {
    return await client.open({ ...request, timeoutMs: SILENCE_MS });
  } catch (error) {
    if (!(error instanceof KubeUnreachable) || errorCode(error.cause) !== 'UND_ERR_HEADERS_TIMEOUT')
      throw error;
    // An API server that is away says so here.
    await containerNow(client, source);
    throw new Quiet();
  }
}

/** The lines of one answer. One that breaks off within a line loses it: it comes again. */
async function* linesOf(
  body: Readable,
  client: KubeClient,
  request: KubeRequest,
  { follow }: LogQuery,
  { timeoutMs }: LogOptions,
): AsyncGenerator<LogRecord[]> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  const limitMs = follow ? SILENCE_MS : timeoutMs;
  const silent = () =>
    body.destroy(follow ? new Quiet() : new KubeUnreachable(`the log is silent for ${limitMs / 1000} s`));
  let timer = setTimeout(silent, limitMs);
  const stop = () => body.destroy(client.signal.reason as Error);
  client.signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      const lines = splitter.push(chunk);
      if (lines.length > 0) yield lines.map(recordOf);
      timer = setTimeout(silent, limitMs);
    }
    if (splitter.pending > 0) yield [recordOf(splitter.rest())];
  } catch (error) {
    throw error instanceof UserError || error instanceof Quiet ? error : client.explain(error, request);
  } finally {
    clearTimeout(timer);
    client.signal.removeEventListener('abort', stop);
    body.destroy();
  }
}

function recordOf({ bytes, length }: { bytes: Buffer; length: number }): LogRecord {
  const line = bytes.toString('utf8');
  const blank = line.indexOf(' ');
  const time = blank > 0 ? line.slice(0, blank) : line;
  const isTimed = parseTimestamp(time) !== undefined;
  return {
    time: isTimed ? time : '',
    text: (isTimed ? line.slice(time.length + 1) : line).replace(/\r$/, ''),
    omitted: length - bytes.length,
  };
}

/**
 * How far a log was read: the API gives lines from a second on, so that those that were read are counted by their times,
 * and as many left out when they come again.
 */
class Mark {
  #second: number | undefined;
  #read: { time: string; seconds: number }[] = [];

  /** From when on the log is asked for again; undefined when nothing was read. */
  get since(): string | undefined {
    return this.#second === undefined ? undefined : formatTimestamp({ seconds: this.#second, nanos: 0 });
  }

  /** What may come again of what was read. */
  resume(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { time } of this.#read) counts.set(time, (counts.get(time) ?? 0) + 1);
    return counts;
  }

  /** Whether a line has not been read before; then it has been from here on. */
  isNew(time: string, repeated: Map<string, number>): boolean {
    const left = repeated.get(time) ?? 0;
    if (left > 0 && time !== '') {
      repeated.set(time, left - 1);
      return false;
    }
    const at = parseTimestamp(time);
    if (!at) return true;
    const { seconds } = at;
    if (this.#second !== undefined && seconds > this.#second) this.#forget(seconds);
    // The clock of a node may go back: then what comes next is asked for from there on.
    this.#second = seconds;
    this.#read.push({ time, seconds });
    return true;
  }

  /** Lets go what does not come again; of what is older some lines are kept for a clock that goes back. */
  #forget(second: number): void {
    const old = this.#read.length - REMEMBERED;
    if (old > REMEMBERED) this.#read = this.#read.filter(({ seconds }, i) => i >= old || seconds >= second);
  }
}

interface ContainerNow {
  id: string | undefined;
  restarts: number | undefined;
  status: ContainerStatus | undefined;
}

/** The container as it is now. Throws PodGone. */
async function containerNow(client: KubeClient, source: LogSource): Promise<ContainerNow> {
  const pod = await client.find<Pod>({ path: podPath(source.namespace, source.pod) });
  if (!pod || (source.uid !== '' && pod.metadata?.uid !== source.uid))
    throw new PodGone(`pod ${source.namespace}/${source.pod} is gone`);
  const status = containerOf(pod, source.container);
  return { id: status?.containerID || undefined, restarts: status?.restartCount, status };
}

/** As `containerNow`, where the API server may be away. */
async function checkThere(client: KubeClient, source: LogSource): Promise<void> {
  try {
    await containerNow(client, source);
  } catch (error) {
    if (error instanceof PodGone || !(error instanceof UserError)) throw error;
  }
}

/** What the container wrote before it was restarted and had not been read yet. */
async function* restOf(
  client: KubeClient,
  source: LogSource,
  { status, restarts = 0 }: ContainerNow,
  query: LogQuery,
  mark: Mark,
  options: LogOptions,
): AsyncGenerator<LogRecord[]> {
  const ended = status?.lastState?.terminated;
  const why = ended && ` (${ended.reason ?? 'ended'}, exit code ${ended.exitCode ?? '?'})`;
  options.say(`the container ${source.container} was restarted${why ?? ''}`);
  if (source.restarts !== undefined && restarts - source.restarts > 1)
    options.say(
      `it was restarted ${restarts - source.restarts} times since: what it wrote between is missing`,
    );
  const before: LogQuery = { ...query, follow: false, previous: true };
  const resumed = mark.resume();
  try {
    const request = requestOf(source, before, mark, options);
    const body = await client.open(request);
    for await (const records of linesOf(body, client, request, before, options)) {
      const fresh = records.filter(({ time }) => mark.isNew(time, resumed));
      if (fresh.length > 0) yield fresh;
    }
  } catch (error) {
    client.signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    options.say(`what it wrote last before that may be missing (${error.message})`);
  }
}

/** Whether trying again may help. */
function isPassing(error: unknown, { follow }: LogQuery, brokeMs: number | undefined): boolean {
  if (error instanceof KubeUnreachable) return true;
  if (!(error instanceof KubeRefusal)) return false;
  if (error.code >= 500 || error.code === 429) return true;
  // Of a container that has not started yet.
  if (follow && error.code === 400) return true;
  const isStarting = brokeMs !== undefined && performance.now() - brokeMs < STARTING_MS;
  return isStarting && (error.code === 401 || error.code === 403);
}

/** A pod that is not there any more is no refusal of its log. */
async function inWords(error: unknown, client: KubeClient, source: LogSource): Promise<unknown> {
  if (!(error instanceof KubeRefusal && error.code === 404)) return error;
  await containerNow(client, source);
  return error;
}
