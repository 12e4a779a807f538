import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serveCollector } from '../../../helpers/otlp.ts';
import { CaptureFolder, exportOtlp } from '../../../helpers/otlp-export.ts';

const folder = new CaptureFolder();
afterAll(() => folder[Symbol.dispose]());

describe('where records go', () => {
  test.each<[words: string[], env: Record<string, string>, path: string, said: string]>([
    [['--endpoint', '{}'], {}, '/v1/logs', ''],
    [['--endpoint', '{}/otlp/'], {}, '/otlp/v1/logs', ''],
    [['--endpoint', '{}/v1/logs'], {}, '/v1/logs', ''],
    [[], { ENDPOINT: '{}/x' }, '/x/v1/logs', 'Of the environment: OTEL_EXPORTER_OTLP_ENDPOINT.'],
    [
      [],
      { LOGS_ENDPOINT: '{}/own', ENDPOINT: 'http://127.0.0.1:9' },
      '/own',
      'Of the environment: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT. Not used, since a flag or a variable for logs says it: OTEL_EXPORTER_OTLP_ENDPOINT.',
    ],
    [
      ['--endpoint', '{}'],
      { ENDPOINT: 'grpc' },
      '/v1/logs',
      'Not used, since a flag or a variable for logs says it: OTEL_EXPORTER_OTLP_ENDPOINT.',
    ],
  ])('%j %j', async (words, env, path, said) => {
    await using collector = await serveCollector();
    const fill = (text: string) => text.replace('{}', collector.endpoint);
    const filled = Object.entries(env).map(([name, value]) => [`OTEL_EXPORTER_OTLP_${name}`, fill(value)]);
    const { code, stderr } = await exportOtlp(['--input-file', folder.flows(1), ...words.map(fill)], {
      env: Object.fromEntries(filled),
    });
    expect([code, collector.requests.map((request) => request.path)]).toEqual([0, [path]]);
    expect(stderr).toContain(said);
  });

  test('with headers, an encoding, a compression and a name that the environment has', async () => {
    await using collector = await serveCollector();
    const env = {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret, x-a=1',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'x-a=2',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_SERVICE_NAME: 'flows',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod%2C1,service.name=other',
    };
    const words = ['--input-file', folder.flows(1), '--endpoint', collector.endpoint, '--header', 'X-B=3=3'];
    const { code, stderr } = await exportOtlp(words, { env });
    expect(code).toBe(0);
    const [{ headers, records }] = collector.requests as [(typeof collector.requests)[0]];
    expect(headers).toMatchObject({
      ...{ authorization: 'Bearer secret', 'x-a': '2', 'x-b': '3=3' },
      ...{ 'content-type': 'application/json', 'content-encoding': 'gzip' },
    });
    expect(records[0]?.resource).toEqual({
      'deployment.environment.name': 'prod,1',
      'service.name': 'flows',
    });
    expect(stderr).not.toContain('secret');
    expect(stderr).toContain('as http/json, gzip. Of the environment: OTEL_EXPORTER_OTLP_PROTOCOL');
  });

  test.each<[words: string[], env: Record<string, string>, message: string]>([
    [
      ['--endpoint', 'localhost:4318'],
      {},
      '--endpoint: expected an address that begins with http:// or https://',
    ],
    [['--endpoint', ''], {}, '--endpoint: expected an address'],
    [['--endpoint', 'http://u:%zz@c'], {}, '--endpoint: the user or the password in the address is not'],
    [['--header', 'Transfer-Encoding=chunked'], {}, '--header: transfer-encoding is what the request itself'],
    [[], { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }, 'OTEL_EXPORTER_OTLP_ENDPOINT: expected an address'],
    [[], { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL is grpc, which is not spoken'],
    [
      [],
      { OTEL_EXPORTER_OTLP_COMPRESSION: 'br' },
      'OTEL_EXPORTER_OTLP_COMPRESSION: "br" is none of gzip, none',
    ],
    [
      [],
      { OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: '10s' },
      'OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: expected milliseconds',
    ],
    [[], { OTEL_EXPORTER_OTLP_HEADERS: 'a=1,token' }, 'OTEL_EXPORTER_OTLP_HEADERS: expected KEY=VALUE'],
    [['--header', 'token'], {}, '--header: expected KEY=VALUE'],
    [['--header', 'a b=1'], {}, '--header: not a header of HTTP'],
    [['--header', 'a=1\n2'], {}, '--header: not a header of HTTP'],
    [
      ['--endpoint', 'http://a', '--endpoint-tls-allow-insecure'],
      {},
      'the address of the collector is one without TLS',
    ],
    [
      ['--endpoint', 'https://a', '--endpoint-tls-client-cert-file', 'a'],
      {},
      'a private key are both required',
    ],
    [
      ['--endpoint', 'https://a', '--endpoint-tls-ca-cert-files', '/none.pem'],
      {},
      "cannot load cert '/none.pem'",
    ],
  ])('%j %j is an error', async (words, env, message) => {
    const { code, stderr, stdout } = await exportOtlp(['--input-file', folder.flows(1), ...words], { env });
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(message)]);
    expect(stderr).not.toContain('token');
  });

  test('where nobody is, the export waits a minute and ends', async () => {
    const { code, stderr } = await exportOtlp([
      '--input-file',
      folder.flows(1),
      '--endpoint',
      'http://127.0.0.1:9',
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/takes no records now \(connection refused\); trying again, Ctrl-C ends/);
    expect(stderr).toMatch(
      /0 refused, 1 not sent\.\nhttp:\/\/127.0.0.1:9\/v1\/logs takes no records: connection refused/,
    );
  });

  test.each([
    [['--endpoint', 'http://c.invalid', '--header', 'Authorization=Bearer secret'], true],
    [['--endpoint', 'http://c.invalid', '--header', 'x-api-key=secret'], true],
    [['--endpoint', 'http://user:secret@c.invalid'], true],
    [['--endpoint', 'http://c.invalid', '--header', 'x-tenant=shop'], false],
    [['--endpoint', 'https://c.invalid', '--header', 'authorization=secret'], false],
    [['--endpoint', 'http://127.0.0.1:9', '--header', 'authorization=secret'], false],
  ])('%j: credentials that others can read are warned of: %s', async (words, isWarned) => {
    const argv = ['--input-file', folder.flows(1), '--retry-for', '1ms', ...words];
    const { stderr } = await exportOtlp(argv);
    expect(stderr.includes('cross the network readable')).toBe(isWarned);
    expect(stderr).not.toMatch(/secret/);
  });

  test('where something else is, that is said', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address() as { port: number };
    const { code, stderr } = await exportOtlp([
      ...['--input-file', folder.flows(1), '--endpoint', `http://127.0.0.1:${address.port}`],
    ]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('what answers there does not speak HTTP')]);
    server.close();
  });
});

