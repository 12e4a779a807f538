import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

/** Sends a piece again and again, until the other side has enough. */
function drip(connection: Socket, first: string, piece: string, everyMs: number): void {
  connection.write(first);
  const timer = setInterval(() => connection.write(piece), everyMs);
  connection.on('close', () => clearInterval(timer));
}

// differs: agent-timeout
test.each<[string, (connection: Socket) => void]>([
  ['no answer', () => {}],
  ['a slow head', (connection) => drip(connection, '', 'H', 50)],
  ['a slow body', (connection) => drip(connection, `${HEAD}Content-Length: 100000\r\n\r\n`, '[', 50)],
  [
    'slow chunks',
    (connection) => drip(connection, `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n[\r\n', 50),
  ],
])('%s ends a verb after --timeout', async (_, serve) => {
  await using server = await serveStream((connection) => connection.once('data', () => serve(connection)));
  for (const argv of [
    ['endpoint', 'list', '--timeout', '300ms'],
    ['--timeout=300ms', 'status'],
    ['policy', 'get', '--timeout', '0.3s'],
  ]) {
    const { stderr, code } = await run(argv, { env: { CILIUM_SOCK: server.socket } });
    expect(stderr).toMatch(/no answer within 0.3 s|Cilium API client timeout exceeded/);
    expect(code).toBe(1);
  }
});

test.each([
  ['interim answers', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000), 'the head of the answer does not end'],
  ['a header', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(200_000)}`, 'the head of the answer does not end'],
  ['headers', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(50_000)}`, 'the head of the answer does not end'],
  ['bytes of something else', 'SSH-2.0-x'.repeat(20_000), 'the server does not speak HTTP'],
])('%s without an end are an error that says so', async (_, text, message) => {
  await using server = await serveStream((connection) =>
    connection.once('data', () => connection.write(text)),
  );
  const { stderr, code } = await run(['endpoint', 'list'], { env: { CILIUM_SOCK: server.socket } });
  expect(stderr).toContain(message);
  expect(code).toBe(1);
});

test('what an agent refuses with is shown cut', async () => {
  const body = JSON.stringify('x'.repeat(1 << 20));
  await using server = await serveStream((connection) =>
    connection.once('data', () =>
      connection.end(`HTTP/1.1 500 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    ),
  );
  const { stderr, code } = await run(['endpoint', 'list'], { env: { CILIUM_SOCK: server.socket } });
  expect(stderr).toContain('xxx… (1048578 characters)');
  expect(stderr.length).toBeLessThan(5000);
  expect(code).toBe(1);
});

test.each<[string, (connection: Socket) => void]>([
  ['says nothing', () => {}],
  ['drips', (connection) => drip(connection, '', 'a\n', 50)],
])('a shell of the agent that %s ends a command after --timeout', async (_, serve) => {
  await using server = await serveStream((connection) => connection.once('data', () => serve(connection)));
  for (const argv of [
    ['metrics', 'list', '--timeout', '300ms', '--shell-sock-path', server.socket],
    ['shell', '--timeout', '300ms', '--shell-sock-path', server.socket, 'help'],
  ]) {
    const { stderr, code } = await run(argv);
    expect({ stderr, code }).toEqual({
      stderr: expect.stringContaining("no answer of the agent's shell within 0.3 s"),
      code: 1,
    });
  }
});

test('an etcd that says nothing ends a verb after --timeout', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const there = ['--kvstore', 'etcd', '--kvstore-opt', `etcd.address=http://127.0.0.1:${port}`];
  const { stderr, code } = await run(['kvstore', 'get', 'x', '--timeout', '300ms', ...there]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect({ stderr, code }).toEqual({ stderr: expect.stringContaining('no answer within 0.3 s'), code: 1 });
});
