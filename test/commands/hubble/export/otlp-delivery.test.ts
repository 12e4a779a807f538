import { afterAll, describe, expect, test } from '@jest/globals';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import { serveGrpc } from '../../../helpers/grpc.ts';
import { type CollectorAnswer, type Received, serveCollector } from '../../../helpers/otlp.ts';
import { CaptureFolder, exportOtlp } from '../../../helpers/otlp-export.ts';

const folder = new CaptureFolder();
afterAll(() => folder[Symbol.dispose]());

describe('a collector that does not take everything', () => {
  const send = async (
    answers: (records: Received[], nth: number) => CollectorAnswer,
    words: string[] = [],
    path = folder.flows(3),
  ) => {
    await using collector = await serveCollector(answers);
    const result = await exportOtlp(['--input-file', path, '--endpoint', collector.endpoint, ...words]);
    return { ...result, collector };
  };

  test.each([429, 502, 503, 504])('is asked again after %i', async (status) => {
    const { code, stderr, collector } = await send((_, nth) => (nth < 3 ? { status } : {}));
    expect([code, collector.requests.length, collector.taken.length]).toEqual([0, 3, 3]);
    expect(stderr).toMatch(
      new RegExp(
        `takes no records now \\(${status} .*The collector takes records again.\n3 records sent`,
        's',
      ),
    );
  });

  test('is asked again no earlier than it says', async () => {
    const waits: number[] = [];
    for (const after of ['7', new Date(20_000).toUTCString()]) {
      await using collector = await serveCollector((_, nth) =>
        nth === 1 ? { status: 503, headers: { 'retry-after': after } } : {},
      );
      const result = await exportOtlp(
        ['--input-file', folder.flows(1), '--endpoint', collector.endpoint, '--retry-for', '1s'],
        { nowMs: 5000 },
      );
      // What it wants to wait is longer than it may take.
      expect([result.code, collector.requests.length]).toEqual([1, 1]);
      await using patient = await serveCollector((_, nth) =>
        nth === 1 ? { status: 503, headers: { 'retry-after': '1' } } : {},
      );
      const begun = performance.now();
      const second = await exportOtlp(
        ['--input-file', folder.flows(1), '--endpoint', patient.endpoint, '--retry-for', '1m'],
        { realTime: true, nowMs: 0 },
      );
      waits.push(performance.now() - begun);
      expect([second.code, patient.requests.length]).toEqual([0, 2]);
    }
    for (const wait of waits) expect(wait).toBeGreaterThan(990);
  });

  test('is not asked again at once, even where it wants that', async () => {
    const { code, collector } = await send(
      () => ({ status: 429, headers: { 'retry-after': '0' } }),
      ['--retry-for', '10s'],
    );
    // Waits count in full, time is not spent on them.
    expect(code).toBe(1);
    expect(collector.requests.length).toBeLessThanOrEqual(10);
  });

  test('hears its secrets back from nobody', async () => {
    const echo = 'you sent Bearer open-sesame as dXNlcjpodW50ZXIyMg== with opensesamekey';
    await using collector = await serveCollector(() => ({ status: 400, body: echo }));
    const endpoint = collector.endpoint.replace('://', '://user:hunter22@');
    const words = [
      '--header',
      'authorization=Bearer open-sesame',
      '--endpoint',
      `${endpoint}?key=opensesamekey`,
    ];
    const { code, stderr } = await exportOtlp(['--input-file', folder.flows(1), ...words]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('you sent [hidden] as [hidden] with [hidden]'),
    ]);
  });

  test('is asked again when the connection breaks', async () => {
    const { code, collector } = await send((_, nth) =>
      nth === 1 ? { raw: (response) => void response.socket?.destroy() } : {},
    );
    expect([code, collector.requests.length, collector.taken.length]).toEqual([0, 2, 3]);
  });

  test('may close a connection between two requests', async () => {
    const { code, stderr, collector } = await send(
      (_, nth) => (nth === 2 ? { raw: (response) => void response.socket?.destroy() } : {}),
      [],
      folder.flows(2500),
    );
    expect([code, collector.requests.length, collector.taken.length]).toEqual([0, 3, 2500]);
    expect(stderr).not.toContain('takes no records');
  });

  test('says which it refused, and why', async () => {
    for (const protocol of ['http/protobuf', 'http/json']) {
      const { code, stderr } = await send(
        () => ({ partial: { rejected: 2, message: 'too\n\u001bold' } }),
        ['--otlp-protocol', protocol],
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /The collector refused 2 records: too \^\[old\n1 records sent to \S+, 2 refused, 0 not sent\.\n$/,
      );
    }
    const warned = await send(() => ({ partial: { rejected: 0, message: 'slow down' } }));
    expect([warned.code, warned.stderr]).toEqual([0, expect.stringContaining('and says: slow down')]);
  });

  test('says so in another encoding than it was asked in, too', async () => {
    const body = JSON.stringify({ partialSuccess: { rejectedLogRecords: '2', errorMessage: 'too old' } });
    const { stderr } = await send(() => ({
      body,
      headers: { 'content-type': 'application/json; charset=utf-8' },
    }));
    expect(stderr).toContain('The collector refused 2 records: too old\n');
  });

  test('that breaks off after it has taken records does not get them twice', async () => {
    const { code, stderr, collector } = await send(() => ({
      raw: (response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('x', () => response.socket?.destroy());
      },
    }));
    expect([code, collector.requests.length]).toEqual([0, 1]);
    expect(stderr).toContain(
      'The collector took records, and broke off before it said whether all.\n3 records sent',
    );
  });

  test('may refuse a whole request, after which the next is sent', async () => {
    const { code, stderr } = await send(
      (_, nth) =>
        nth === 1
          ? { status: 400, body: '{"message":"bad data"}', headers: { 'content-type': 'application/json' } }
          : {},
      [],
      folder.flows(2500),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /refused 2000 records: 400 Bad Request: bad data\n500 records sent .* 2000 refused, 0 not/,
    );
  });

  test('is sent less at once where that was too much', async () => {
    const { code, collector } = await send(
      (records) => (records.length > 1 ? { status: 413 } : {}),
      [],
      folder.flows(5),
    );
    expect(code).toBe(0);
    expect(collector.taken.map(({ attributes }) => attributes['log.record.uid'])).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
    ]);
  });

  test.each([
    [{ status: 401 }, /refuses records: 401 Unauthorized\n.*--header/],
    [{ status: 404 }, /\/v1\/logs refuses records: 404 Not Found\n.*OTEL_EXPORTER_OTLP_LOGS_ENDPOINT/],
    [{ status: 415 }, /refuses records: 415 .*\n.*--otlp-protocol/],
    [{ status: 302, headers: { location: 'http://elsewhere/' } }, /302 Found.*points to http:\/\/elsewhere/],
    [
      { status: 307, headers: { location: '/there?key=secret' } },
      /which points to http:\/\/127\.0\.0\.1:\d+\/there\n/,
    ],
    [{ status: 101, headers: { connection: 'upgrade', upgrade: 'x' } }, /answers with 101, to speak/],
    [{ headers: { 'content-type': 'text/html' }, body: '<html>' }, /a page for browsers: it is no collector/],
  ])('ends the export with %j', async (answer, message) => {
    const { code, stderr, collector } = await send(() => answer, [], folder.flows(5000));
    expect([code, collector.requests.length]).toEqual([1, 1]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^0 records sent to \S+, 0 refused, [1-9]\d* not sent\.$/m);
  });

  test('that is slow is waited for, and no more is read meanwhile', async () => {
    let most = 0;
    let atOnce = 0;
    await using collector = await serveCollector(async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 20));
      atOnce--;
      return {};
    });
    const { code } = await exportOtlp([
      '--input-file',
      folder.flows(20_000),
      '--endpoint',
      collector.endpoint,
    ]);
    expect([code, most, collector.taken.length]).toEqual([0, 1, 20_000]);
    expect(Math.max(...collector.requests.map(({ records }) => records.length))).toBeLessThanOrEqual(2000);
  });
});

