import { lookup } from 'node:dns';
import { connect as connectTcp, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorCode, errorMessage, UserError } from '../../errors.ts';
import { unbracketed } from '../../lib/address.ts';
import { errnoText } from '../../lib/errno.ts';
import { checkServerName, verifyFault } from '../../lib/go-x509.ts';
import type { Wire } from '../http2/connection.ts';
import { NoWay, RpcError } from './status.ts';
import { dialName, type ServerSettings } from './target.ts';

/** Opens the connection that HTTP/2 runs on. Rejects with an RpcError that says what is wrong and where. */
export async function open(settings: ServerSettings): Promise<Wire> {
  if (!settings.dial && !settings.tls) {
    const inbox = new Inbox();
    return { socket: await connected(settings, inbox.onread), listen: inbox.listen };
  }
  const plain = await (settings.dial ? dialled(settings.dial, settings) : connected(settings));
  try {
    const socket = settings.tls ? await secure(plain, settings) : plain;
    return { socket, listen: (take) => void socket.on('data', take) };
  } catch (error) {
    plain.destroy();
    throw error instanceof UserError ? error : dialFault(settings, error);
  }
}

const READ_BYTES = 64 * 1024;

/** Memory that a socket reads into: a buffer for each read would be garbage of hundreds of megabytes in a long stream. */
class Inbox {
  #take: ((bytes: Buffer) => void) | undefined;
  #early: Buffer[] = [];

  readonly onread: OnReadOpts = {
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback: (length, memory) => {
      const bytes = Buffer.from(memory.buffer, memory.byteOffset, length);
      if (this.#take) this.#take(bytes);
      else this.#early.push(Buffer.from(bytes));
      return true;
    },
  };

  readonly listen = (take: (bytes: Buffer) => void): void => {
    this.#take = take;
    for (const bytes of this.#early.splice(0)) take(bytes);
  };
}

/** `localhost` is this machine also where nobody resolves it, as in a root without /etc/hosts. */
const lookupLocalhost: LookupFunction = (name, options, done) =>
  lookup(name, options, (error, address, family) =>
    error ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, address, family),
  );

async function connected(settings: ServerSettings, onread?: OnReadOpts): Promise<Socket> {
  const { target } = settings;
  const reading = onread && { onread };
  const socket =
    target.network === 'unix'
      ? connectTcp({ path: target.path, ...reading })
      : connectTcp({
          host: target.host,
          port: target.port,
          autoSelectFamily: true,
          ...(target.host === 'localhost' && { lookup: lookupLocalhost }),
          noDelay: true,
          ...reading,
        });
  try {
    await established(socket, 'connect', settings.dialTimeoutMs);
    return socket;
  } catch (error) {
    socket.destroy();
    throw dialFault(settings, error);
  }
}

async function dialled(dial: () => Promise<Duplex>, settings: ServerSettings): Promise<Duplex> {
  try {
    const stream = await dial();
    return stream.on('error', (error) => lastErrors.set(stream, error));
  } catch (error) {
    throw dialFault(settings, error);
  }
}

async function secure(plain: Duplex, settings: ServerSettings): Promise<Duplex> {
  const { connect } = await import('node:tls');
  const { target, tls } = settings;
  const name = tls?.serverName ?? (target.network === 'tcp' ? target.host : 'localhost');
  let socket: ReturnType<typeof connect>;
  try {
    socket = connect({
      socket: plain,
      ALPNProtocols: ['h2'],
      // A certificate for an address is checked against `host`; SNI only ever carries names.
      ...(isAddress(name) ? { host: unbracketed(name) } : { servername: name, host: name }),
      // Only the name that was asked for counts, not the one of the far end's choice.
      checkServerIdentity: (_, certificate) => checkServerName(name, certificate),
      rejectUnauthorized: tls?.allowInsecure !== true,
      ...(tls?.ca && { ca: tls.ca }),
      ...(tls?.cert && { cert: tls.cert }),
      ...(tls?.key && { key: tls.key }),
    });
  } catch (cause) {
    throw new UserError(`tls: the client certificate and key do not fit: ${errorMessage(cause)}`, {
      hint: 'Both files must hold PEM, and the key must belong to the certificate.',
      cause,
    });
  }
  await established(socket, 'secureConnect', settings.dialTimeoutMs);
  if (socket.alpnProtocol !== 'h2') {
    socket.destroy();
    throw new RpcError(
      'Unavailable',
      'connection error: desc = "transport: authentication handshake failed: credentials: cannot check peer: missing selected ALPN property"',
      { hint: 'The server speaks TLS but not HTTP/2: is this the address of a Hubble server?' },
    );
  }
  return socket;
}

function isAddress(host: string): boolean {
  return host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

function established(socket: Socket, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DialTimeout()), timeoutMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('EOF')));
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.on('error', (error) => lastErrors.set(socket, error));
      resolve();
    });
  });
}

