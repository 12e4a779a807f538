/** Bytes of a chunk that are records as they are to be printed. The chunk is overwritten once the next batch is asked for. */
export interface Span {
  chunk: Buffer;
  start: number;
  end: number;
  /** Nothing in it steers a terminal that was not made for it. */
  plain: boolean;
}

/** A record on its way to stdout. */
export type RecordText = string | Span;

/** The same record in memory of its own: text that was cut from a chunk would keep all of the chunk alive. */
export function detached(record: RecordText): RecordText {
  if (typeof record === 'string') return Buffer.from(record).toString();
  const bytes = Buffer.from(record.chunk.subarray(record.start, record.end));
  return { chunk: bytes, start: 0, end: bytes.length, plain: record.plain };
}
