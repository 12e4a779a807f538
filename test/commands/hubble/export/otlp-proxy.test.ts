import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, describe, expect, test } from '@jest/globals';
import { serveCollector } from '../../../helpers/otlp.ts';
import { CaptureFolder, exportOtlp } from '../../../helpers/otlp-export.ts';
import { fixtureText } from '../../../helpers/recordings.ts';

const folder = new CaptureFolder();
afterAll(() => folder[Symbol.dispose]());

/** A proxy that leads every host to this machine, or refuses. */
async function serveProxy(refusal?: string) {
  const asked: [method: string | undefined, url: string | undefined, user: string | undefined][] = [];
  const server = createServer((incoming, outgoing) => {
    const { method, url = '', headers } = incoming;
    asked.push([method, url, headers['proxy-authorization']]);
    const { port, pathname } = new URL(url);
    const passed = request({ port, path: pathname, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  server.on('connect', ({ method, url = '', headers }, socket) => {
    asked.push([method, url, headers['proxy-authorization']]);
    if (refusal !== undefined) return socket.end(`HTTP/1.1 ${refusal}\r\n\r\n`);
    const on = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      on.pipe(socket);
      socket.pipe(on);
    });
    for (const one of [on, socket]) one.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    asked,
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const speaks = major > 24 || minor >= 5;

(speaks ? describe : describe.skip)('through a proxy of HTTP', () => {
  test('plain records go, and it is said', async () => {
    await using proxy = await serveProxy();
    await using collector = await serveCollector();
    const endpoint = collector.endpoint.replace('127.0.0.1', 'collector.example');
    const env = { http_proxy: `http://user:p%40ssword@${proxy.host}` };
    const words = ['--input-file', folder.flows(2), '--endpoint', endpoint];
    const { code, stderr } = await exportOtlp(words, { env });
    expect([code, collector.taken.length]).toEqual([0, 2]);
    expect(stderr).toContain(`as http/protobuf through the proxy ${proxy.host} (http_proxy).`);
    expect(stderr).not.toContain('ssword');
    const user = `Basic ${Buffer.from('user:p@ssword').toString('base64')}`;
    expect(proxy.asked).toEqual([['POST', `${endpoint}/v1/logs`, user]]);
    await exportOtlp(words, { env: { ...env, NO_PROXY: '.example' } });
    expect(proxy.asked).toHaveLength(1);
  });

  test('records with TLS go, to the collector itself', async () => {
    await using proxy = await serveProxy();
    const [key, cert] = ['server.key', 'server.crt'].map((name) => fixtureText(`tls/${name}`));
    await using collector = await serveCollector(undefined, { key, cert });
    const endpoint = collector.endpoint.replace('127.0.0.1', 'collector.example');
    const words = ['--input-file', folder.flows(2), '--endpoint', endpoint, '--endpoint-tls-allow-insecure'];
    const { code } = await exportOtlp(words, { env: { HTTPS_PROXY: proxy.host } });
    expect([code, collector.taken.length]).toEqual([0, 2]);
    expect(proxy.asked).toEqual([['CONNECT', endpoint.replace('https://', ''), undefined]]);
  });

  test.each([
    ['407 Proxy Authentication Required', 'Tell it who you are: HTTPS_PROXY='],
    ['403 Forbidden', 'NO_PROXY names hosts'],
  ])('that answers %s they do not go', async (refusal, hint) => {
    await using proxy = await serveProxy(refusal);
    const words = ['--input-file', folder.flows(1), '--endpoint', 'https://collector.example'];
    const { code, stderr } = await exportOtlp(words, { env: { HTTPS_PROXY: proxy.host } });
    expect(code).toBe(1);
    expect(stderr).toContain(`the proxy does not open the way there: ${refusal}\n${hint}`);
  });

  test('that cannot be reached is told', async () => {
    const words = [
      '--input-file',
      folder.flows(1),
      '--endpoint',
      'https://collector.example',
      '--retry-for',
      '1s',
    ];
    const { code, stderr } = await exportOtlp(words, { env: { HTTPS_PROXY: '127.0.0.1:9' } });
    expect(code).toBe(1);
    expect(stderr).toContain('takes no records: through the proxy 127.0.0.1:9: connection refused');
  });
});
