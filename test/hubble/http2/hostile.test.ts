import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, jest, test } from '@jest/globals';
import { Http2Connection } from '../../../src/hubble/http2/connection.ts';
import { frame, uint32 } from '../../../src/hubble/http2/frames.ts';
import { encodeHeaders } from '../../../src/hubble/http2/hpack.ts';
import type { Http2Stream } from '../../../src/hubble/http2/stream.ts';
import fc from '../../helpers/properties.ts';

const REQUEST = { ':method': 'POST', ':scheme': 'http', ':authority': 'localhost', ':path': '/a' };
const WINDOW = 65_536;
/** Types and flags of frames. */
const [DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS] = [0, 1, 2, 3, 4];
const [PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION, UNKNOWN] = [5, 6, 7, 8, 9, 200];
const [END_STREAM, END_HEADERS, PADDED, HAS_PRIORITY] = [1, 4, 8, 0x20];

const GREETING = frame(SETTINGS, 0, 0);
const ANSWER = frame(HEADERS, END_HEADERS, 1, encodeHeaders({ ':status': '200' }));
const zeros = (length: number) => Buffer.alloc(length);
const setting = (name: number, value: number) => Buffer.concat([uint32(name).subarray(2), uint32(value)]);

interface Peer extends AsyncDisposable {
  /** The client's end, once it has greeted. */
  connection: Promise<Http2Connection>;
  /** The server's end. */
  server: Promise<Socket>;
}

