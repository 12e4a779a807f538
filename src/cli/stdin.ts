import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';

/** One line of stdin without its end, trimmed; undefined when the input has ended before anything was typed. */
export async function readAnswer(ctx: Context): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of ctx.in) {
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
  for await (const chunk of ctx.in) {
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
