import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { Http2Connection, type Wire } from '../../../src/hubble/http2/connection.ts';
import { HeaderDecoder } from '../../../src/hubble/http2/hpack.ts';
import fc from '../../helpers/properties.ts';

const wireOf = (socket: Socket): Wire => ({ socket, listen: (take) => void socket.on('data', take) });

type Answer = (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void;

interface Pair extends AsyncDisposable {
  connection: Http2Connection;
  server: Http2Server;
}

/** A connection to Node's server, which answers each stream with `answer`. */
async function connected(answer: Answer, windowBytes = 1024 * 1024): Promise<Pair> {
  const server = createServer();
  server.on('stream', answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
  await once(socket, 'connect');
  const connection = await Http2Connection.greet(wireOf(socket), windowBytes, 5_000);
  return {
    connection,
    server,
    async [Symbol.asyncDispose]() {
      connection.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const REQUEST = { ':method': 'POST', ':scheme': 'http', ':authority': 'localhost', ':path': '/a' };

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

test('a request of a megabyte comes back as it was sent, with headers and trailers', async () => {
  await using pair = await connected((stream) => {
    stream.respond({ ':status': 200, 'x-first': 'one' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-last': 'two' }));
    stream.pipe(stream);
  });
  const sent = Buffer.from(Array.from({ length: 1_200_000 }, (_, i) => (i * 7) & 0xff));
  const stream = pair.connection.request(
    REQUEST,
    [sent.subarray(0, 70_000), sent.subarray(70_000)],
    () => {},
  );
  expect(await bytesOf(stream.chunks)).toEqual(sent);
  expect(stream.headers).toMatchObject({ ':status': '200', 'x-first': 'one' });
  expect(stream.trailers).toEqual({ 'grpc-status': '0', 'x-last': 'two' });
});

test('any headers that a server packs come out as they went in', async () => {
  let next: Record<string, string> = {};
  await using pair = await connected((stream) => {
    stream.respond(next);
    stream.end();
  });
  const text = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.stringMatching(/^x-[a-z0-9-]{1,20}$/), text, { maxKeys: 12 }),
      async (headers) => {
        next = headers;
        const stream = pair.connection.request(REQUEST, [], () => {});
        await bytesOf(stream.chunks);
        const { ':status': status, date: _, ...rest } = stream.headers ?? {};
        expect(status).toBe('200');
        expect(rest).toEqual(headers);
      },
    ),
    { numRuns: 200 },
  );
});

test('what a server sends waits for its reader, and no longer', async () => {
  const window = 128 * 1024;
  let sent = 0;
  await using pair = await connected((stream) => {
    stream.respond({ ':status': 200 });
    const write = () => {
      while (sent < 100 * window) {
        sent += 16_384;
        if (!stream.write(Buffer.alloc(16_384))) return void stream.once('drain', write);
      }
      stream.end();
    };
    write();
  }, window);
  const stream = pair.connection.request(REQUEST, [], () => {});
  const reader = stream.chunks[Symbol.asyncIterator]();
  await reader.next();
  await new Promise((resolve) => setTimeout(resolve, 200));
  // Beside the window, what lies in the server's own buffers.
  expect(sent).toBeLessThan(6 * window);
  let taken = 0;
  for (let next = await reader.next(); !next.done; next = await reader.next()) taken += next.value.length;
  expect(sent).toBe(100 * window);
  expect(taken).toBeGreaterThan(98 * window);
});

test('a stream that is closed does not keep others of its connection from going on', async () => {
  const window = 64 * 1024;
  await using pair = await connected((stream, headers) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200 });
    if (headers[':path'] === '/endless') {
      const write = () => {
        while (!stream.destroyed && stream.write(Buffer.alloc(16_384)));
        if (!stream.destroyed) stream.once('drain', write);
      };
      write();
    } else stream.end(Buffer.alloc(10 * window));
  }, window);
  for (let i = 0; i < 5; i++) {
    const endless = pair.connection.request({ ...REQUEST, ':path': '/endless' }, [], () => {});
    await endless.chunks[Symbol.asyncIterator]().next();
    endless.close();
  }
  const stream = pair.connection.request(REQUEST, [], () => {});
  expect(await bytesOf(stream.chunks)).toHaveLength(10 * window);
});

test('what ends a stream early is told by its name', async () => {
  await using pair = await connected((stream) => {
    stream.on('error', () => {});
    stream.close(11);
  });
  const stream = pair.connection.request(REQUEST, [], () => {});
  await expect(bytesOf(stream.chunks)).rejects.toMatchObject({ reason: 'ENHANCE_YOUR_CALM' });
});

test('header blocks that are none are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        new HeaderDecoder().decode(Buffer.from(bytes));
      } catch (error) {
        expect((error as Error).name).toBe('HpackError');
      }
    }),
    { numRuns: 2000 },
  );
});
