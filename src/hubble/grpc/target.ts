import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { systemReason, UserError } from '../../errors.ts';
import { joinHostPort } from '../../lib/address.ts';

/** Where a Hubble server listens. */
export type Target = { network: 'unix'; path: string } | { network: 'tcp'; host: string; port: number };

/** What TLS needs to know. */
export interface TlsSettings {
  allowInsecure: boolean;
  /** PEM; replaces the system's authorities. */
  ca?: string[];
  cert?: Buffer;
  key?: Buffer;
  serverName?: string;
  /** What could not be found of the above, told where a handshake fails. */
  missing?: string;
}

/** A server and how to speak to it. */
export interface ServerSettings {
  /** As the user wrote it. */
  address: string;
  target: Target;
  tls?: TlsSettings;
  basicAuth?: { username: string; password: string };
  /** How long a connection may take to stand. */
  dialTimeoutMs: number;
  /** Opens a connection where another way than that of the target leads there. */
  dial?: () => Promise<Duplex>;
}

/** The server flags, as the command line, the environment and the config file gave them. */
export interface ServerFlags {
  server: string;
  timeoutMs: number;
  tls: boolean;
  tlsAllowInsecure: boolean;
  tlsCaCertFiles: readonly string[];
  tlsClientCertFile: string;
  tlsClientKeyFile: string;
  tlsServerName: string;
  basicAuthUsername: string;
  basicAuthPassword: string;
}

const TLS_PREFIX = 'tls://';
/** What gRPC assumes for an address without a port. */
const DEFAULT_PORT = 443;

/** Refuses combinations that cannot work, in the reference's words. */
export function checkServerFlags(flags: ServerFlags): void {
  const secure = usesTls(flags);
  const fail = (text: string, hint?: string) => {
    throw new UserError(`invalid flag(s): ${text}`, { hint });
  };
  const [cert, key] = [flags.tlsClientCertFile !== '', flags.tlsClientKeyFile !== ''];
  if (cert !== key)
    fail(
      'certificate and private key are both required, but only one was provided',
      `Add --${cert ? 'tls-client-key-file' : 'tls-client-cert-file'}.`,
    );
  if (cert && !secure)
    fail(
      'tls-client-cert-file and tls-client-key-file: transport layer security required',
      'Add --tls, or write the server as tls://HOST:PORT.',
    );
  if ((flags.basicAuthUsername !== '') !== (flags.basicAuthPassword !== ''))
    fail('must specify both basic-auth-username and basic-auth-password');
}

/** Whether the flags ask for TLS. */
export function usesTls(flags: ServerFlags): boolean {
  return flags.tls || flags.server.startsWith(TLS_PREFIX);
}

/** Reads the certificates and resolves the address that the flags name. */
export async function serverSettings(flags: ServerFlags): Promise<ServerSettings> {
  const settings: ServerSettings = {
    address: flags.server,
    target: parseTarget(flags.server),
    dialTimeoutMs: flags.timeoutMs,
  };
  if (usesTls(flags)) settings.tls = await tlsSettings(flags);
  if (flags.basicAuthUsername !== '')
    settings.basicAuth = { username: flags.basicAuthUsername, password: flags.basicAuthPassword };
  if (settings.basicAuth && !settings.tls)
    throw new UserError(
      'basic authentication requires transport level security: the password would cross the network readable',
      { hint: 'Add --tls, or write the server as tls://HOST:PORT.' },
    );
  return settings;
}

/** What the flags say of TLS. */
export async function tlsSettings(
  flags: Pick<
    ServerFlags,
    'tlsAllowInsecure' | 'tlsCaCertFiles' | 'tlsClientCertFile' | 'tlsClientKeyFile' | 'tlsServerName'
  >,
): Promise<TlsSettings> {
  const settings: TlsSettings = { allowInsecure: flags.tlsAllowInsecure };
  if (flags.tlsServerName !== '') settings.serverName = flags.tlsServerName;
  if (flags.tlsCaCertFiles.length > 0) {
    settings.ca = [];
    for (const file of flags.tlsCaCertFiles) {
      const pem = (await readPem(file, `cannot load cert '${file}'`)).toString('utf8');
      if (!/-----BEGIN CERTIFICATE-----/.test(pem))
        throw new UserError(`cannot process cert '${file}': must be a PEM encoded certificate`);
      settings.ca.push(pem);
    }
  }
  if (flags.tlsClientCertFile !== '') {
    settings.cert = await readPem(flags.tlsClientCertFile, `cannot load cert '${flags.tlsClientCertFile}'`);
    settings.key = await readPem(flags.tlsClientKeyFile, `cannot load key '${flags.tlsClientKeyFile}'`);
  }
  return settings;
}

/** Beside the loop: a file may be a pipe that nobody writes to, and a signal ends the wait for it. */
async function readPem(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new UserError(`${what}: ${systemReason(cause)}`, { cause });
  }
}

/** Parses an address as gRPC does: `unix:///path`, `unix:path`, `host:port`, `[v6]:port`; `tcp://` and `dns:///` too. */
function parseTarget(server: string): Target {
  const address = server.startsWith(TLS_PREFIX) ? server.slice(TLS_PREFIX.length) : server;
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (path === '') throw badAddress(server, 'the path of the socket is missing');
    return { network: 'unix', path };
  }
  const authority = address.replace(/^(?:dns:\/\/[^/]*\/|dns:|passthrough:\/\/\/|tcp:\/\/)/, '');
  if (authority.includes('/'))
    throw badAddress(server, 'expected HOST:PORT, unix:///PATH or tls://HOST:PORT');
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(authority);
  // An IPv6 address without brackets has no port.
  if (!match) {
    if (/^[0-9a-fA-F:.%]+$/.test(authority)) return { network: 'tcp', host: authority, port: DEFAULT_PORT };
    throw badAddress(server, 'expected HOST:PORT, unix:///PATH or tls://HOST:PORT');
  }
  const port = match[3] === undefined || match[3] === '' ? DEFAULT_PORT : Number(match[3]);
  if (authority === '') throw badAddress(server, 'it is empty');
  if (port > 65_535) throw badAddress(server, `port ${port} does not exist`);
  return { network: 'tcp', host: match[1] || match[2] || 'localhost', port };
}

function badAddress(server: string, why: string): UserError {
  return new UserError(`invalid server address "${server}": ${why}`, {
    hint: 'Examples: --server localhost:4245, --server tls://relay.example.com:443, --server unix:///var/run/cilium/hubble.sock',
  });
}

/** How Go names the far end in errors. */
export function dialName(target: Target, resolved?: string): string {
  if (target.network === 'unix') return `dial unix ${target.path}`;
  return `dial tcp ${joinHostPort(resolved ?? target.host, target.port)}`;
}
