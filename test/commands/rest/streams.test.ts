import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { agentOf } from '../../helpers/agent.ts';
import { close, listen } from '../../helpers/replay.ts';
import { run } from '../../helpers/run.ts';

const EVENT = {
  action: 'update',
  'desired-action': 'sync',
  key: '10.0.0.1/32',
  'last-error': '<nil>',
  timestamp: '2026-11-22T08:03:30.809Z',
  value: 'identity=7',
};

describe('map events', () => {
  const call = 'GET /v1/map/cilium_lxc/events?follow=false';

  test('takes events that are split and joined at any byte', async () => {
    const text = `${JSON.stringify({ ...EVENT, value: 'a}{"b' })}\n${JSON.stringify(EVENT)}${JSON.stringify(EVENT)}`;
    await using agent = await agentOf({
      [call]: (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const bytes = Buffer.from(text);
        const send = (at: number) => {
          if (at >= bytes.length) return response.end();
          response.write(bytes.subarray(at, at + 7), () => setImmediate(send, at + 7));
        };
        send(0);
        return undefined;
      },
    });
    const { stdout, code } = await agent.run(['map', 'events', 'cilium_lxc']);
    const plain =
      'key="10.0.0.1/32" value="identity=7" time=2026-11-22T08:03:30Z action=update desiredState=sync lastError="<nil>"\n';
    expect(stdout).toBe(plain.replace('identity=7', 'a}{\\\\\\"b') + plain + plain);
    expect(code).toBe(0);
  });

  test('quotes twice, as the reference does, and lets no control character through', async () => {
    await using agent = await agentOf({
      [call]: {
        body: {
          ...EVENT,
          key: 'a"b\tc\nd\u001b',
          action: '\u001b[2J',
          timestamp: '2026-11-22T10:03:30+02:00',
        },
      },
    });
    const { stdout } = await agent.run(['map', 'events', 'cilium_lxc']);
    expect(stdout).toBe(
      'key="a\\\\\\"b\\\\nc\\\\nd\\x1b" value="identity=7" time=2026-11-22T10:03:30+02:00 action=^[[2J desiredState=sync lastError="<nil>"\n',
    );
  });

  test('follows until Ctrl-C, and ends well', async () => {
    const stop = new AbortController();
    await using agent = await agentOf({
      'GET /v1/map/cilium_lxc/events?follow=true': (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write(JSON.stringify(EVENT));
        return undefined;
      },
    });
    const { stdout, stderr, code } = await agent.run(['map', 'events', 'cilium_lxc', '-f'], {
      signal: stop.signal,
      onStdout: () => stop.abort(),
    });
    expect(stdout).toContain('key="10.0.0.1/32"');
    expect(stderr).toBe('\nReceived an interrupt, disconnecting from event stream...\n\n');
    expect(code).toBe(0);
  });

  test.each([
    [{ text: '{"key":"a"' }, 'the stream broke off within an event'],
    [{ text: '{"key":}' }, 'the agent sent an event that is not JSON'],
    [{ text: '{"key":7}' }, 'expected a string at .key, found a number'],
    [{ status: 404 }, '[GET /map/{name}/events][404]'],
  ])('fails with a sentence on %j', async (answer, message) => {
    await using agent = await agentOf({ [call]: answer });
    const { stderr, code } = await agent.run(['map', 'events', 'cilium_lxc']);
    expect(stderr).toContain('could not get map name events');
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});

describe('map get', () => {
  test.each([
    [{ path: 'm' }, 'Cache is disabled\n\n'],
    [{ cache: [] }, 'Cache is empty\n\n'],
    [
      { cache: [null, { key: 'k', value: 'v', 'last-error': 'no' }] },
      'Key   Value   State   Error\nk     v               no\n',
    ],
  ])('of %j', async (body, want) => {
    await using agent = await agentOf({ 'GET /v1/map/m': { body } });
    expect((await agent.run(['map', 'get', 'm'])).stdout).toBe(want);
  });
});

describe('--watch', () => {
  const pods = (...rows: [number, string][]) => ({
    body: rows.map(([id, state]) => ({ id, status: { state } })),
  });

  test('elsewhere than in a terminal prints the list, then only what changed', async () => {
    const stop = new AbortController();
    await using agent = await agentOf({
      'GET /v1/endpoint': [
        pods([1, 'ready'], [2, 'ready']),
        pods([1, 'ready'], [2, 'ready']),
        { status: 503, text: '' },
        pods([1, 'regenerating'], [3, 'ready']),
        (_, response) => {
          stop.abort();
          response.end('[]');
          return undefined;
        },
      ],
    });
    const { stdout, stderr, code } = await agent.run(['endpoint', 'list', '--watch', '--columns=id,status'], {
      signal: stop.signal,
    });
    expect(stdout).toBe(
      [
        '  ENDPOINT   STATUS',
        '  1          ready',
        '  2          ready',
        '~ 1          regenerating',
        '- 2          ready',
        '+ 3          ready',
        '',
      ].join('\n'),
    );
    expect(stderr).toContain('Still watching.\nThe agent answers again.\n');
    expect(code).toBe(0);
  });

  test('is refused together with a structured form', async () => {
    await using agent = await agentOf({});
    const { stderr, code } = await agent.run(['identity', 'list', '-w', '-o', 'json']);
    expect(stderr).toContain('--watch shows a table: it cannot be combined with -o');
    expect(code).toBe(1);
  });

  test('in a terminal replaces the screen and colours the changes', async () => {
    const stop = new AbortController();
    await using agent = await agentOf({
      'GET /v1/endpoint': [
        pods([1, 'ready']),
        pods([1, 'ready'], [2, 'ready']),
        (_, response) => {
          stop.abort();
          response.end('[]');
          return undefined;
        },
      ],
    });
    const { stdout } = await agent.run(['endpoint', 'list', '-w', '--columns=id', '--no-headers'], {
      signal: stop.signal,
      columns: 80,
    });
    const clear = '\u001b[H\u001b[2J';
    expect(stdout).toBe(`${clear}  1\n${clear}  1\n\u001b[32m+ 2\u001b[39m\n`);
  });
});

describe('statedb', () => {
  const tables = {
    devices: [
      { Index: 1, Name: 'lo', Addrs: [{ Addr: '127.0.0.1' }] },
      { Index: 2, Name: 'eth\u001b0', MTU: 1500 },
    ],
    empty: [],
  };

  test('without a table copies the dump as it came', async () => {
    const text = JSON.stringify(tables, undefined, 1);
    await using agent = await agentOf({ 'GET /statedb/dump': { text } });
    expect((await agent.run(['statedb'])).stdout).toBe(text);
    expect((await agent.run(['statedb', 'dump'])).stdout).toBe(text);
  });

  test('asks a 1.17 agent within its REST API', async () => {
    await using agent = await agentOf({ 'GET /v1/statedb/dump': { body: tables } });
    expect((await agent.run(['statedb'])).stdout).toBe(JSON.stringify(tables));
  });

  test('shows one table, and names the tables there are', async () => {
    await using agent = await agentOf({ 'GET /statedb/dump': { body: tables } });
    const { stdout } = await agent.run(['statedb', 'devices']);
    expect(stdout).toBe(
      [
        'Index   Name     Addrs                    MTU',
        '1       lo       [{"Addr":"127.0.0.1"}]   ',
        '2       eth^[0                            1500',
        '',
      ].join('\n'),
    );
    const wrong = await agent.run(['statedb', 'device']);
    expect(wrong.stderr).toBe('Error: the agent has no table "device"\nIts tables: devices, empty.\n');
  });

  test('says that an agent has no tables', async () => {
    await using agent = await agentOf({});
    for (const argv of [['statedb'], ['statedb', 'devices']])
      expect((await agent.run(argv)).stderr).toContain('this agent serves no StateDB tables');
  });
});

describe('envoy admin', () => {
  async function withEnvoy(use: (socket: string, seen: string[]) => Promise<void>) {
    const seen: string[] = [];
    const server = createServer((request, response: ServerResponse) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host}`);
      if (request.url?.startsWith('/logging?level=')) return response.writeHead(400).end('bad level');
      return response.end('{"a": "\u001b[2Jb"}\n');
    });
    const socket = await listen(server);
    try {
      await use(socket, seen);
    } finally {
      await close(server, socket);
    }
  }

  test.each([
    [['certs'], 'GET /certs envoy-admin'],
    [['clusters'], 'GET /clusters?format=text envoy-admin'],
    [['clusters', '-o', 'json'], 'GET /clusters?format=json envoy-admin'],
    [['listeners', '-o=json'], 'GET /listeners?format=json envoy-admin'],
    [['serverinfo'], 'GET /server_info envoy-admin'],
    [['metrics'], 'GET /stats/prometheus envoy-admin'],
    [['metrics', '-f', 'a.*b&c'], 'GET /stats/prometheus?filter=a.*b%26c envoy-admin'],
    [['config'], 'GET /config_dump?include_eds envoy-admin'],
    [
      ['config', 'routes', '-n', 'x y'],
      'GET /config_dump?include_eds&resource=dynamic_route_configs&name_regex=x%20y envoy-admin',
    ],
    [['logging', 'list'], 'POST /logging envoy-admin'],
    [
      ['logging', 'set', 'loggers', 'http=debug', 'main=off'],
      'POST /logging?paths=http:debug,main:off envoy-admin',
    ],
  ])('%j asks %s', async (argv, want) => {
    await withEnvoy(async (socket, seen) => {
      const { stdout, code } = await run(['envoy', 'admin', ...argv, '--admin-socket', socket]);
      expect(seen).toEqual([want]);
      expect({ stdout, code }).toEqual({ stdout: '{"a": "^[[2Jb"}\n', code: 0 });
    });
  });

  test('passes a refusal on, and refuses by itself what Envoy has not', async () => {
    await withEnvoy(async (socket, seen) => {
      const env = { CILIUM_ENVOY_ADMIN_SOCK: socket };
      const refused = await run(['envoy', 'admin', 'logging', 'set', 'global', 'debug'], { env });
      expect(refused.stderr).toContain('the server answered 400: bad level');
      for (const argv of [
        ['config', 'things'],
        ['logging', 'set', 'global', 'loud'],
        ['logging', 'set', 'loggers', 'http'],
      ]) {
        const { code, stdout } = await run(['envoy', 'admin', ...argv], { env });
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      }
      expect(seen).toHaveLength(1);
    });
  });

  test('says where the socket should be', async () => {
    const { stderr } = await run(['envoy', 'admin', 'certs', '--admin-socket', '/nonexistent/admin.sock']);
    expect(stderr).toContain('is a proxy running on this node?');
  });
});

describe('preflight', () => {
  test('fqdn-poller writes the addresses beside each name', async () => {
    const policy = JSON.stringify([
      {
        egress: [
          {
            toFQDNs: [{ matchName: 'A.example' }, { matchPattern: '*' }],
            toCIDRSet: [{ cidr: '192.0.2.7/32' }, { cidr: '192.0.2.1/32' }],
          },
          { toFQDNs: [{ matchName: 'b.example' }] },
        ],
      },
    ]);
    await using agent = await agentOf({ 'GET /v1/policy': { body: { policy, revision: 2 } } });
    const { stdout } = await agent.run(['preflight', 'fqdn-poller', '--tofqdns-pre-cache-ttl=60']);
    const want = [
      {
        fqdn: 'a.example.',
        'lookup-time': '1970-01-01T00:00:00.000Z',
        'expiration-time': '1970-01-01T00:01:00.000Z',
        ttl: 60,
        ips: ['192.0.2.1', '192.0.2.7'],
      },
    ];
    expect(JSON.parse(stdout)).toEqual(want);
    const folder = mkdtempSync(join(tmpdir(), 'poller-'));
    try {
      const file = join(folder, 'cache.json');
      await agent.run([
        'preflight',
        'fqdn-poller',
        '--tofqdns-pre-cache',
        file,
        '--tofqdns-pre-cache-ttl=60',
      ]);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(want);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('migrate-identity says that it only prints', async () => {
    const { stderr, code } = await run(['preflight', 'migrate-identity']);
    expect(stderr).toContain('migrate-identity writes no Kubernetes objects by itself');
    expect(code).toBe(1);
  });
});
