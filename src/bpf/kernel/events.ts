import { KernelError } from './errors.ts';
import { native } from './native.ts';
import type { BpfMap } from './objects.ts';

/** Something that a program sent, or a note that the reader was too slow. */
export type BpfEvent = { cpu: number; data: Buffer } | { cpu: number; lost: bigint };

export interface EventOptions {
  /** Pages of each CPU's buffer, a power of two. Ring buffers have the size of their map. */
  pages?: number;
  signal?: AbortSignal;
}

const HEADER_BYTES = 16;
const ROOM_BYTES = 1 << 20;
const TIMEOUT_MS = 1000;

/**
 * Events of a ring buffer or a perf event array, as they come, until the signal. The map must be open for writing. A
 * perf event array has one reader: this one takes over its slots, so it is not for the arrays of a running agent,
 * whose monitor would go silent. An event's data is valid until the next one is asked for.
 */
export async function* readEvents(map: BpfMap, options: EventOptions = {}): AsyncGenerator<BpfEvent> {
  const { pages = 64, signal } = options;
  const helper = native();
  const fail = (error: unknown) => new KernelError(`read events of ${map.label}`, error);
  let reader: ReturnType<typeof helper.events>;
  try {
    reader = helper.events(map.handle, pages);
  } catch (error) {
    throw fail(error);
  }
  const room = Buffer.allocUnsafeSlow(ROOM_BYTES);
  const close = () => helper.eventsClose(reader);
  signal?.addEventListener('abort', close, { once: true });
  try {
    while (!signal?.aborted) {
      const used = await helper.eventsRead(reader, room, TIMEOUT_MS).catch((error: unknown) => {
        throw fail(error);
      });
      yield* decodeEvents(room.subarray(0, used));
    }
  } finally {
    signal?.removeEventListener('abort', close);
    close();
  }
}

/** Splits the bytes of a read. Each event is padded to 8 bytes. */
export function* decodeEvents(bytes: Buffer): Generator<BpfEvent> {
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const size = bytes.readUInt32LE(at);
    const cpu = bytes.readUInt32LE(at + 4);
    const lost = bytes.readBigUInt64LE(at + 8);
    at += HEADER_BYTES;
    yield lost > 0n ? { cpu, lost } : { cpu, data: bytes.subarray(at, at + size) };
    at += (size + 7) & ~7;
  }
}