/** A connection to a server that says `greeting`, and then what it is told to. */
async function peer(greeting: Buffer): Promise<Peer> {
  const server = createServer();
  const accepted = once(server, 'connection').then(([socket]: Socket[]) => {
    socket?.on('error', () => {});
    socket?.write(greeting);
    return socket as Socket;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
  await once(socket, 'connect');
  const wire = { socket, listen: (take: (bytes: Buffer) => void) => void socket.on('data', take) };
  const connection = Http2Connection.greet(wire, WINDOW, 3_000);
  connection.catch(() => {});
  return {
    connection,
    server: accepted,
    async [Symbol.asyncDispose]() {
      socket.destroy();
      (await accepted).destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf({ chunks }: Http2Stream): Promise<string> {
  let body = '';
  for await (const chunk of chunks) body += chunk.toString('latin1');
  return body;
}

/** What becomes of a request that a server answers with `answer`. */
async function answered(answer: readonly Buffer[]): Promise<{ stream: Http2Stream; body: string }> {
  await using pair = await peer(GREETING);
  const stream = (await pair.connection).request(REQUEST, [], () => {});
  (await pair.server).write(Buffer.concat(answer));
  return { stream, body: await bodyOf(stream) };
}

test.each([
  { answer: 'HTTP/1.1 400 Bad Request\r\n\r\n', error: 'Protocol error' },
  { answer: '\u0016\u0003\u0001\u0000\u0001\u0001xxxxxxxxxxxxx', error: 'Protocol error' },
])('a server that does not greet is told: $answer', async ({ answer, error }) => {
  await using pair = await peer(Buffer.from(answer, 'latin1'));
  await expect(pair.connection).rejects.toThrow(error);
});

test('a server that says nonsense ends the connection, and never the process', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (nonsense, framed) => {
      const body = Buffer.from(nonsense);
      await using pair = await peer(
        Buffer.concat([GREETING, framed ? frame(body[0] ?? 0, body[1] ?? 0, 1, body) : body]),
      );
      const made = await pair.connection.catch((error: Error) => error);
      if (!(made instanceof Http2Connection)) return;
      const stream = made.request(REQUEST, [], () => {});
      const server = await pair.server;
      setTimeout(() => server.destroy(), 20);
      await bodyOf(stream).catch(() => {});
    }),
    { numRuns: 60 },
  );
});

describe('what a server may say', () => {
  test.each([
    { what: 'data with padding', frames: [frame(DATA, PADDED, 1, Buffer.from('\u0003abc\0\0\0'))] },
    { what: 'data in one-byte frames', frames: [...'abc'].map((c) => frame(DATA, 0, 1, Buffer.from(c))) },
    {
      what: 'frames of a kind that is not known',
      frames: [frame(UNKNOWN, 255, 7, Buffer.from('xyz')), abc()],
    },
    { what: 'priorities', frames: [frame(PRIORITY, 0, 1, zeros(5)), abc()] },
    { what: 'settings while it answers', frames: [frame(SETTINGS, 0, 0, setting(4, 1)), abc()] },
    {
      what: 'empty data, a few times',
      frames: [...Array.from({ length: 100 }, () => frame(DATA, 0, 1)), abc()],
    },
    {
      what: 'that it goes away, and answers',
      frames: [frame(GOAWAY, 0, 0, Buffer.concat([uint32(1), uint32(0)])), abc()],
    },
    { what: 'news of a stream that is over', frames: [abc()], behind: [frame(RST_STREAM, 0, 1, uint32(0))] },
  ])('$what', async ({ frames, behind = [] }) => {
    const end = frame(HEADERS, END_HEADERS | END_STREAM, 1, encodeHeaders({ 'grpc-status': '0' }));
    const { stream, body } = await answered([ANSWER, ...frames, end, ...behind]);
    expect(body).toBe('abc');
    expect(stream.trailers).toEqual({ 'grpc-status': '0' });
  });

  function abc(): Buffer {
    return frame(DATA, 0, 1, Buffer.from('abc'));
  }

  test('so much data with padding, in small frames, that empty ones would be a flood', async () => {
    const padded = frame(DATA, PADDED, 1, Buffer.from('\u0001a\0'));
    const { body } = await answered([ANSWER, ...many(20_000, padded), frame(DATA, END_STREAM, 1)]);
    expect(body).toBe('a'.repeat(20_000));
  });

  test('headers that are all of the answer', async () => {
    const only = encodeHeaders({ ':status': '200', 'grpc-status': '5', 'grpc-message': 'no such thing' });
    const { stream, body } = await answered([frame(HEADERS, END_HEADERS | END_STREAM, 1, only)]);
    expect(body).toBe('');
    expect(stream.headers).toEqual({ ':status': '200', 'grpc-status': '5', 'grpc-message': 'no such thing' });
    expect(stream.trailers).toBeUndefined();
  });

  test('headers with padding and a priority, in parts, behind others that are on the way', async () => {
    const block = encodeHeaders({ ':status': '200', 'x-first': 'one' });
    const first = Buffer.concat([Buffer.from([2]), zeros(5), block.subarray(0, 3), zeros(2)]);
    const { stream } = await answered([
      frame(HEADERS, END_HEADERS, 1, encodeHeaders({ ':status': '103' })),
      frame(HEADERS, PADDED | HAS_PRIORITY, 1, first),
      frame(CONTINUATION, 0, 1, block.subarray(3, 9)),
      frame(CONTINUATION, END_HEADERS, 1, block.subarray(9)),
      frame(DATA, END_STREAM, 1),
    ]);
    expect(stream.headers).toEqual({ ':status': '200', 'x-first': 'one' });
  });

  test('any of it in pieces of any size', async () => {
    const end = frame(HEADERS, END_HEADERS | END_STREAM, 1, encodeHeaders({ 'grpc-status': '0' }));
    const answer = Buffer.concat([ANSWER, frame(DATA, PADDED, 1, Buffer.from('\u0001a\0')), abc(), end]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 }), async (sizes) => {
        await using pair = await peer(GREETING);
        const stream = (await pair.connection).request(REQUEST, [], () => {});
        const server = (await pair.server).setNoDelay(true);
        let at = 0;
        for (const size of [...sizes, answer.length]) {
          server.write(answer.subarray(at, at + size));
          at += size;
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(await bodyOf(stream)).toBe('aabc');
      }),
      { numRuns: 30 },
    );
  });
});

describe('a server that goes away', () => {
  test('answers what it began, refuses the rest, and gets no more requests', async () => {
    await using pair = await peer(GREETING);
    const connection = await pair.connection;
    const [first, second] = [1, 3].map(() => connection.request(REQUEST, [], () => {}));
    (await pair.server).write(
      Buffer.concat([
        ANSWER,
        frame(GOAWAY, 0, 0, Buffer.concat([uint32(1), uint32(0)])),
        frame(DATA, END_STREAM, 1, Buffer.from('abc')),
      ]),
    );
    await expect(bodyOf(second as Http2Stream)).rejects.toThrow('REFUSED_STREAM');
    expect(await bodyOf(first as Http2Stream)).toBe('abc');
    await expect(bodyOf(connection.request(REQUEST, [], () => {}))).rejects.toThrow('going away');
  });

  test('names its reason', async () => {
    const frames = [frame(GOAWAY, 0, 0, Buffer.concat([uint32(0), uint32(11)]))];
    await expect(answered(frames)).rejects.toThrow('ENHANCE_YOUR_CALM');
  });
});

