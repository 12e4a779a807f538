import { describe, expect, test } from '@jest/globals';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import type { ServerStatusResponse } from '../../../../src/model/hubble.gen.ts';
import { serveGrpc } from '../../../helpers/grpc.ts';
import { fixturePath } from '../../../helpers/recordings.ts';
import { run } from '../../../helpers/run.ts';

const FILE = fixturePath('recordings/flows-1.20.jsonl');
const explain = (...words: string[]) => run(['hubble', 'observe', '--explain', ...words]);
const fileLines = async (...words: string[]) =>
  (await explain('--input-file', FILE, ...words)).stderr.trimEnd().split('\n');

describe('--explain says', () => {
  test('that an expression is left to nobody when the filters say the same', async () => {
    expect(await fileLines('--where', 'verdict = DROPPED', '--last', '2')).toEqual([
      'Applied to the file: 1 allow, 0 deny filters',
      '  allow {"verdict":["DROPPED"]}',
      'Evaluated here: nothing, the filters say the same',
      'Range: number 2',
    ]);
  });

  test('what is evaluated here', async () => {
    expect(await fileLines('--where', 'src.pod = a', '--not', '--verdict', 'ERROR')).toEqual(
      expect.arrayContaining([
        '  allow {"source_pod":["/a"]}',
        '  deny  {"verdict":["ERROR"]}',
        'Evaluated here: src.pod = a',
      ]),
    );
  });

  test('what an expression forbids beside what flags forbid', async () => {
    expect(await fileLines('--not', '--verdict', 'ERROR', '--where', 'not verdict = DROPPED')).toEqual(
      expect.arrayContaining(['  deny  {"verdict":["ERROR"]}', '  deny  {"verdict":["DROPPED"]}']),
    );
  });

  test('that an expression is evaluated here when it sets the same field as a flag', async () => {
    expect(await fileLines('--verdict', 'DROPPED', '--where', 'verdict = FORWARDED')).toEqual(
      expect.arrayContaining(['  allow {"verdict":["DROPPED"]}', 'Evaluated here: verdict = FORWARDED']),
    );
  });

  test('each pair of alternatives as one filter', async () => {
    expect(await fileLines('--pod', 'a', '--where', 'verdict = DROPPED or reply')).toContain(
      'Evaluated here: verdict = DROPPED or reply',
    );
    expect(await fileLines('--pod', 'a', '--where', 'dst.port = 80 or dst.port = 443')).toEqual(
      expect.arrayContaining([
        'Applied to the file: 4 allow, 0 deny filters',
        '  allow {"source_pod":["a"],"destination_port":["80"]}',
        '  allow {"destination_pod":["a"],"destination_port":["443"]}',
      ]),
    );
  });

  test.each([
    [[], 'Fields asked for: time,', /^Range: number 20$/],
    [['-o', 'json'], 'Fields asked for: all', /^Range: number 20$/],
    [['--top', 'src'], 'Fields asked for: all', /^Range: number 20$/],
    [['--follow', '--since', '5m'], 'Fields asked for: time,', /^Range: follow, since a time$/],
    [
      ['--since', '5m', '--until', '1m'],
      'Fields asked for: time,',
      /^Range: number 0, since a time, until a time$/,
    ],
  ] as const)('what %j asks of a server', async (words, fields, range) => {
    await using server = await serveGrpc({ '/observer.Observer/GetFlows': {} });
    const { stderr } = await explain('--server', server.address, ...words);
    const lines = stderr.split('\n');
    expect(lines[0]).toBe('Sent to the server: 0 allow, 0 deny filters');
    expect(lines[1]).toBe('Evaluated here: nothing, there is no --where');
    expect(lines[2]?.replaceAll(', ', ',').startsWith(fields)).toBe(true);
    expect(lines[3]).toMatch(range);
  });

  test('which fields an expression adds to those that are printed', async () => {
    await using server = await serveGrpc({ '/observer.Observer/GetFlows': {} });
    const fields = async (...words: string[]) => {
      const { stderr } = await explain('--server', server.address, ...words);
      return /Fields asked for: (.*)/.exec(stderr)?.[1]?.split(', ') ?? [];
    };
    const printed = await fields();
    const more = await fields('--where', 'src.label = "a=b" and src.pod = a');
    expect(printed).not.toContain('source.labels');
    expect(more).toEqual([...printed, 'source.labels']);
  });
});

describe('--explain says why nothing came', () => {
  test.each([
    [['--verdict', 'ERROR'], 'no flow of the file passes the filters'],
    [['--not', '--node-name', 'lab/node1'], 'no flow of the file passes the filters'],
    [['--where', 'verdict = ERROR'], 'no flow of the file passes the filters'],
    [['--where', 'verdict = ERROR', '--top', 'src'], 'no flow of the file passes the filters'],
    [['--until', '2001-01-01'], 'the file holds no flows of that time'],
  ] as const)('of a file, with %j', async (words, reason) => {
    expect((await fileLines(...words)).at(-1)).toBe(`Nothing came: ${reason}.`);
  });

  test.each<[string, ServerStatusResponse, string[], string]>([
    ['has seen no traffic', { max_flows: '9' }, [], 'the server has seen no traffic yet'],
    ['had nothing to send', { num_flows: '5', max_flows: '9' }, [], 'the server had nothing to send'],
    [
      'has flows, and filters',
      { num_flows: '5', max_flows: '9' },
      ['--verdict', 'ERROR'],
      'the server holds 5 flows, and none of those asked for passes the filters',
    ],
    [
      'has a full buffer',
      { num_flows: '9', max_flows: '9' },
      [],
      'its buffer of 9 flows is full: older ones were overwritten',
    ],
    [
      'misses nodes, and is asked for a time',
      { max_flows: '9', unavailable_nodes: ['n1', 'n2'] },
      ['--since', '5m'],
      'the server has seen no traffic yet; nodes that are not available: n1, n2; the time asked for may lie before the oldest flow that it holds',
    ],
  ])('of a server that %s', async (_, status, words, reason) => {
    await using server = await serveGrpc({
      '/observer.Observer/GetFlows': {},
      '/observer.Observer/ServerStatus': { messages: [encode('observer.ServerStatusResponse', status)] },
    });
    const { stderr } = await explain('--server', server.address, ...words);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(`Nothing came: ${reason}.`);
  });

  test('of a server that does not tell', async () => {
    await using server = await serveGrpc({ '/observer.Observer/GetFlows': {} });
    const { stderr, code } = await explain('--server', server.address);
    expect(stderr).toMatch(/\nNothing came, and the server does not tell why: .*unknown method ServerStatus/);
    expect(code).toBe(0);
  });

  test('only then', async () => {
    expect((await fileLines('--last', '1')).at(-1)).toBe('Range: number 1');
  });
});
