import type { HttpClient, HttpRequest } from '../agent/http/http.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { sanitize } from '../render/text/sanitize.ts';

/** The server answered with an error status. */
export class RawError extends UserError {
  override name = 'RawError';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Copies an answer to stdout as it comes, of any size; only control characters are escaped. */
export async function copyAnswer(
  ctx: Context,
  http: HttpClient,
  request: HttpRequest,
  what: string,
): Promise<void> {
  const decoder = new TextDecoder();
  let refusal = '';
  const { status } = await http.stream(request, async (chunk, code) => {
    const text = sanitize(decoder.decode(chunk, { stream: true }));
    if (code !== 200) refusal = (refusal + text).slice(0, 500);
    else if (text !== '') await ctx.out.write(text);
  });
  if (status === 200) return;
  const detail = refusal.trim();
  throw new RawError(status, `${what}: the server answered ${status}${detail && `: ${detail}`}`);
}

/** Puts what was attempted in front of an error: `.catch(failed('cannot get the endpoint list'))`. */
export function failed(what: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${what}: ${error.message}`, {
      cause: error,
      exitCode: error.exitCode,
      hint: error.hint,
    });
  };
}
