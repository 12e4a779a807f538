import { errnoText, errorCode } from './lib/errno.ts';

export { errorCode };

/** What the reader can act on: printed as `Error: <message>`, then the hint; exit code 1 unless said otherwise. */
export class UserError extends Error {
  override name = 'UserError';
  /** One line that says what to do next; printed below the message. */
  readonly hint?: string;
  readonly exitCode: number;

  constructor(
    message: string,
    options: { hint?: string | undefined; cause?: unknown; exitCode?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (options.hint !== undefined) this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Somebody was not reached, or a connection broke: the same may work a moment later. */
export class Unreachable extends UserError {
  override name = 'Unreachable';
}

/** A wrong flag or argument. Where the reference has the verb, its usage is printed on stdout, as the reference does. */
export class UsageError extends UserError {
  override name = 'UsageError';
  /** What stands below the usage, for an error that the reference finds while the verb runs and takes for one of its flags. */
  readonly flagsError?: string;

  constructor(
    message: string,
    options: { hint?: string | undefined; cause?: unknown; exitCode?: number; flagsError?: string } = {},
  ) {
    super(message, options);
    if (options.flagsError !== undefined) this.flagsError = options.flagsError;
  }
}

/** Everything has been said already: end with this exit code and print nothing more. */
export class SilentExit extends Error {
  override name = 'SilentExit';
  constructor(readonly exitCode: number) {
    super(`exit ${exitCode}`);
  }
}

/** Why a command ends before its time: a signal came. Commands that go on until one comes end with 0 all the same. */
export class Stopped extends Error {
  override name = 'AbortError';
  constructor(
    readonly signal: 'SIGINT' | 'SIGTERM',
    readonly exitCode: number,
  ) {
    super(`stopped by ${signal}`);
  }
}

/** The reader of our stdout went away (EPIPE). Ends the program quietly, as SIGPIPE would. */
export class ClosedPipe extends SilentExit {
  override name = 'ClosedPipe';
  constructor() {
    super(141);
  }
}

/** Whether a connection that broke, or could not be made, is behind an error. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  return error instanceof Error && error.cause !== undefined && isUnreachable(error.cause);
}

/** The message of whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why an operation on a file failed, in the system's words and without the path, which the message names already. */
export function systemReason(error: unknown): string {
  return errnoText(errorCode(error)) ?? errorMessage(error);
}

const MAX_CAUSES = 10;

/** An error and what is behind it, from the outside in. */
export function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause = error; isError(cause) && causes.length < MAX_CAUSES; cause = cause.cause)
    causes.push(cause);
  return causes;
}

/** Also of one that was made in another realm. */
function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}
