import { describe, expect, test } from '@jest/globals';
import { decode } from '../../../../src/hubble/protobuf/codec.ts';
import { serveGrpc } from '../../../helpers/grpc.ts';
import { run } from '../../../helpers/run.ts';

async function asked(...words: string[]) {
  await using server = await serveGrpc({ '/observer.Observer/GetFlows': { messages: [] } });
  await run(['hubble', 'observe', '-o', 'json', '--server', server.address, ...words]);
  return decode('observer.GetFlowsRequest', server.seen[0]?.requests[0] ?? Buffer.alloc(0));
}

const error = async (...words: string[]) =>
  (await run(['hubble', 'observe', '--print-raw-filters', ...words])).stderr.split('\n')[0];

describe('numbers are read as Go reads them', () => {
  test.each([
    ['010', '8'],
    ['0x10', '16'],
    ['0b11', '3'],
    ['0o17', '15'],
    ['1_000', '1000'],
  ])('--last %s', async (text, number) => expect((await asked('--last', text)).number).toBe(number));

  test('an identity may have a prefix, a type may fill its 32 bits', async () => {
    expect((await asked('--from-identity', '0x1')).whitelist).toEqual([{ source_identity: [1] }]);
    const [filter] = (await asked('--type', '4294967295')).whitelist ?? [];
    expect(filter).toEqual({ event_type: [{ type: -1 }] });
  });
});

describe('times are read as Go reads them', () => {
  test.each([
    ['2026-11-22T8Z', '2026-11-22T08:00:00Z'],
    ['2026-11-22T8:30Z', '2026-11-22T08:30:00Z'],
    ['2026-11-22T08:00:00,5Z', '2026-11-22T08:00:00.500Z'],
    ['mon, 22 nov 2026 08:00:00 +0100', '2026-11-22T07:00:00Z'],
    ['Sun, 22 Nov 2026 08:00:00.25 +0000', '2026-11-22T08:00:00.250Z'],
  ])('%s', async (text, time) => expect((await asked('--since', text)).since).toBe(time));

  test.each(['2026-11-22T08:00:00+25:00', 'Sun, 22 Nov 2026 08:00:00 +2500'])('%s is none', async (text) =>
    expect(await error('--since', text)).toBe(
      `failed to parse the since time: failed to convert ${text} to time`,
    ),
  );

  test('what no timestamp can hold is told as such', async () => {
    expect(await error('--since', '0000-01-01')).toBe(
      'failed to convert `since` timestamp to proto: proto: timestamp (seconds:-62167219200) before 0001-01-01',
    );
    expect(await error('--until', '9999-12-31T23:59:59-01:00')).toBe(
      'failed to convert `until` timestamp to proto: proto: timestamp (seconds:253402304399) after 9999-12-31',
    );
  });
});

describe('of several faults the first one is told', () => {
  const LAST = 'invalid argument "x" for "--last" flag: strconv.ParseUint: parsing "x": invalid syntax';
  const VERDICT = 'invalid argument "y" for "--verdict" flag: invalid --verdict value: y';
  test('in the order of the command line', async () => {
    expect(await error('--last', 'x', '--verdict', 'y')).toBe(LAST);
    expect(await error('--verdict', 'y', '--last', 'x')).toBe(VERDICT);
    expect(await error('--not', '--not', '--last', 'x')).toMatch(/^invalid argument "true" for "--not" flag/);
  });

  test('then the format, the mask, the limits, the times and the raw filters', async () => {
    const rest = ['--since', 'x', '--allowlist', 'x'];
    expect(await error('--not', '-o', 'x')).toBe('trailing --not found in the arguments');
    expect(await error('-o', 'x', '--first', '1', '--last', '1')).toBe('invalid output format: x');
    expect(await error('--field-mask', 'x', '--first', '1', '--last', '1')).toMatch(
      /^compact output format is/,
    );
    expect(await error('--first', '1', '--last', '1', ...rest)).toBe('cannot set both --first and --last');
    expect(await error(...rest)).toMatch(/^failed to parse the since time/);
    expect(await error('--allowlist', 'x', '-o', 'json', '--field-mask', 'x')).toMatch(
      /^invalid --allowlist/,
    );
  });
});

describe('a value of a filter', () => {
  test.each([
    [
      ['--identity', 'unknown'],
      /^invalid argument "unknown" for "--identity" flag: invalid security identity/,
    ],
    [['--traffic-direction', 'UP'], /: up: invalid traffic direction, expected ingress or egress$/],
    [['--tcp-flags', 'syn, ack'], /: unknown tcp flag: {2}ack$/],
    [['--ip-trace-id', '0'], /: invalid --ip-trace-id value; must be greater than 0$/],
    [['--http-header', '\u007f'], /^invalid argument "\\x7f" for "--http-header" flag: .* "\\x7f", expected/],
  ])('%j is refused', async (words, why) => expect(await error(...words)).toMatch(why));

  test('tells every conflict of namespaces', async () => {
    const { stderr } = await run('hubble observe --pod a/x --service a/y -n b'.split(' '));
    expect(stderr).toMatch(
      /^invalid argument "b" for "-n, --namespace" flag: namespace conflict: "b" does not contain "a\/x"\nnamespace conflict: "b" does not contain "a\/y"\n/,
    );
  });

  test('is printed as Go writes JSON', async () => {
    const { stdout } = await run([
      'hubble',
      'observe',
      '--print-raw-filters',
      '--cel-expression',
      '1 > 0 && true',
    ]);
    expect(stdout).toContain('"1 \\u003e 0 \\u0026\\u0026 true"');
  });
});

test.each(['agent', 'debug'])('%s events of a time have no other limit', async (kind) => {
  const method = `/observer.Observer/Get${kind === 'agent' ? 'Agent' : 'Debug'}Events`;
  await using server = await serveGrpc({ [method]: { messages: [] } });
  const words = ['--all', '--since', '2026-11-22', '--server', server.address];
  await run(['hubble', 'observe', `${kind}-events`, ...words]);
  const request = server.seen[0]?.requests[0] ?? Buffer.alloc(0);
  expect(decode('observer.GetAgentEventsRequest', request)).toEqual({ since: '2026-11-22T00:00:00Z' });
});

describe('of several filters that are wrong', () => {
  const refused = async (...words: string[]) =>
    (await run(['hubble', 'observe', '--input-file', '-', ...words], { stdin: '' })).stderr.split('\n')[0];

  test('one that shows flows comes first, then the order is that of a server', async () => {
    expect(await refused('--not', '--ip', 'x', '--port', 'y')).toMatch(/^invalid source port filter/);
    expect(await refused('--port', 'y', '--ip', 'x')).toMatch(/^invalid IP address "x"/);
    expect(await refused('--to-fqdn', '/', '--http-status', 'x')).toBe("'/': invalid rune in pattern");
    expect(await refused('--node-name', "'", '--protocol', 'x')).toMatch(/^invalid protocol filter/);
  });

  test('what does not print is quoted as Go does', async () => {
    expect(await refused('--ip', '\u200b')).toBe(
      'invalid IP address "\\u200b" in filter: ParseAddr("\\u200b"): unable to parse IP',
    );
    expect(await refused('--fqdn', "'")).toBe("'\\'': invalid rune in pattern");
  });
});

test('a port has 16 bits', async () => {
  const stdin = '{"flow":{"uuid":"a","l4":{"TCP":{"source_port":65616}}}}\n';
  const argv = 'hubble observe --input-file - -o json --from-port 80'.split(' ');
  expect((await run(argv, { stdin })).stdout).toBe(stdin);
});
