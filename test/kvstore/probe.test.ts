import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { probeEndpoint, readCertificates } from '../../src/kvstore/probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'probe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Listens on a port of the loopback interface. */
async function listening(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** What is found, a line each. */
async function probe(endpoint: string, config: object = {}, signal = new AbortController().signal) {
  const findings = await probeEndpoint(endpoint, { endpoints: [], ...config }, signal);
  return findings.map(({ level, text }) => `${level}: ${text}`);
}

describe('an endpoint', () => {
  test('that accepts connections is found', async () => {
    await using server = await listening(createServer((socket) => socket.resume().end()));
    expect(await probe(`http://127.0.0.1:${server.port}`)).toEqual([
      `ok: TCP connection successfully established to 127.0.0.1:${server.port}`,
    ]);
  });

  test('is looked for where its name leads', async () => {
    await using server = await listening(createServer((socket) => socket.resume().end()));
    const connected = `ok: TCP connection successfully established to 127.0.0.1:${server.port}`;
    const hostAliases = { member: ['127.0.0.1', 'b', 'c', 'd'], many: ['127.0.0.1', 'b', 'c', 'd', 'e'] };
    expect(await probe(`http://member:${server.port}`, { hostAliases })).toEqual([
      'ok: Hostname resolved to: 127.0.0.1, b, c, d',
      connected,
    ]);
    expect((await probe(`http://many:${server.port}`, { hostAliases }))[0]).toBe(
      'ok: Hostname resolved to: 127.0.0.1, b, c, d, ...',
    );
  });

  test('that is away is told with the reason', async () => {
    expect(await probe('http://127.0.0.1:1')).toEqual([
      'bad: Cannot establish TCP connection to 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused',
    ]);
    expect(await probe('no url')).toEqual(['bad: Cannot parse endpoint: "no url" is not a URL']);
    const stopped = AbortSignal.abort();
    expect(await probe('http://127.0.0.1:1', {}, stopped)).toEqual([
      'bad: Cannot establish TCP connection to 127.0.0.1:1: context deadline exceeded',
    ]);
    const [resolved, connected] = await probe('http://nowhere.invalid:1');
    expect(resolved).toMatch(/^bad: Cannot resolve hostname: /);
    expect(connected).toMatch(/^bad: Cannot establish TCP connection to nowhere\.invalid:1: /);
  });
});

const withOpenssl = spawnSync('openssl', ['version']).status === 0 ? describe : describe.skip;

withOpenssl('TLS', () => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  beforeAll(() => {
    const subject = '/emailAddress=a@lab/C=CH/ST=Bern/O=Lab/CN=127.0.0.1/serialNumber=7';
    const words = `req -x509 -newkey rsa:2048 -nodes -keyout ${key} -out ${cert} -days 2 -set_serial 0x0a0b -subj ${subject}`;
    execFileSync('openssl', [...words.split(' '), '-addext', 'subjectAltName=IP:127.0.0.1'], {
      stdio: 'ignore',
    });
  });

  /** Probes a server that answers a request with these bytes, or ends. */
  async function probeTls(answer: string | undefined, caFile: string | undefined = cert) {
    const options = { cert: readFileSync(cert), key: readFileSync(key) };
    const server = createTlsServer(options, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => (answer === undefined ? socket.end() : socket.write(answer)));
    });
    server.on('tlsClientError', () => {});
    await using at = await listening(server);
    const found = await probe(`https://127.0.0.1:${at.port}`, caFile ? { caFile } : {});
    return found.map((line) => line.replaceAll(String(at.port), 'PORT'));
  }

  const TCP = 'ok: TCP connection successfully established to 127.0.0.1:PORT';
  const SECURE = [
    TCP,
    'ok: TLS connection successfully established to 127.0.0.1:PORT',
    expect.stringMatching(/^info: Negotiated TLS version: TLS 1\.3, ciphersuite TLS_\w+$/),
  ];

  test('is agreed on, and the version of the server read', async () => {
    expect(await probeTls('HTTP/1.1 200 OK\r\n\r\n{"etcdserver":"3.5.1","etcdcluster":"3.5.0"}')).toEqual([
      ...SECURE,
      'info: Etcd server version: 3.5.1',
    ]);
    expect(await probeTls('HTTP/1.1 404 Not Found\r\n\r\n')).toEqual([
      ...SECURE,
      'warn: Could not retrieve etcd server version',
    ]);
    expect(await probeTls(undefined)).toEqual([
      ...SECURE,
      'bad: Failed to retrieve GET /version answer: EOF',
    ]);
  });

  test('with a certificate of somebody unknown fails', async () => {
    const [connected, secure, ...rest] = await probeTls('x', '');
    expect(connected).toBe(TCP);
    expect(secure).toMatch(
      /^bad: Cannot establish TLS connection to 127\.0\.0\.1:PORT: tls: .* x509: certificate signed by unknown authority$/,
    );
    expect(rest).toEqual([]);
  });

  test('certificates are read in the order of their file, named as Go names them', async () => {
    const both = join(folder, 'both.pem');
    const text = readFileSync(cert, 'utf8');
    writeFileSync(both, `comment\n${text}between\n${text}`);
    const [first, second, ...rest] = await readCertificates(both);
    expect(rest).toEqual([]);
    expect(second?.facts).toEqual(first?.facts);
    const time = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC$/;
    expect(first?.facts).toEqual({
      // Pairs from the left, without the leading zero, as the reference prints it.
      serial: 'a0:b',
      subject: 'serialNumber=7,CN=127.0.0.1,ST=Bern,O=Lab,C=CH,emailAddress=a@lab',
      issuer: 'serialNumber=7,CN=127.0.0.1,ST=Bern,O=Lab,C=CH,emailAddress=a@lab',
      notBefore: expect.stringMatching(time),
      notAfter: expect.stringMatching(time),
    });
    writeFileSync(both, '-----BEGIN PRIVATE KEY-----\n');
    await expect(readCertificates(both)).rejects.toThrow('no certificate found');
  });
});