describe('a server that breaks the rules is left', () => {
  const large = Buffer.concat([Buffer.from([0, 0x40, 1, DATA, 0, 0, 0, 0, 1]), zeros(0x4001)]);
  test.each([
    { rule: 'frames end', frames: [large], error: 'frame too large' },
    {
      rule: 'padding is shorter than what it is in',
      frames: [ANSWER, frame(DATA, PADDED, 1, Buffer.from([3, 0, 0]))],
      error: 'Protocol error',
    },
    {
      rule: 'padding has a length',
      frames: [frame(HEADERS, PADDED | END_HEADERS, 1)],
      error: 'Protocol error',
    },
    {
      rule: 'a priority has five bytes',
      frames: [frame(HEADERS, HAS_PRIORITY | END_HEADERS, 1, zeros(4))],
      error: 'Frame size error',
    },
    {
      rule: 'nothing comes between the parts of headers',
      frames: [frame(HEADERS, 0, 1, zeros(0)), frame(PING, 0, 0, zeros(8))],
      error: 'Protocol error',
    },
    {
      rule: 'headers go on where they began',
      frames: [frame(HEADERS, 0, 1, zeros(0)), frame(CONTINUATION, END_HEADERS, 3)],
      error: 'Protocol error',
    },
    { rule: 'headers begin', frames: [frame(CONTINUATION, END_HEADERS, 1)], error: 'Protocol error' },
    {
      rule: 'headers are packed as they should be',
      frames: [frame(HEADERS, END_HEADERS, 1, Buffer.from([0xff]))],
      error: 'cut short',
    },
    {
      rule: 'streams are opened by the client',
      frames: [frame(HEADERS, END_HEADERS, 2, zeros(0))],
      error: 'Protocol error',
    },
    { rule: 'data belongs to a stream', frames: [frame(DATA, 0, 0, zeros(1))], error: 'Protocol error' },
    {
      rule: 'a stream that was not opened has no data',
      frames: [frame(DATA, 0, 3, zeros(1))],
      error: 'Protocol error',
    },
    {
      rule: 'a stream that was not opened is not reset',
      frames: [frame(RST_STREAM, 0, 3, zeros(4))],
      error: 'Protocol error',
    },
    { rule: 'a reset has a reason', frames: [frame(RST_STREAM, 0, 1, zeros(3))], error: 'Frame size error' },
    {
      rule: 'nothing is pushed',
      frames: [frame(PUSH_PROMISE, END_HEADERS, 1, zeros(4))],
      error: 'Protocol error',
    },
    { rule: 'a ping has eight bytes', frames: [frame(PING, 0, 0, zeros(7))], error: 'Frame size error' },
    { rule: 'a ping is of the connection', frames: [frame(PING, 0, 1, zeros(8))], error: 'Protocol error' },
    { rule: 'settings are of the connection', frames: [frame(SETTINGS, 0, 1)], error: 'Protocol error' },
    { rule: 'settings are whole', frames: [frame(SETTINGS, 0, 0, zeros(5))], error: 'Frame size error' },
    {
      rule: 'what acknowledges settings has none',
      frames: [frame(SETTINGS, 1, 0, zeros(6))],
      error: 'Frame size error',
    },
    {
      rule: 'a window of streams has a bound',
      frames: [frame(SETTINGS, 0, 0, setting(4, 2 ** 31))],
      error: 'Flow control error',
    },
    {
      rule: 'frames have a least length',
      frames: [frame(SETTINGS, 0, 0, setting(5, 16_383))],
      error: 'Protocol error',
    },
    {
      rule: 'frames have a most length',
      frames: [frame(SETTINGS, 0, 0, setting(5, 2 ** 24))],
      error: 'Protocol error',
    },
    {
      rule: 'a window of the connection has a bound',
      frames: [frame(WINDOW_UPDATE, 0, 0, uint32(2 ** 31 - 1))],
      error: 'Flow control error',
    },
    {
      rule: 'a window of a stream has a bound',
      frames: [frame(WINDOW_UPDATE, 0, 1, uint32(2 ** 31 - 1))],
      error: 'Flow control error',
    },
    { rule: 'a window grows', frames: [frame(WINDOW_UPDATE, 0, 1, zeros(4))], error: 'Protocol error' },
    {
      rule: 'a window grows by a number',
      frames: [frame(WINDOW_UPDATE, 0, 0, zeros(3))],
      error: 'Frame size error',
    },
    {
      rule: 'who goes away says what was answered',
      frames: [frame(GOAWAY, 0, 0, zeros(7))],
      error: 'Frame size error',
    },
    {
      rule: 'who goes away is the connection',
      frames: [frame(GOAWAY, 0, 1, zeros(8))],
      error: 'Protocol error',
    },
  ])('$rule', async ({ frames, error }) => {
    await expect(answered(frames)).rejects.toThrow(error);
  });
});

