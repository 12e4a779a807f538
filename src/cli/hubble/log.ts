import type { Context } from '../../context.ts';
import { sanitize } from '../../render/text/sanitize.ts';

/** Writes one line to stderr in the form of Go's slog text handler. */
export async function logLine(
  ctx: Context,
  level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR',
  message: string,
  attributes: Readonly<Record<string, string | number>> = {},
): Promise<void> {
  if (level === 'DEBUG' && !ctx.globals.debug) return;
  const parts = [
    `time=${new Date(ctx.clock.nowMs()).toISOString()}`,
    `level=${level}`,
    `msg=${quote(message)}`,
    ...Object.entries(attributes).map(([key, value]) => `${key}=${quote(String(value))}`),
  ];
  await ctx.err.write(`${parts.join(' ')}\n`);
}

/** Text is quoted when it would not read as one word. */
function quote(text: string): string {
  return text === '' || /[\s"=\u0000-\u001f\u007f-\u009f]/.test(text) ? sanitize(JSON.stringify(text)) : text;
}