describe('TLS', () => {
  let key: string;
  let cert: string;
  beforeAll(() => {
    const openssl = (line: string) =>
      execFileSync('openssl', line.split(' '), { cwd: folder.path, stdio: 'ignore' });
    openssl(
      'req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=lab -addext subjectAltName=IP:127.0.0.1',
    );
    openssl('req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other');
    [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(join(folder.path, name), 'utf8')) as [
      string,
      string,
    ];
  });

  test.each<[words: string[], env: Record<string, string>, refused: RegExp | undefined]>([
    [[], {}, /x509: certificate signed by unknown authority\n.*--endpoint-tls-ca-cert-files/],
    [['--endpoint-tls-ca-cert-files', 'other.pem'], {}, /certificate/],
    [['--endpoint-tls-ca-cert-files', 'cert.pem'], {}, undefined],
    [['--endpoint-tls-allow-insecure'], {}, undefined],
    [[], { OTEL_EXPORTER_OTLP_CERTIFICATE: 'cert.pem' }, undefined],
  ])('%j %j', async (words, env, refused) => {
    await using collector = await serveCollector(undefined, { key, cert });
    const absolute = (text: string) => (text.endsWith('.pem') ? join(folder.path, text) : text);
    const { code, stderr } = await exportOtlp(
      ['--input-file', folder.flows(1), '--endpoint', collector.endpoint, ...words.map(absolute)],
      { env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, absolute(value)])) },
    );
    if (refused) {
      expect([code, stderr]).toEqual([1, expect.stringMatching(refused)]);
      // A wrong certificate is no moment of weakness: nothing is tried again.
      expect(stderr).not.toContain('trying again');
    } else expect([code, collector.taken.length]).toEqual([0, 1]);
  });

  test('asks for a certificate of the client where the collector does', async () => {
    const tls = { key, cert, ca: readFileSync(join(folder.path, 'other.pem')), requestCert: true };
    await using collector = await serveCollector(undefined, tls);
    const words = [
      ...['--input-file', folder.flows(1), '--endpoint', collector.endpoint],
      ...['--endpoint-tls-ca-cert-files', join(folder.path, 'cert.pem')],
    ];
    const own = [
      ...['--endpoint-tls-client-cert-file', join(folder.path, 'other.pem')],
      ...['--endpoint-tls-client-key-file', join(folder.path, 'other.key')],
    ];
    expect((await exportOtlp([...words, ...own])).code).toBe(0);
    expect((await exportOtlp(words)).code).toBe(1);
  });

  test('spoken to where there is none', async () => {
    await using collector = await serveCollector();
    const endpoint = collector.endpoint.replace('http:', 'https:');
    const { code, stderr } = await exportOtlp(['--input-file', folder.flows(1), '--endpoint', endpoint]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('does not speak TLS')]);
  });
});
