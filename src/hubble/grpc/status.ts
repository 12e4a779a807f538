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

/** A gRPC status code by name; Go writes one that it does not know as `Code(99)`. */
export type Code = (typeof CODES)[number] | `Code(${number})`;

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

/** The connection went away while a call was open: no answer of the server to the call. */
export class ConnectionLost extends RpcError {
  override name = 'ConnectionLost';
  constructor(desc: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super('Unavailable', desc, options);
  }
}

/** The way to the server, which leads through a cluster, does not stand; told in the cluster's own words. */
export class NoWay extends RpcError {
  override name = 'NoWay';
  constructor(error: UserError) {
    super('Unavailable', error.message, { hint: error.hint, cause: error });
    this.message = error.message;
  }
}

/** The code of a number on the wire. */
export function codeOf(number: number): Code {
  return CODES[number] ?? (Number.isInteger(number) ? `Code(${number})` : 'Unknown');
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

/** The code of a stream that the server reset, by the names of HTTP/2's errors. */
export function codeOfReset(reason: string): Code {
  switch (reason) {
    case 'REFUSED_STREAM':
      return 'Unavailable';
    case 'CANCEL':
      return 'Canceled';
    case 'FLOW_CONTROL_ERROR':
    case 'ENHANCE_YOUR_CALM':
      return 'ResourceExhausted';
    case 'INADEQUATE_SECURITY':
      return 'PermissionDenied';
    default:
      return 'Internal';
  }
}
