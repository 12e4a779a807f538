import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { HttpClient, TransportError } from '../../../src/agent/http/http.ts';
import { listen } from '../../helpers/replay.ts';

interface Raw extends AsyncDisposable {
  http: HttpClient;
  seen: string[];
}

/** A server that says exactly these bytes once a request has come. */
async function raw(answer: (socket: Socket, request: string) => void): Promise<Raw> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (request) => {
      seen.push(request.toString());
      answer(socket, request.toString());
    });
  });
  const target = await listen(server as never);
  return {
    http: new HttpClient({ network: 'unix', target }),
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Lets the event loop go round, so that what was written is read by itself. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

const says = (...pieces: string[]) =>
  raw(async (socket) => {
    for (const piece of pieces) {
      socket.write(piece);
      await turns(1);
    }
    socket.end();
  });

const get = (server: Raw, timeoutMs?: number) =>
  server.http.request({ method: 'GET', path: '/v1/x', ...(timeoutMs && { timeoutMs }) });

async function fault(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TransportError)) throw new Error(`expected a TransportError, got ${error}`);
  return error.fault;
}

describe('an answer over a unix socket', () => {
  test.each<[string, string[], string]>([
    ['with a length', ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more'], 'hello'],
    [
      'in chunks',
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n'],
      'abcde',
    ],
    [
      'cut anywhere',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'.split(
        /(?<=[\r\n1bc])/,
      ),
      'abcde',
    ],
    ['until the connection ends', ['HTTP/1.0 200 OK\r\n\r\none ', 'two'], 'one two'],
    [
      'after an interim one',
      ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'],
      'ok',
    ],
    ['without a body', ['HTTP/1.1 204 No Content\r\ncontent-length: 9\r\n\r\n'], ''],
    ['without a reason', ['HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx'], 'x'],
  ])('%s is read whole', async (_, pieces, body) => {
    await using server = await says(...pieces);
    expect((await get(server)).body.toString()).toBe(body);
  });

  test('is asked for with the host, the length of the body and the headers', async () => {
    await using server = await says('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    await server.http.request({ method: 'PATCH', path: '/v1/x?y=1', headers: { brief: 'true' }, body: 'ü' });
    const [head = '', body] = (server.seen[0] ?? '').split('\r\n\r\n');
    const [first, ...headers] = head.split('\r\n');
    expect({ first, headers: headers.sort(), body }).toEqual({
      first: 'PATCH /v1/x?y=1 HTTP/1.1',
      headers: [
        'accept: application/json',
        'brief: true',
        'connection: close',
        'content-length: 2',
        'host: localhost',
      ],
      body: 'ü',
    });
  });

  test.each<[string, string[], string]>([
    ['that is no HTTP', ['SSH-2.0-OpenSSH_9.6\r\n\r\n'], 'not-http'],
    ['that is no HTTP and has no end', ['\u0000\u0001binary'], 'not-http'],
    ['that breaks off in its head', ['HTTP/1.1 200 OK\r\ncontent-'], 'truncated'],
    ['that breaks off in its body', ['HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'], 'truncated'],
    [
      'that breaks off in a chunk',
      ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhalf'],
      'truncated',
    ],
    [
      'without a last chunk',
      ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n'],
      'truncated',
    ],
    ['with a chunk of no size', ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'], 'not-http'],
    [
      'with a chunk longer than its size',
      ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n'],
      'not-http',
    ],
    ['with a length that is none', ['HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'], 'not-http'],
    ['with a header without end', [`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`], 'too-large'],
    ['that never begins', [], 'truncated'],
  ])('%s is an error that says so', async (_, pieces, kind) => {
    await using server = await says(...pieces);
    expect(await fault(get(server))).toBe(kind);
  });

  test('that takes too long is given up', async () => {
    await using server = await raw((socket) => socket.write('HTTP/1.1 200 OK\r\n'));
    expect(await fault(get(server, 30))).toBe('timeout');
  });

  test('ends with the reason of the signal', async () => {
    await using server = await raw(() => {});
    const stop = new AbortController();
    const asked = server.http.request({ method: 'GET', path: '/', signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  test('is held back while a reader is busy', async () => {
    await using server = await says('HTTP/1.1 200 OK\r\n\r\n', 'a', 'b', 'c');
    const order: string[] = [];
    await server.http.stream({ method: 'GET', path: '/' }, async (chunk) => {
      order.push(`< ${chunk}`);
      await turns(3);
      order.push(`> ${chunk}`);
    });
    expect(order.length).toBeGreaterThan(2);
    for (let i = 0; i < order.length; i += 2) expect(order[i + 1]).toBe(order[i]?.replace('<', '>'));
  });
});

test('a path with a line break is refused', async () => {
  await using server = await says('');
  await expect(server.http.request({ method: 'GET', path: '/a\r\nx: y' })).rejects.toThrow();
});
