import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encode } from '../../../../src/hubble/protobuf/codec.ts';
import { type GrpcAnswer, type GrpcServerOptions, serveGrpc } from '../../../helpers/grpc.ts';
import { run } from '../../../helpers/run.ts';

const peer = (type: string, name: string, address: string, server?: string) =>
  encode('peer.ChangeNotification', {
    name,
    address,
    type: type as 'PEER_ADDED',
    ...(server !== undefined && { tls: { server_name: server } }),
  });
const ADDED = peer('PEER_ADDED', 'lab/node1', '10.0.0.1:4244', 'node1.lab.hubble-grpc.cilium.io');
const LINE = 'PEER_ADDED   10.0.0.1:4244 lab/node1 (TLS.ServerName: node1.lab.hubble-grpc.cilium.io)\n';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'peers-'));
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=x', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-keyout', join(folder, 'k.pem'), '-out', join(folder, 'c.pem')],
  ]);
  if (made.status !== 0) throw new Error(`make a certificate: ${made.stderr}`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const watch = (address: string, ...words: string[]) =>
  run(['hubble', 'watch', 'peers', '--server', address, ...words]);

/** What is printed of a server that gives this answer: the first line of stderr, behind which a hint may stand. */
async function watched(answer: GrpcAnswer, options: GrpcServerOptions = {}, ...words: string[]) {
  await using server = await serveGrpc({ '/peer.Peer/Notify': answer }, options);
  const { stdout, stderr, code } = await watch(server.address, ...words);
  return { stdout, code, line: stderr.split('\n')[0] };
}

test('watch peers prints who comes and goes', async () => {
  const messages = [
    ADDED,
    peer('PEER_UPDATED', 'node2', ''),
    peer('PEER_DELETED', '', 'unix:///x'),
    peer('UNKNOWN', 'n', 'a'),
  ];
  expect(await watched({ messages })).toEqual({
    stdout: `${LINE}PEER_UPDATED  node2\nPEER_DELETED unix:///x \nUNKNOWN      a n\n`,
    line: '',
    code: 0,
  });
  expect(await watched({})).toEqual({ stdout: '', line: '', code: 0 });
});

describe('watch peers says in the words of the reference', () => {
  const broken = (line: string, stdout = '') => ({ stdout, line: `rpc error: code = ${line}`, code: 1 });

  test.each<[kind: string, answer: GrpcAnswer, line: string, stdout: string]>([
    [
      'that the server knows no peers',
      { status: 12, message: 'unknown service peer.Peer' },
      'Unimplemented desc = unknown service peer.Peer',
      '',
    ],
    [
      'that the server is not ready',
      { status: 14, message: 'relay is starting' },
      'Unavailable desc = relay is starting',
      '',
    ],
    [
      'that it asks for more',
      { status: 16, message: 'no credentials' },
      'Unauthenticated desc = no credentials',
      '',
    ],
    [
      'that it failed after a while',
      { messages: [ADDED], status: 13, message: 'boom' },
      'Internal desc = boom',
      LINE,
    ],
  ])('%s', async (_, answer, line, stdout) => {
    expect(await watched(answer)).toEqual(broken(line, stdout));
  });

  test('that nothing listens', async () => {
    const dialing = (to: string) =>
      `Unavailable desc = connection error: desc = "transport: Error while dialing: dial ${to}"`;
    const { stdout, stderr, code } = await watch('127.0.0.1:1');
    expect({ stdout, code, line: stderr.split('\n')[0] }).toEqual(
      broken(dialing('tcp 127.0.0.1:1: connect: connection refused')),
    );
    const other = await watch('unix:///nope.sock');
    expect(other.stderr.split('\n')[0]).toBe(
      `rpc error: code = ${dialing('unix ///nope.sock: connect: no such file or directory').replace('///nope', '/nope')}`,
    );
  });

  test('that only one side speaks TLS', async () => {
    const [key, cert] = [readFileSync(join(folder, 'k.pem')), readFileSync(join(folder, 'c.pem'))];
    const tls = { tcp: true, tls: { key, cert } };
    const connection = (words: string) => `Unavailable desc = connection error: desc = "${words}"`;
    expect(await watched({ messages: [ADDED] }, tls)).toEqual(
      broken(connection('error reading server preface: EOF')),
    );
    expect(await watched({ messages: [ADDED] }, { tcp: true }, '--tls')).toEqual(
      broken(
        connection(
          'transport: authentication handshake failed: tls: first record does not look like a TLS handshake',
        ),
      ),
    );
    expect(await watched({ messages: [ADDED] }, tls, '--tls')).toEqual(
      broken(
        connection(
          'transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority',
        ),
      ),
    );
    const trusted = ['--tls', '--tls-ca-cert-files', join(folder, 'c.pem')];
    expect(await watched({ messages: [ADDED] }, tls, ...trusted)).toEqual({
      stdout: LINE,
      line: '',
      code: 0,
    });
  });

  // differs: hubble-value-words
  test('but not that a client certificate is none', async () => {
    const [key, cert] = [join(folder, 'k.pem'), join(folder, 'c.pem')];
    const tls = { tcp: true, tls: { key: readFileSync(key), cert: readFileSync(cert) } };
    const swapped = ['--tls', '--tls-client-cert-file', key, '--tls-client-key-file', cert];
    expect(await watched({ messages: [ADDED] }, tls, ...swapped)).toEqual({
      stdout: '',
      line: expect.stringMatching(/^tls: the client certificate and key do not fit: /),
      code: 1,
    });
  });

  test('that what listens hangs up', async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { stdout, stderr, code } = await watch(`127.0.0.1:${port}`);
    expect({ stdout, code, line: stderr.split('\n')[0] }).toEqual(
      broken('Unavailable desc = connection error: desc = "error reading server preface: EOF"'),
    );
    server.close();
  });
});

describe('a stream of peers that breaks is an error', () => {
  // differs: hubble-broken-words
  test('with what broke', async () => {
    const answer: GrpcAnswer = {
      messages: [ADDED],
      after: (stream) => setTimeout(() => stream.session?.destroy(), 50),
    };
    expect(await watched(answer)).toEqual({
      stdout: LINE,
      line: 'rpc error: code = Unavailable desc = error reading from server: EOF',
      code: 1,
    });
  });

  // differs: observe-ended
  test('when the server cancels it, too', async () => {
    expect(await watched({ messages: [ADDED], status: 1, message: 'bye' })).toEqual({
      stdout: LINE,
      line: 'rpc error: code = Canceled desc = bye',
      code: 1,
    });
    const reset: GrpcAnswer = { messages: [ADDED], after: (stream) => setTimeout(() => stream.close(8), 50) };
    expect(await watched(reset)).toMatchObject({ stdout: LINE, code: 1 });
  });
});