/** Sends the same again and again until the client has gone. */
function flood(socket: Socket, again: Buffer): void {
  const many = Buffer.concat(Array.from({ length: 64 }, () => again));
  const write = () => {
    while (!socket.destroyed && socket.write(many));
    if (!socket.destroyed) socket.once('drain', write);
  };
  write();
}

describe('a server that floods is left', () => {
  const early = frame(HEADERS, END_HEADERS, 1, encodeHeaders({ ':status': '103' }));
  const bomb = frame(HEADERS, END_HEADERS, 1, Buffer.alloc(16_000, 0x82));
  test.each([
    {
      what: 'data and padding beyond what was allowed',
      again: frame(DATA, PADDED, 1, Buffer.concat([Buffer.from([255]), zeros(16_383)])),
      error: 'Flow control error',
    },
    {
      what: 'data beyond what was allowed',
      again: frame(DATA, 0, 1, zeros(16_384)),
      error: 'Flow control error',
    },
    {
      what: 'headers without an end',
      first: frame(HEADERS, 0, 1),
      again: frame(CONTINUATION, 0, 1),
      error: 'the headers are too large',
    },
    { what: 'headers that unpack to more than they are', again: bomb, error: 'the headers are too large' },
    { what: 'pings', again: frame(PING, 0, 0, zeros(8)), error: 'the server floods' },
    { what: 'answers to pings', again: frame(PING, 1, 0, zeros(8)), error: 'the server floods' },
    { what: 'settings', again: frame(SETTINGS, 0, 0, setting(4, 65_535)), error: 'the server floods' },
    { what: 'empty data', again: frame(DATA, 0, 1), error: 'the server floods' },
    {
      what: 'padding without data',
      again: frame(DATA, PADDED, 1, Buffer.from([0])),
      error: 'the server floods',
    },
    { what: 'windows', again: frame(WINDOW_UPDATE, 0, 1, uint32(1)), error: 'the server floods' },
    { what: 'priorities', again: frame(PRIORITY, 0, 1, zeros(5)), error: 'the server floods' },
    { what: 'headers of what is on the way', again: early, error: 'the server floods' },
    { what: 'frames of a kind that is not known', again: frame(UNKNOWN, 0, 0), error: 'the server floods' },
    {
      what: 'news that it goes away',
      again: frame(GOAWAY, 0, 0, Buffer.concat([uint32(1), uint32(0)])),
      error: 'the server floods',
    },
  ])('$what', async ({ first, again, error }) => {
    await using pair = await peer(GREETING);
    const stream = (await pair.connection).request(REQUEST, [], () => {});
    const server = await pair.server;
    server.resume();
    if (first) server.write(first);
    // Nobody reads: what was allowed is used up.
    flood(server, again);
    await new Promise((resolve) => server.once('close', resolve));
    await expect(bodyOf(stream)).rejects.toThrow(error);
  });

  test('trailers again and again', async () => {
    await using pair = await peer(GREETING);
    const stream = (await pair.connection).request(REQUEST, [], () => {});
    flood(await pair.server, ANSWER);
    await expect(bodyOf(stream)).rejects.toThrow('Protocol error');
  });

  test('pings, slowly, whose answers it does not read', async () => {
    jest.useFakeTimers();
    try {
      let take = (_: Buffer) => {};
      // What is written stays where it is.
      const socket = new Duplex({ read: () => {}, write: () => {} });
      const listen = (taker: typeof take) => {
        take = taker;
      };
      const greeted = Http2Connection.greet({ socket, listen }, WINDOW, 3_000);
      take(GREETING);
      const stream = (await greeted).request(REQUEST, [], () => {});
      const pings = Buffer.concat(many(9_000, frame(PING, 0, 0, zeros(8))));
      for (let second = 0; second < 10; second++) {
        take(pings);
        jest.advanceTimersByTime(1_000);
      }
      await expect(bodyOf(stream)).rejects.toThrow('the server does not read');
    } finally {
      jest.useRealTimers();
    }
  });
});

function many(count: number, one: Buffer): Buffer[] {
  return Array.from({ length: count }, () => one);
}
