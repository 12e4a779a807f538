import { Readable } from 'node:stream';
import { NotCollected } from '../../archive/not-collected.ts';
import type { Recording } from '../../archive/recording.ts';
import { LineSplitter } from '../../lib/line-splitter.ts';
import { parseTimestamp } from '../../lib/timestamp.ts';
import type { KubeRequest } from '../client.ts';

const MAX_LINE_BYTES = 1024 * 1024;
/** Of the last lines no more than this is kept. */
const MAX_TAIL_BYTES = 256 * 1024 * 1024;

/** The log of a container as a kubelet would give it, from the file of an archive. */
export async function recordedLog(
  recording: Recording,
  pod: string,
  query: NonNullable<KubeRequest['query']>,
): Promise<Readable> {
  const container = String(query.container ?? '');
  const previous = query.previous === true;
  const file = recording.logOf(pod, container, previous);
  if (file === undefined) {
    const why = await recording.why({ stem: `logs-${pod}-${container}` });
    throw new NotCollected(
      `${recording.label} holds no log of ${container} in ${pod}${previous ? ' from before its last restart' : ''}${why ? ` (${why.text})` : ''}`,
      { hint: 'It was not collected when the archive was made.' },
    );
  }
  const fromMs = sinceMs(query, recording.collectedMs);
  const lines = linesOf(recording, file, fromMs, query.timestamps === true);
  const tail = query.tailLines === undefined ? undefined : Number(query.tailLines);
  return Readable.from(tail === undefined ? lines : lastOf(lines, tail), { objectMode: false });
}

function sinceMs(
  { sinceTime, sinceSeconds }: NonNullable<KubeRequest['query']>,
  nowMs: number,
): number | undefined {
  if (sinceTime !== undefined) return Date.parse(String(sinceTime));
  return sinceSeconds === undefined ? undefined : nowMs - Number(sinceSeconds) * 1000;
}

async function* linesOf(
  { files }: Recording,
  file: string,
  fromMs: number | undefined,
  timestamps: boolean,
): AsyncGenerator<Buffer> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  const textOf = (bytes: Buffer): Buffer | undefined => {
    const blank = bytes.indexOf(0x20);
    const time = blank > 0 && blank < 64 ? parseTimestamp(bytes.toString('latin1', 0, blank)) : undefined;
    // A kubelet keeps what is of that second.
    if (time && fromMs !== undefined && time.seconds * 1000 + time.nanos / 1e6 < fromMs) return undefined;
    const text = timestamps || !time ? bytes : bytes.subarray(blank + 1);
    return Buffer.concat([text, NEWLINE]);
  };
  for await (const chunk of files.stream(file)) {
    const kept = splitter.push(chunk).flatMap(({ bytes }) => textOf(bytes) ?? []);
    if (kept.length > 0) yield* kept;
  }
  if (splitter.pending > 0) {
    const last = textOf(splitter.rest().bytes);
    if (last) yield last;
  }
}

const NEWLINE = Buffer.from('\n');

async function* lastOf(lines: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  const kept: Buffer[] = [];
  let first = 0;
  let size = 0;
  for await (const line of lines) {
    kept.push(line);
    size += line.length;
    while (kept.length - first > count || size > MAX_TAIL_BYTES) size -= kept[first++]?.length ?? 0;
    if (first > 1024 && first > kept.length / 2) {
      kept.splice(0, first);
      first = 0;
    }
  }
  yield* kept.slice(first);
}
