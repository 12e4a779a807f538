import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';

/** What arrives on stdin, until a signal comes: a read of a terminal ends only when somebody types. */
async function* chunksOf({ in: input, signal }: Context): AsyncGenerator<Uint8Array> {
  const chunks = input[Symbol.asyncIterator]();
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), stopped]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    // Behind a read that has not ended it would wait as well.
    if (!signal.aborted) await chunks.return?.();
  }
}

/** One line of stdin without its end, trimmed; undefined when the input has ended before anything was typed. */
export async function readAnswer(ctx: Context): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunksOf(ctx)) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('\n')) break;
  }
  return text === '' ? undefined : (text.split('\n')[0] ?? '').trim();
}

/** Above this an input is refused: nobody writes one of that size, and a device file has no end. */
const MAX_INPUT_BYTES = 64 * 1024 * 1024;

/** All of stdin. */
export async function readStdin(ctx: Context): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(ctx)) {
    size += chunk.length;
    refuseLarge('stdin', size);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Refuses an input that is too large to be read as a whole. */
export function refuseLarge(name: string, bytes: number): void {
  if (bytes > MAX_INPUT_BYTES)
    throw new UserError(`${name} is larger than ${MAX_INPUT_BYTES / 1024 / 1024} MiB`, {
      hint: 'Split it into smaller ones.',
    });
}
