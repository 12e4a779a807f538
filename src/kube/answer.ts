import { errorCode, errorMessage, UserError } from '../errors.ts';

/** The answer; undefined for "not found", a sentence for other errors. */
export async function found<T>(request: Promise<T>, what: string): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code === 404) return undefined;
    const status = typeof code === 'number' ? `the API server answered ${code}` : sentenceOf(error);
    throw new UserError(`${what}: ${status}`, {
      hint: code === 403 ? 'The service account or user may not read it.' : undefined,
      cause: error,
    });
  }
}

/** The sentence in an error of the API server. */
export function apiMessage(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'body' in error) {
    const { body } = error;
    try {
      const status: unknown = typeof body === 'string' ? JSON.parse(body) : body;
      if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
    } catch {
      // The body is no JSON: the error's own message has to do.
    }
  }
  return sentenceOf(error);
}

function sentenceOf(error: unknown): string {
  const told = errorMessage(error).split('\n')[0] ?? '';
  const reason = rootCause(error);
  return reason === undefined ? told : `${told}: ${reason}`;
}

/** What the library's "fetch failed" hides: the code or message of the innermost error. */
function rootCause(error: unknown): string | undefined {
  let inner: unknown = error instanceof Error ? error.cause : undefined;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  return inner === undefined ? undefined : (errorCode(inner) ?? errorMessage(inner));
}
