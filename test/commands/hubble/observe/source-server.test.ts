import type { ServerHttp2Stream } from 'node:http2';
import { describe, expect, test } from '@jest/globals';
import { frame } from '../../../../src/hubble/grpc/frames.ts';
import { decode, encode } from '../../../../src/hubble/protobuf/codec.ts';
import { type GrpcAnswer, recordedMessages, serveGrpc } from '../../../helpers/grpc.ts';
import { run } from '../../../helpers/run.ts';

const FLOWS = '/observer.Observer/GetFlows';

const flow = (n: number) => {
  const time = new Date(1_700_000_000_000 + n).toISOString();
  return encode('observer.GetFlowsResponse', {
    flow: { uuid: `flow-${n}`, time, Type: 'L3_L4', verdict: 'FORWARDED' },
    time,
  });
};

/** Breaks a stream off once two lines of it were printed. */
function breaker() {
  let lines = 0;
  let broken = () => {};
  return {
    after: (stream: ServerHttp2Stream) => {
      broken = () => stream.session?.destroy();
    },
    onStdout: (text: string) => {
      lines += text.split('\n').length - 1;
      if (lines === 2) broken();
    },
  };
}

/** A server whose first stream breaks off after both of its flows, and that has a third for whoever comes again. */
async function breaking() {
  const { after, onStdout } = breaker();
  let calls = 0;
  const server = await serveGrpc({
    [FLOWS]: () =>
      ++calls === 1 ? { messages: [flow(1), flow(2)], after } : { messages: [flow(2), flow(3)] },
  });
  return {
    observe: (...words: string[]) =>
      run(['hubble', 'observe', '--follow', '--server', server.address, ...words], { onStdout }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test.each([[[]], [['-o', 'json']], [['--where', 'verdict = FORWARDED']]])(
  'observe --follow %j goes on after the server was restarted, without loss or doubles',
  async (words) => {
    await using server = await breaking();
    const { stdout, stderr, code } = await server.observe(...words);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(3);
    expect(stderr).toMatch(/^The stream broke .*\nThe stream is back after .*; nothing is missing\.\n$/);
  },
);

test('observe --follow --no-reconnect ends when the server goes away', async () => {
  await using server = await breaking();
  const { stdout, code } = await server.observe('--no-reconnect');
  expect(code).toBe(1);
  expect(stdout.trim().split('\n')).toHaveLength(2);
});

describe('a call that ends badly is told as gRPC for Go tells it', () => {
  const foreign = (stream: ServerHttp2Stream, status: number, type: string | undefined, body: string) => {
    stream.respond({ ':status': status, ...(type && { 'content-type': type }) });
    stream.end(body);
  };
  const raw = (end: (stream: ServerHttp2Stream) => void): GrpcAnswer => ({ raw: end });

  // differs: observe-ended
  test.each<[string, GrpcAnswer, string]>([
    ['in its own words', { status: 2, message: 'no such thing' }, 'no such thing\n'],
    ['with a code that is unknown', { status: 99, message: 'x' }, 'rpc error: code = Code(99) desc = x\n'],
    ['cancelled by the server', { status: 1, message: 'x' }, 'rpc error: code = Canceled desc = x\n'],
    [
      'reset',
      raw((stream) => stream.close(2)),
      'rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: INTERNAL_ERROR\n',
    ],
    [
      'refused',
      raw((stream) => stream.close(7)),
      'rpc error: code = Unavailable desc = stream terminated by RST_STREAM with error code: REFUSED_STREAM\n',
    ],
    [
      'without trailers',
      raw((stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        stream.end(frame(flow(1)));
      }),
      'rpc error: code = Internal desc = server closed the stream without sending trailers\n',
    ],
    [
      'by a page',
      raw((stream) => foreign(stream, 200, 'text/html', '<html>\u001b[2J')),
      'unexpected HTTP status code received from server: 200 (OK); transport: received unexpected content-type "text/html"\ndata: "<html>\\x1b[2J"\n',
    ],
    [
      'by a proxy',
      raw((stream) => foreign(stream, 502, 'text/html', '')),
      'rpc error: code = Unavailable desc = unexpected HTTP status code received from server: 502 (Bad Gateway); transport: received unexpected content-type "text/html"\n',
    ],
    [
      'without a type',
      raw((stream) => foreign(stream, 404, undefined, '')),
      'rpc error: code = Unimplemented desc = unexpected HTTP status code received from server: 404 (Not Found); malformed header: missing HTTP content-type\n',
    ],
    [
      'by the connection',
      raw((stream) => stream.session?.destroy()),
      'rpc error: code = Unavailable desc = error reading from server: EOF\n',
    ],
    [
      'with a notice of going away',
      raw((stream) => {
        stream.session?.goaway(0);
        setTimeout(() => stream.session?.destroy(), 10);
      }),
      'rpc error: code = Unavailable desc = error reading from server: EOF\n',
    ],
  ])('%s', async (_, answer, text) => {
    await using server = await serveGrpc({ [FLOWS]: answer });
    const { stderr, code } = await run(['hubble', 'observe', '--server', server.address]);
    expect(code).toBe(1);
    // A line that says what to do may follow.
    expect(`${stderr.slice(0, text.length - 1)}\n`).toBe(text);
  });

  test.each([
    ['cut off', (stream: ServerHttp2Stream) => stream.session?.destroy()],
    [
      'told to go away',
      (stream: ServerHttp2Stream) => {
        stream.session?.goaway(0);
        setTimeout(() => stream.session?.destroy(), 10);
      },
    ],
  ])('but a quiet stream that is followed goes on after it was %s', async (_, end) => {
    let calls = 0;
    await using server = await serveGrpc({
      [FLOWS]: () =>
        ++calls === 1 ? raw((stream) => setTimeout(() => end(stream), 50)) : { messages: [flow(1)] },
    });
    const { stdout, stderr, code } = await run(['hubble', 'observe', '--follow', '--server', server.address]);
    expect([code, stdout.split('\n').length]).toEqual([0, 2]);
    expect(stderr).toMatch(
      /^The stream broke .*\nThe stream is back after .*; nothing had been shown before\.\n$/,
    );
  });
});

describe('a stream of flows', () => {
  const messages = recordedMessages('relay-GetFlows-100.grpc');
  const observe = (address: string, ...flags: string[]) =>
    run(['hubble', 'observe', '--server', address, ...flags]);

  // differs: observe-field-mask
  test('is asked for with the number, the filters, the times and the fields that people read', async () => {
    await using server = await serveGrpc({ [FLOWS]: { messages } });
    await run(
      [
        'hubble',
        'observe',
        '--server',
        server.address,
        '--since',
        '5m',
        '--last',
        '3',
        '--not',
        '--pod',
        'a',
        '-n',
        'b',
      ],
      { nowMs: 1_795_337_516_250 },
    );
    const request = decode('observer.GetFlowsRequest', server.seen[0]?.requests[0] ?? Buffer.alloc(0));
    expect(request).toMatchObject({
      number: '3',
      since: '2026-11-22T08:46:56.250Z',
      whitelist: [{ source_pod: ['b/'] }, { destination_pod: ['b/'] }],
      blacklist: [{ source_pod: ['a'] }, { destination_pod: ['a'] }],
    });
    expect(request.field_mask).toMatch(
      /^time,verdict,ethernet,IP,l4,source.identity,source.namespace,source.podName/,
    );
  });

  test.each([
    [[], '20', false],
    [['--all'], '18446744073709551615', false],
    [['--last', '1000001'], '1000001', false],
    [['--follow'], undefined, false],
    [['--first', '5'], '5', true],
    [['--since', '1h', '--all'], undefined, false],
  ] as const)('with %j asks for %s flows', async (flags, number, first) => {
    await using server = await serveGrpc({ [FLOWS]: {} });
    await observe(server.address, '-o', 'json', ...flags);
    const request = decode('observer.GetFlowsRequest', server.seen[0]?.requests[0] ?? Buffer.alloc(0));
    expect([request.number, request.first ?? false, request.field_mask]).toEqual([number, first, undefined]);
  });

  test('that is followed is asked for the uuid as well, by which flows are told apart after a break', async () => {
    await using server = await serveGrpc({ [FLOWS]: {} });
    const masks = [['--follow'], ['--follow', '-o', 'json', '--field-mask', 'uuid,time'], []];
    for (const words of masks) await observe(server.address, ...words);
    const fields = server.seen.map(({ requests: [bytes = Buffer.alloc(0)] }) =>
      decode('observer.GetFlowsRequest', bytes)
        .field_mask?.split(',')
        .filter((path) => path === 'uuid'),
    );
    expect(fields).toEqual([['uuid'], ['uuid'], []]);
  });

  // differs: observe-node-news
  test('reports nodes on stderr, and only those in trouble', async () => {
    const status = (state_change: 'NODE_CONNECTED' | 'NODE_ERROR', message = '') =>
      encode('observer.GetFlowsResponse', {
        node_status: { state_change, node_names: ['a', 'b'], message },
        node_name: 'relay',
        time: '2026-11-22T08:00:00Z',
      });
    await using server = await serveGrpc({
      [FLOWS]: { messages: [status('NODE_CONNECTED'), status('NODE_ERROR', 'x\u001b[2J')] },
    });
    const { stdout, stderr } = await observe(server.address);
    expect(stdout).toBe('');
    expect(stderr).toBe('Nov 22 08:00:00.000 [relay]: Error "x\\x1b[2J" on 2 nodes: a, b\n');
    expect((await observe(server.address, '--silent-errors')).stderr).toBe('');
  });

  test('prints lost events', async () => {
    const lost = encode('observer.GetFlowsResponse', {
      lost_events: { source: 'HUBBLE_RING_BUFFER', num_events_lost: '12', cpu: 3 },
      time: '2026-11-22T08:00:00Z',
    });
    await using server = await serveGrpc({ [FLOWS]: { messages: [lost] } });
    expect((await observe(server.address)).stdout).toBe(
      'Nov 22 08:00:00.000 EVENTS LOST: HUBBLE_RING_BUFFER CPU(3) 12\n',
    );
  });

  test('that breaks off in the middle keeps what came, and says that it broke', async () => {
    const { after, onStdout } = breaker();
    await using server = await serveGrpc({ [FLOWS]: { messages: messages.slice(0, 3), after } });
    const argv = ['hubble', 'observe', '--server', server.address];
    const { stdout, stderr, code } = await run(argv, { onStdout });
    expect(stdout.split('\n')).toHaveLength(3);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^rpc error: code = Unavailable desc = error reading from server/);
  });

  test('that ends inside a message says so', async () => {
    await using server = await serveGrpc({
      [FLOWS]: { messages: [], after: (stream) => stream.end(Buffer.from([0, 0, 0, 1, 0, 8])) },
    });
    const { stderr, code } = await observe(server.address);
    expect(code).toBe(1);
    expect(stderr).toBe('rpc error: code = Internal desc = unexpected EOF: the last message is cut short\n');
  });

  // differs: hubble-message-size
  test.each([
    ['compressed', [1, 0, 0, 0, 1, 0], /compressed flag set/],
    ['of four gigabytes', [0, 255, 255, 255, 255], /larger than max \(4294967295 vs\. 67108864\)/],
    ['not protobuf', [0, 0, 0, 0, 1, 255], /failed to unmarshal the received message/],
  ] as const)('with a message that is %s is refused', async (_, bytes, message) => {
    await using server = await serveGrpc({
      [FLOWS]: { messages: [], after: (stream) => stream.end(Buffer.from(bytes)) },
    });
    const { stderr, code } = await observe(server.address);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^rpc error: code = (?:Internal|ResourceExhausted) /);
    expect(stderr).toMatch(message);
  });

  test('ends with exit code 0 on Ctrl-C', async () => {
    const stop = new AbortController();
    await using server = await serveGrpc({ [FLOWS]: { messages, after: () => {} } });
    const { stdout, stderr, code } = await run(
      ['hubble', 'observe', '--follow', '--server', server.address],
      {
        signal: stop.signal,
        onStdout: () => stop.abort(new DOMException('stopped', 'AbortError')),
      },
    );
    expect(stdout).not.toBe('');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  });

  test('ends quietly when the reader of stdout goes away', async () => {
    await using server = await serveGrpc({ [FLOWS]: { messages, after: () => {} } });
    const { stderr } = await run(['hubble', 'observe', '--follow', '--server', server.address], {
      closeAfter: 0,
    });
    expect(stderr).toBe('');
  });
});
