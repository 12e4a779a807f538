import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { errorCode, errorMessage } from '../errors.ts';
import { joinHostPort, splitHostPort, unbracketed } from '../lib/address.ts';
import { errnoText } from '../lib/errno.ts';
import { checkServerName, verifyFault } from '../lib/go-x509.ts';
import { type EtcdConfig, endpointAddress } from './config.ts';

/** One finding of a check. */
export interface Finding {
  level: 'ok' | 'bad' | 'warn' | 'info';
  text: string;
}

/** What was found about one endpoint of an etcd cluster. */
export async function probeEndpoint(
  endpoint: string,
  config: EtcdConfig,
  signal: AbortSignal,
): Promise<Finding[]> {
  const url = URL.parse(endpoint);
  if (!url?.host) return [{ level: 'bad', text: `Cannot parse endpoint: "${endpoint}" is not a URL` }];
  const findings = await probeName(url.hostname, config);
  try {
    const address = await endpointAddress(endpoint, config);
    const { host, port } = splitHostPort(address.target) ?? { host: address.target, port: 0 };
    const socket = await dial(host, port, signal);
    const remote = joinHostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    findings.push({ level: 'ok', text: `TCP connection successfully established to ${remote}` });
    if (!address.tls) {
      socket.destroy();
      return findings;
    }
    return [...findings, ...(await probeTls(socket, url, address.tls, remote, signal))];
  } catch (error) {
    findings.push({
      level: 'bad',
      text: `Cannot establish TCP connection to ${url.host}: ${reason(error, url.host)}`,
    });
    return findings;
  }
}

async function probeName(hostname: string, config: EtcdConfig): Promise<Finding[]> {
  const name = unbracketed(hostname);
  if (isIP(name)) return [];
  try {
    const ips = config.hostAliases?.[name] ?? (await lookup(name, { all: true })).map((hit) => hit.address);
    const shown = ips.length > 4 ? [...ips.slice(0, 4), '...'] : ips;
    return [{ level: 'ok', text: `Hostname resolved to: ${shown.join(', ')}` }];
  } catch (error) {
    return [{ level: 'bad', text: `Cannot resolve hostname: ${errorMessage(error)}` }];
  }
}

function dial(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return settle(connectTcp({ host, port }), 'connect', signal);
}

/** Resolves when a socket has come to `event`; closes it when it fails or time is up. */
function settle<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const give = (error: unknown) => {
      socket.destroy();
      signal.removeEventListener('abort', stop);
      reject(error);
    };
    const stop = () => give(new Error('context deadline exceeded'));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    socket.once('error', give);
    socket.once(event, () => {
      socket.off('error', give);
      signal.removeEventListener('abort', stop);
      resolve(socket);
    });
  });
}

async function probeTls(
  socket: Socket,
  url: URL,
  tls: { ca?: string; cert?: string; key?: string; servername?: string },
  remote: string,
  signal: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  let secure: TLSSocket;
  try {
    const host = unbracketed(url.hostname);
    secure = await settle(
      connectTls({ socket, host, ...tls, checkServerIdentity: checkServerName }),
      'secureConnect',
      signal,
    );
  } catch (error) {
    return [
      { level: 'bad', text: `Cannot establish TLS connection to ${url.host}: ${reason(error, url.host)}` },
    ];
  }
  const version = secure.getProtocol()?.replace('TLSv', 'TLS ') ?? 'unknown';
  findings.push(
    { level: 'ok', text: `TLS connection successfully established to ${remote}` },
    {
      level: 'info',
      text: `Negotiated TLS version: ${version}, ciphersuite ${secure.getCipher().standardName}`,
    },
    await askVersion(secure, url.host, signal),
  );
  secure.destroy();
  return findings;
}

/** With TLS 1.3 a rejected client certificate shows only when something is read. */
async function askVersion(secure: TLSSocket, host: string, signal: AbortSignal): Promise<Finding> {
  try {
    const text = await new Promise<string>((resolve, reject) => {
      const stop = () => reject(new Error('context deadline exceeded'));
      signal.addEventListener('abort', stop, { once: true });
      secure.once('error', reject);
      secure.once('end', () => reject(new Error('EOF')));
      secure.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      secure.write(`GET /version HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    });
    const version = /"etcdserver":"(.*?)"/.exec(text)?.[1];
    return version
      ? { level: 'info', text: `Etcd server version: ${version}` }
      : { level: 'warn', text: 'Could not retrieve etcd server version' };
  } catch (error) {
    const alert = errorCode(error)?.startsWith('ERR_SSL');
    return {
      level: 'bad',
      text: alert
        ? `TLS client authentication failed: ${errorMessage(error)}`
        : `Failed to retrieve GET /version answer: ${errorMessage(error)}`,
    };
  }
}

function reason(error: unknown, host: string): string {
  const code = errorCode(error);
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${host.replace(/:\d+$/, '')}: no such host`;
  const text = errnoText(code);
  return text ? `dial tcp ${host}: connect: ${text}` : (verifyFault(code) ?? errorMessage(error));
}

/** A certificate as it is shown. */
export interface CertificateFacts {
  serial: string;
  subject: string;
  issuer: string;
  notBefore: string;
  notAfter: string;
}

/** The certificates of a PEM file, in its order. Throws when the file holds none. */
export async function readCertificates(
  path: string,
): Promise<{ facts: CertificateFacts; certificate: X509Certificate }[]> {
  const text = await readFile(path, 'utf8');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('no certificate found');
  return blocks.map((block) => {
    const certificate = new X509Certificate(block);
    return { certificate, facts: factsOf(certificate) };
  });
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  const serial = certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, '');
  return {
    serial: serial.match(/.{1,2}/g)?.join(':') ?? serial,
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    notBefore: goTime(certificate.validFrom),
    notAfter: goTime(certificate.validTo),
  };
}

const NAME_ORDER = ['serialNumber', 'CN', 'postalCode', 'street', 'ST', 'L', 'OU', 'O', 'C'];

/** A distinguished name from its last part to its first, in Go's order. */
function nameOf(text: string | undefined): string {
  const parts = (text ?? '').split('\n').filter((part) => part !== '');
  const rank = (part: string) => {
    const at = NAME_ORDER.indexOf(part.split('=')[0] ?? '');
    return at === -1 ? NAME_ORDER.length : at;
  };
  return parts.toSorted((a, b) => rank(a) - rank(b)).join(',');
}

/** `2026-01-02 03:04:05 +0000 UTC` of what the certificate says. */
function goTime(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return text;
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}
