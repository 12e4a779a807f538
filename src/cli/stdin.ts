import type { Context } from '../context.ts';

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

/** All of stdin as text. */
export async function readStdin(ctx: Context): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of ctx.in) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