const lastErrors = new WeakMap<Duplex, Error>();

/** What a connection failed with after it stood: a server may refuse a client certificate only then. */
export function lastError(socket: Duplex): Error | undefined {
  return lastErrors.get(socket);
}

class DialTimeout extends Error {}

const TLS_HINTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate is self-signed: name its authority with --tls-ca-cert-files.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Its authority is not known here: name it with --tls-ca-cert-files.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Its authority is not known here: name it with --tls-ca-cert-files.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Its authority is not known here: name it with --tls-ca-cert-files.',
  CERT_HAS_EXPIRED: 'The certificate has expired; is the clock of this machine right?',
  CERT_NOT_YET_VALID: 'The certificate is not valid yet; is the clock of this machine right?',
  INVALID_PURPOSE: 'The certificate is not meant for servers: its extended key usage lacks serverAuth.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate is for another name: give it with --tls-server-name (for example instance.hubble-relay.cilium.io).',
};

/** Puts a failed connection into gRPC's words, with a hint about the usual cause. */
export function dialFault(settings: ServerSettings, error: unknown): RpcError {
  const inner = innermost(error);
  if (inner instanceof RpcError) return inner;
  if (inner instanceof UserError) return new NoWay(inner);
  const code = errorCode(inner) ?? '';
  const unavailable = (desc: string, hint?: string) =>
    new RpcError('Unavailable', `connection error: desc = "transport: ${desc}"`, { hint, cause: error });
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new RpcError(
      'Unavailable',
      `dns: A record lookup error: lookup ${settings.target.network === 'tcp' ? settings.target.host : ''}: no such host`,
      { hint: 'The name of the server is unknown: check --server.', cause: error },
    );
  const resolved = addressOf(inner);
  const dial = `Error while dialing: ${dialName(settings.target, resolved)}`;
  if (inner instanceof DialTimeout)
    return unavailable(
      `${dial}: i/o timeout`,
      'Nothing answers there: check --server, or allow more with --timeout.',
    );
  const system = errnoText(code);
  if (system) return unavailable(`${dial}: connect: ${system}`, hintFor(settings, code));
  if (settings.tls)
    return unavailable(
      `authentication handshake failed: ${verifyFault(code) ?? tlsMessage(errorMessage(inner))}`,
      [TLS_HINTS[code] ?? tlsHint(code, errorMessage(inner)), settings.tls.missing]
        .filter((part) => part !== undefined)
        .join(' ') || undefined,
    );
  if (/protocol error|bad preface|HTTP\/2|EOF/i.test(errorMessage(inner)))
    return new RpcError(
      'Unavailable',
      `connection error: desc = "error reading server preface: ${errorMessage(inner)}"`,
      {
        hint: 'What listens there does not speak gRPC without TLS: if it is TLS, add --tls.',
        cause: error,
      },
    );
  return unavailable(`${dial}: ${errorMessage(inner)}`);
}

/** OpenSSL's reason, without the numbers and places around it. */
function tlsMessage(message: string): string {
  const reason = /:error:[^:]*:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1] ?? message.trim();
  return isPlain(reason) ? 'tls: first record does not look like a TLS handshake' : reason;
}

/** Whether the other side answered with something else than TLS. */
const isPlain = (message: string) => /wrong[ _]version[ _]number|packet length too long/i.test(message);

function tlsHint(code: string, message: string): string | undefined {
  if (isPlain(code) || isPlain(message)) return 'The server does not speak TLS: leave out --tls.';
  if (/certificate required|bad certificate|handshake failure|alert/i.test(message))
    return 'The server may ask for a client certificate: --tls-client-cert-file and --tls-client-key-file.';
  return undefined;
}

/** With several addresses for a name, the last attempt is the one told. */
function innermost(error: unknown): unknown {
  return error instanceof AggregateError ? (error.errors.at(-1) ?? error) : error;
}

function addressOf(error: unknown): string | undefined {
  return typeof error === 'object' &&
    error !== null &&
    'address' in error &&
    typeof error.address === 'string'
    ? error.address
    : undefined;
}

function hintFor({ target }: ServerSettings, code: string): string {
  if (code === 'EACCES' || code === 'EPERM')
    return 'Run the command as root, or as a member of the group that owns the socket.';
  return target.network === 'unix'
    ? 'Is the agent running on this node, with Hubble enabled?'
    : 'Is the relay reachable there? In a cluster --port-forward leads to it; --server names another address.';
}
