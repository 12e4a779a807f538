import { UserError } from '../../errors.ts';

/** Names of the gRPC codes, by number, as Go writes them. */
const CODES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

/** A gRPC status code by name. */
export type Code = (typeof CODES)[number];

/** A call ended with a status other than OK. */
export class RpcError extends UserError {
  override name = 'RpcError';
  constructor(
    readonly code: Code,
    /** The server's words, or ours for a fault of the connection. */
    readonly desc: string,
    options: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(`rpc error: code = ${code} desc = ${desc}`, options);
  }
}

/** The code of a number on the wire. */
export function codeOf(number: number): Code {
  return CODES[number] ?? 'Unknown';
}

/** The number of a code on the wire. */
export function numberOf(code: Code): number {
  return CODES.indexOf(code);
}

/** What gRPC makes of a status of HTTP that carries none of its own. */
export function codeOfHttp(status: number): Code {
  switch (status) {
    case 400:
      return 'Internal';
    case 401:
      return 'Unauthenticated';
    case 403:
      return 'PermissionDenied';
    case 404:
      return 'Unimplemented';
    case 429:
    case 502:
    case 503:
    case 504:
      return 'Unavailable';
    default:
      return 'Unknown';
  }
}
