import { expect, test } from '@jest/globals';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import { type GrpcServer, serveGrpc } from '../../../helpers/grpc.ts';
import { type RunOptions, run } from '../../../helpers/run.ts';

const flow = (n: number) => {
  const time = new Date(1_700_000_000_000 + n).toISOString();
  return encode('observer.GetFlowsResponse', {
    flow: { uuid: `flow-${n}`, time, Type: 'L3_L4', verdict: 'FORWARDED' },
    time,
  });
};

/** A server that breaks off after its first two flows, and has a third for whoever comes again. */
async function breaking(): Promise<GrpcServer> {
  let calls = 0;
  return serveGrpc({
    '/observer.Observer/GetFlows': () =>
      ++calls === 1
        ? { messages: [flow(1), flow(2)], after: (stream) => setTimeout(() => stream.session?.destroy(), 50) }
        : { messages: [flow(2), flow(3)] },
  });
}

test.each([[[]], [['-o', 'json']], [['--where', 'verdict = FORWARDED']]])(
  'observe --follow %j goes on after the server was restarted, without loss or doubles',
  async (words) => {
    await using server = await breaking();
    const argv = ['hubble', 'observe', '--follow', '--server', server.address, ...words];
    const { stdout, stderr, code } = await run(argv);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(3);
    expect(stderr).toMatch(/^The stream broke .*\nThe stream is back after .*; nothing is missing\.\n$/);
  },
);

test('observe --follow --no-reconnect ends when the server goes away', async () => {
  await using server = await breaking();
  const { stdout, code } = await run([
    ...['hubble', 'observe', '--follow', '--no-reconnect', '--server', server.address],
  ]);
  expect(code).toBe(1);
  expect(stdout.trim().split('\n')).toHaveLength(2);
});

test('a ranking in a narrow terminal is drawn in lines that do not wrap', async () => {
  const stop = new AbortController();
  const more: RunOptions = {
    columns: 40,
    nowMs: 1_700_000_000_000,
    signal: stop.signal,
  };
  await using server = await serveGrpc({ '/observer.Observer/GetFlows': { messages: [flow(1), flow(2)] } });
  const { stdout } = await run(
    ['hubble', 'observe', '--follow', '--top', 'src,dst,verdict', '--server', server.address],
    more,
  );
  expect(stdout).toContain('FLOWS');
  for (const line of stdout.split('\n'))
    expect(line.length).toBeLessThanOrEqual(40 + '\u001b[9A\u001b[J'.length);
});

test.each([
  [[], 'Range: follow'],
  [['--last', '5'], 'Range: follow'],
  [['--first', '5'], 'Range: number 5'],
])('a live screen %j says: %s', async (words, range) => {
  await using server = await serveGrpc({});
  const { stderr } = await run(
    ['hubble', 'observe', '--tui', '--explain', '--server', server.address, ...words],
    { columns: 80, typed: [] },
  );
  expect(stderr).toContain(range);
});
