import { describe, expect, test } from '@jest/globals';
import { run } from '../../../helpers/run.ts';

const IP = { source: '10.0.0.1', destination: '10.0.0.2' };

/** What is printed of records, which both readers have to print alike. */
async function observe(records: readonly object[], ...words: string[]): Promise<string> {
  const stdin = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const printed = ['parser', 'scanner'].map(async (reader) => {
    const argv = ['hubble', 'observe', '--input-file', '-', ...words];
    return (await run(argv, { stdin, env: { HUBBLE_READER: reader } })).stdout;
  });
  const [one = '', other] = await Promise.all(printed);
  expect(other).toBe(one);
  return one;
}

describe('what of a drop or a trace is one byte of the datapath', () => {
  test.each([
    [1, 133, 'Policy denied'],
    [1, 256 + 133, 'Policy denied'],
    [1, -123, 'Policy denied'],
    [1, -1, '255, 0'],
    [4, 256, 'to-endpoint'],
    [4, 256 + 99, '99'],
  ])('type %d, subtype %d', async (type, sub_type, text) =>
    expect(await observe([{ flow: { event_type: { type, sub_type } } }])).toContain(
      ` ${text} VERDICT_UNKNOWN`,
    ),
  );
});

describe('the name of an end is a path', () => {
  test.each([
    ['default', 'web', 'default/web'],
    ['', 'web', 'web'],
    ['a//b', 'web', 'a/b/web'],
    ['.', 'web', 'web'],
    ['..', 'web', '../web'],
    ['a', 'web/', 'a/web'],
    ['a', '..', '.'],
    ['fd00::1/', 'web', '[fd00::1/web]'],
  ])('%s and %s', async (namespace, pod_name, host) => {
    // The first line is what the second one is made like, where it may be.
    const flow = (end: object) => ({ flow: { IP, l4: { TCP: { source_port: 80 } }, source: end } });
    const plain = { namespace: 'kube-system', pod_name: 'api' };
    const text = await observe([flow(plain), flow({ namespace, pod_name })]);
    expect(text.split('\n')[1]).toContain(`: ${host}:80 `);
    const service = { IP, source_service: { namespace, name: pod_name } };
    expect(await observe([{ flow: service }])).toContain(`: ${host.replace(/[[\]]/g, '')} (unknown)`);
  });
});

test('a list of names counts as one, also if the only name is empty', async () => {
  expect(await observe([{ flow: { IP, source_names: [''] } }])).toContain('N/A:  (unknown) <> 10.0.0.2');
});

test('lost events of a node without a name have a dash in its place', async () => {
  const lost = [{ lost_events: { num_events_lost: '5' } }];
  expect(await observe(lost, '-o', 'table', '--print-node-name')).toMatch(/^N\/A +- +UNKNOWN_LOST/m);
  expect(await observe(lost, '-o', 'dict', '--print-node-name')).toContain('       NODE: -\n');
});

test('HUBBLE_COMPAT is read in any case', async () => {
  const argv = ['hubble', 'observe', '--input-file', '-', '-o', 'json'];
  const env = { HUBBLE_COMPAT: 'x,Legacy-JSON-Output' };
  expect((await run(argv, { stdin: '{"flow":{"uuid":"a"}}\n', env })).stdout).toBe('{"uuid":"a"}\n');
});

describe('news of nodes', () => {
  const news = (node_names: string[], message = '') => ({
    node_status: { state_change: 'NODE_ERROR', node_names, message },
  });
  const told = async (record: object, ...words: string[]) => {
    const argv = ['hubble', 'observe', '--input-file', '-', ...words];
    const stdin = `${JSON.stringify(record)}\n${JSON.stringify({ flow: { uuid: 'a' } })}\n`;
    return run(argv, { stdin });
  };

  test.each([
    [49, 'a (and 1 more)'],
    [46, 'a (and 1 more)'],
    [45, `a, ${'b'.repeat(45)}`],
  ])('list names as long as they and their commas fit: %d bytes', async (length, names) => {
    expect((await told(news(['a', 'b'.repeat(length)]))).stderr).toBe(
      `N/A []: Error "" on 2 nodes: ${names}\n`,
    );
  });

  test('count bytes, and show a message as Go quotes it', async () => {
    const { stderr } = await told(news(['a', 'é'.repeat(23)], 'b\u007f'));
    expect(stderr).toBe('N/A []: Error "b\\x7f" on 2 nodes: a (and 1 more)\n');
  });

  test('are the first record of the dict format, even where they are not told', async () => {
    expect((await told(news(['a']), '-o', 'dict')).stdout).toMatch(/^-{12}\n {2}TIMESTAMP/);
    expect((await told(news(['a']), '-o', 'dict', '-s')).stdout).toMatch(/^-{12}\n {2}TIMESTAMP/);
    expect((await told(news(['a']))).stdout).toMatch(/^N\/A: /);
  });
});

describe('JSON of records as protobuf reads it', () => {
  const one = async (text: string) =>
    await run(['hubble', 'observe', '--input-file', '-', '-o', 'json'], { stdin: `{"flow":{${text}}}\n` });

  test.each([
    ['"socket_cookie":18446744073709551615', '"socket_cookie":"18446744073709551615"'],
    ['"socket_cookie":9007199254740993', '"socket_cookie":"9007199254740993"'],
    ['"socket_cookie":"1e3"', '"socket_cookie":"1000"'],
    ['"drop_reason":"1e2"', '"drop_reason":100'],
    ['"time":"2026-11-22T8:00:00Z"', '"time":"2026-11-22T08:00:00Z"'],
    ['"time":"2026-11-22T08:00:00,5Z"', '"time":"2026-11-22T08:00:00.500Z"'],
    ['"time":"2026-11-22T08:00:00+24:00"', '"time":"2026-11-21T08:00:00Z"'],
  ])('%s', async (given, read) => expect((await one(given)).stdout).toBe(`{"flow":{${read}}}\n`));

  test.each([
    ['"node_name":"","nodeName":"b"', 'duplicate field \\"nodeName\\"'],
    ['"node_name":null,"nodeName":"b"', 'duplicate field \\"nodeName\\"'],
    ['"time":1', 'unexpected token 1'],
    ['"time":"2026-11-22T08:00:00.1234567891Z"', 'invalid google.protobuf.Timestamp value'],
    ['"is_reply":"true"', 'invalid value for bool field value:'],
    ['"policy_match_type":"01"', 'invalid value for uint32 field policyMatchType:'],
    ['"source":{"workloads":[null]}', 'unexpected token null'],
    ['"socket_cookie":18446744073709551616', 'invalid value for uint64 field socketCookie:'],
  ])('%s is refused', async (given, why) => {
    const { stdout, stderr } = await one(given);
    expect(stdout).toBe('');
    expect(stderr).toContain(why);
  });
});