describe('a stream that is followed', () => {
  const answer = (uuid: string) =>
    encode('observer.GetFlowsResponse', { flow: { uuid, verdict: 'FORWARDED' } });

  test('is sent as it comes, and what is left after Ctrl-C', async () => {
    const stop = new AbortController();
    await using server = await serveGrpc({
      '/observer.Observer/GetFlows': { messages: [answer('a'), answer('b')], after: () => {} },
    });
    await using collector = await serveCollector();
    const ended = exportOtlp(['--follow', '--server', server.address, '--endpoint', collector.endpoint], {
      signal: stop.signal,
      realTime: true,
      onStderr: () => {},
    });
    while (collector.taken.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    stop.abort();
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/\n2 records sent to \S+, 0 refused, 0 not sent\.\n$/),
    ]);
  });

  test('that breaks has what came before sent', async () => {
    await using server = await serveGrpc({
      '/observer.Observer/GetFlows': { messages: [answer('a')], status: 13, message: 'it broke' },
    });
    await using collector = await serveCollector();
    const words = ['--last', '5', '--server', server.address, '--endpoint', collector.endpoint];
    const { code, stderr } = await exportOtlp(words, { realTime: true });
    expect([code, collector.taken.length]).toEqual([1, 1]);
    expect(stderr).toMatch(/1 records sent to \S+, 0 refused, 0 not sent\.\n.*it broke/s);
  });

  test('says at once that the server lost events', async () => {
    const stop = new AbortController();
    const lost = { source: 'HUBBLE_RING_BUFFER', num_events_lost: '7' } as const;
    await using server = await serveGrpc({
      '/observer.Observer/GetFlows': {
        messages: [encode('observer.GetFlowsResponse', { lost_events: lost }), answer('a')],
        after: () => {},
      },
    });
    await using collector = await serveCollector();
    const { stderr } = await exportOtlp(
      ['--follow', '--server', server.address, '--endpoint', collector.endpoint],
      {
        signal: stop.signal,
        realTime: true,
        onStderr: (text) => void (/7 events lost .* The end tells all/.test(text) && stop.abort()),
      },
    );
    expect(stderr).toMatch(/\n[12] records sent .*\n7 events lost .*\n$/);
  });

  test('says after Ctrl-C what a collector did not take in time', async () => {
    const stop = new AbortController();
    await using server = await serveGrpc({
      '/observer.Observer/GetFlows': { messages: [answer('a')], after: () => {} },
    });
    await using collector = await serveCollector(() => {
      setTimeout(() => stop.abort(), 10);
      return { raw: () => {} };
    });
    const { code, stderr } = await exportOtlp(
      ['--follow', '--server', server.address, '--endpoint', collector.endpoint],
      { signal: stop.signal, realTime: true },
    );
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/0 records sent to \S+, 0 refused, 1 not sent\.\n$/),
    ]);
  });

  test('is not read further than a collector takes', async () => {
    let written = 0;
    await using server = await serveGrpc({
      '/observer.Observer/GetFlows': {
        after: (stream) => {
          const many = Buffer.concat(
            Array.from({ length: 1000 }, () => {
              const one = encode('observer.GetFlowsResponse', {
                flow: { verdict: 'FORWARDED', Summary: 'x'.repeat(1000) },
              });
              const head = Buffer.alloc(5);
              head.writeUInt32BE(one.length, 1);
              return Buffer.concat([head, one]);
            }),
          );
          const more = () => {
            while (!stream.destroyed && stream.write(many)) written++;
          };
          stream.on('drain', more);
          more();
        },
      },
    });
    const stop = new AbortController();
    await using collector = await serveCollector(() => ({ raw: () => {} }));
    const ended = exportOtlp(['--follow', '--server', server.address, '--endpoint', collector.endpoint], {
      signal: stop.signal,
      realTime: true,
    });
    while (collector.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    // Thousands of flows wait at the server, not here.
    expect(written).toBeLessThan(40);
    stop.abort();
    expect((await ended).code).toBe(1);
  });
});
