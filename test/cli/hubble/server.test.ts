import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { encode } from '../../../src/hubble/protobuf/codec.ts';
import { type GrpcAnswer, serveGrpc } from '../../helpers/grpc.ts';
import { fixturePath, fixtureText } from '../../helpers/recordings.ts';
import { run } from '../../helpers/run.ts';

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

// differs: hubble-reflect
test('reflect prints messages, fields, enums and services of each file once', async () => {
  const file = encode('google.protobuf.FileDescriptorProto', {
    name: 'a.proto',
    package: 'a',
    message_type: [{ name: 'M', field: [{ name: 'f', number: 1 }] }],
    service: [{ name: 'S', method: [{ name: 'Get', input_type: '.a.M', output_type: '.a.M' }] }],
  });
  const file_descriptor_response = { file_descriptor_proto: [file.toString('base64')] };
  const response = (
    message: Parameters<typeof encode<'grpc.reflection.v1alpha.ServerReflectionResponse'>>[1],
  ) => encode('grpc.reflection.v1alpha.ServerReflectionResponse', message);
  let calls = 0;
  await using server = await serveGrpc({
    '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': () => ({
      messages:
        calls++ === 0
          ? [response({ list_services_response: { service: [{ name: 'a.S' }, { name: 'a.T' }] } })]
          : [response({ file_descriptor_response }), response({ file_descriptor_response })],
    }),
  });
  const { stdout, code } = await run(['hubble', 'reflect', '--server', server.address]);
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'a.proto',
    message_type: [{ name: 'M', field: [{ name: 'f' }] }],
    service: [{ name: 'S' }],
  });
});

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
      /x509: certificate signed by unknown authority/,
      /--tls-ca-cert-files/,
    ],
    [
      'a certificate for another name',
      ['--tls-ca-cert-files', pemPath('ca.crt')],
      /x509: cannot validate certificate for 127\.0\.0\.1 because it doesn't contain any IP SANs/,
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

  // differs: hubble-basic-auth
  test.each([
    [
      ['--basic-auth-username', 'ann'],
      /^invalid flag\(s\): must specify both basic-auth-username and basic-auth-password/,
    ],
    [['--basic-auth-username', 'ann', '--basic-auth-password', 'x'], /requires transport level security/],
    [
      ['--tls-client-cert-file', 'a'],
      /^invalid flag\(s\): certificate and private key are both required, but only one was provided/,
    ],
    [['--tls-client-cert-file', 'a', '--tls-client-key-file', 'b'], /transport layer security required/],
    [
      ['--tls', '--tls-ca-cert-files', '/nonexistent.pem'],
      /cannot load cert '\/nonexistent.pem': no such file/,
    ],
    [['--tls', '--tls-ca-cert-files', pemPath('server.key')], /must be a PEM encoded certificate/],
    [['--server', ''], /invalid server address "": it is empty/],
    [['--server', 'host:99999'], /port 99999 does not exist/],
    [['--port-forward', '--kubeconfig', '/nonexistent'], /^no kubeconfig: \/nonexistent: no such file/],
  ])('is refused with %j', async (flags, message) => {
    const { stderr, stdout, code } = await run(['hubble', 'list', 'nodes', ...flags]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(message);
  });

  // differs: hubble-advice
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

  // differs: hubble-newer-server
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

  // differs: hubble-timeout
  test('gives up on a connection after --timeout', async () => {
    const server = createTcpServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const address = `127.0.0.1:${port}`;
    const { stderr, code } = await run(['hubble', 'status', '--timeout', '100ms', '--server', address]);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/code = (?:Unavailable|DeadlineExceeded)/);
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
