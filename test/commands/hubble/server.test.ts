import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { decode, encode } from '../../../src/hubble/protobuf/codec.ts';
import { type GrpcAnswer, recordedMessages, serveGrpc } from '../../helpers/grpc.ts';
import { fixturePath, fixtureText } from '../../helpers/recordings.ts';
import { run } from '../../helpers/run.ts';

const FLOWS = '/observer.Observer/GetFlows';
const STATUS = '/observer.Observer/ServerStatus';
const pem = (name: string) => fixtureText(`tls/${name}`);
const pemPath = (name: string) => fixturePath(`tls/${name}`);
const SERVER_TLS = { cert: pem('server.crt'), key: pem('server.key') };

const HEALTHY: Record<string, GrpcAnswer> = {
  '/grpc.health.v1.Health/Check': {
    messages: [encode('grpc.health.v1.HealthCheckResponse', { status: 'SERVING' })],
  },
  [STATUS]: { messages: [encode('observer.ServerStatusResponse', { num_flows: '7', max_flows: '9' })] },
};

describe('the connection to a server', () => {
  test('goes over TCP', async () => {
    await using server = await serveGrpc(HEALTHY, { tcp: true });
    const { stdout, code } = await run(['hubble', 'status', '--server', server.address]);
    expect({ stdout, code }).toEqual({
      stdout: `Healthcheck (via ${server.address}): Ok\nCurrent/Max Flows: 7/9 (77.78%)\nFlows/s: N/A\n`,
      code: 0,
    });
  });

  test('goes over TLS when the address says so, checked against the authority and the name that are given', async () => {
    await using server = await serveGrpc(HEALTHY, { tcp: true, tls: SERVER_TLS });
    const flags = ['--tls-ca-cert-files', pemPath('ca.crt'), '--tls-server-name', 'relay.example.com'];
    const { stdout, code } = await run(['hubble', 'status', '--server', `tls://${server.address}`, ...flags]);
    expect(stdout).toContain(`Healthcheck (via ${server.address}): Ok`);
    expect(code).toBe(0);
  });

  test.each([
    [
      'an authority that is not known',
      [],
      /unable to verify|self-signed|local issuer/i,
      /--tls-ca-cert-files/,
    ],
    [
      'a certificate for another name',
      ['--tls-ca-cert-files', pemPath('ca.crt')],
      /does not match|altnames|IP:/i,
      /--tls-server-name/,
    ],
  ] as const)('refuses %s, and says which flag helps', async (_, flags, message, hint) => {
    await using server = await serveGrpc(HEALTHY, { tcp: true, tls: SERVER_TLS });
    const { stderr, code } = await run([
      'hubble',
      'list',
      'nodes',
      '--tls',
      '--server',
      server.address,
      ...flags,
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^rpc error: code = Unavailable desc = .*authentication handshake failed/);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(hint);
  });

  test('takes any certificate with --tls-allow-insecure', async () => {
    await using server = await serveGrpc(HEALTHY, { tcp: true, tls: SERVER_TLS });
    const { code } = await run([
      'hubble',
      'status',
      '--tls',
      '--tls-allow-insecure',
      '--server',
      server.address,
    ]);
    expect(code).toBe(0);
  });

  test('shows a client certificate to a server that asks for one', async () => {
    const tls = { ...SERVER_TLS, ca: pem('ca.crt'), requestCert: true, rejectUnauthorized: true };
    await using server = await serveGrpc(HEALTHY, { tcp: true, tls });
    const flags = ['--tls', '--tls-allow-insecure', '--server', server.address];
    const cert = [
      '--tls-client-cert-file',
      pemPath('client.crt'),
      '--tls-client-key-file',
      pemPath('client.key'),
    ];
    expect((await run(['hubble', 'status', ...flags, ...cert])).code).toBe(0);
    const without = await run(['hubble', 'status', ...flags]);
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(/^failed getting status: rpc error: code = Unavailable/);
  });

  test('sends a user name and password over TLS', async () => {
    await using server = await serveGrpc(HEALTHY, { tcp: true, tls: SERVER_TLS });
    const auth = ['--basic-auth-username', 'ann', '--basic-auth-password', 'secret'];
    await run(['hubble', 'status', '--tls', '--tls-allow-insecure', '--server', server.address, ...auth]);
    expect(server.seen[0]?.headers.authorization).toBe(`Basic ${btoa('ann:secret')}`);
  });

  test.each([
    [
      ['--basic-auth-username', 'ann'],
      /^invalid flag\(s\): must specify both basic-auth-username and basic-auth-password/,
    ],
    [['--basic-auth-username', 'ann', '--basic-auth-password', 'x'], /requires transport level security/],
    [['--tls-client-cert-file', 'a'], /^invalid flag\(s\): .*both are required but only one was provided/],
    [['--tls-client-cert-file', 'a', '--tls-client-key-file', 'b'], /transport layer security required/],
    [
      ['--tls', '--tls-ca-cert-files', '/nonexistent.pem'],
      /cannot load cert '\/nonexistent.pem': no such file/,
    ],
    [['--tls', '--tls-ca-cert-files', pemPath('server.key')], /must be a PEM encoded certificate/],
    [['--server', ''], /invalid server address "": it is empty/],
    [['--server', 'host:99999'], /port 99999 does not exist/],
    [['--port-forward'], /comes with the cluster verbs/],
  ])('is refused with %j', async (flags, message) => {
    const { stderr, stdout, code } = await run(['hubble', 'list', 'nodes', ...flags]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(message);
  });

  test.each([
    [
      'unix:///nonexistent.sock',
      /dial unix \/nonexistent.sock: connect: no such file or directory"\nIs the agent running/,
    ],
    ['127.0.0.1:1', /dial tcp 127.0.0.1:1: connect: connection refused"\nIs the relay reachable/],
    ['no-such-host.invalid:4245', /no such host/],
  ])('to %s fails with what is wrong there', async (address, message) => {
    const { stderr, code } = await run(['hubble', 'observe', '--server', address]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^rpc error: code = Unavailable desc = /);
    expect(stderr).toMatch(message);
  });

  test('to something that speaks HTTP/1 says so', async () => {
    const server = createServer((_, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { stderr, code } = await run(['hubble', 'observe', '--server', `127.0.0.1:${port}`]);
    server.closeAllConnections();
    server.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/code = Unavailable/);
    expect(stderr).toMatch(/does not speak gRPC/);
  });

  test('to a server with TLS, without TLS, points to --tls', async () => {
    await using server = await serveGrpc(HEALTHY, { tcp: true, tls: SERVER_TLS });
    const { stderr, code } = await run(['hubble', 'status', '--server', server.address]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/add --tls/);
  });

  test('warns when the server is of a later release', async () => {
    const later = {
      ...HEALTHY,
      [STATUS]: { ...HEALTHY[STATUS], header: { 'hubble-server-version': '1.21.3' } },
    };
    await using server = await serveGrpc(later);
    const { stderr } = await run(['hubble', 'status', '--server', server.address], { nowMs: 0 });
    expect(stderr).toBe(
      'time=1970-01-01T00:00:00.000Z level=WARN msg="Hubble CLI version is lower than Hubble Server, API compatibility is not guaranteed, updating to a matching or higher version is recommended" hubble-cli-version=1.20.0 hubble-server-version=1.21.3\n',
    );
  });

  test('gives up on a call after --request-timeout', async () => {
    await using server = await serveGrpc({ ...HEALTHY, [STATUS]: { after: () => {} } });
    const { stderr, code } = await run([
      'hubble',
      'status',
      '--request-timeout',
      '100ms',
      '--server',
      server.address,
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^failed to get hubble server status: rpc error: code = DeadlineExceeded desc = context deadline exceeded/,
    );
  });
});

describe('a stream of flows', () => {
  const messages = recordedMessages('relay-GetFlows-100.grpc');
  const observe = (address: string, ...flags: string[]) =>
    run(['hubble', 'observe', '--server', address, ...flags]);

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
    [['--follow'], undefined, false],
    [['--first', '5'], '5', true],
    [['--since', '1h', '--all'], undefined, false],
  ] as const)('with %j asks for %s flows', async (flags, number, first) => {
    await using server = await serveGrpc({ [FLOWS]: {} });
    await observe(server.address, '-o', 'json', ...flags);
    const request = decode('observer.GetFlowsRequest', server.seen[0]?.requests[0] ?? Buffer.alloc(0));
    expect([request.number, request.first ?? false, request.field_mask]).toEqual([number, first, undefined]);
  });

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
    expect(stderr).toBe('Nov 22 08:00:00.000 [relay]: Error "x\\u001b[2J" on 2 nodes: a, b\n');
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
    await using server = await serveGrpc({
      [FLOWS]: {
        messages: messages.slice(0, 4),
        after: (stream) => setTimeout(() => stream.session?.destroy(), 50),
      },
    });
    const { stdout, stderr, code } = await observe(server.address);
    expect(stdout.split('\n')).toHaveLength(4);
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

  test.each([
    ['compressed', [1, 0, 0, 0, 1, 0], /a message is compressed/],
    ['of four gigabytes', [0, 255, 255, 255, 255], /larger than/],
    ['not protobuf', [0, 0, 0, 0, 1, 255], /failed to unmarshal the received message/],
  ] as const)('with a message that is %s is refused', async (_, bytes, message) => {
    await using server = await serveGrpc({
      [FLOWS]: { messages: [], after: (stream) => stream.end(Buffer.from(bytes)) },
    });
    const { stderr, code } = await observe(server.address);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^rpc error: code = Internal/);
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
