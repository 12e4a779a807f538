import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { encode } from '../../../src/hubble/protobuf/codec.ts';
import { type GrpcAnswer, serveGrpc } from '../../helpers/grpc.ts';
import { fixturePath, fixtureText } from '../../helpers/recordings.ts';
import { type RelayCluster, serveRelayCluster } from '../../helpers/relay-cluster.ts';
import { run } from '../../helpers/run.ts';

const pem = (name: string) => fixtureText(`tls/${name}`);
const SERVER_TLS = { cert: pem('server.crt'), key: pem('server.key') };
const CLIENT_CERTS = { 'ca.crt': pem('ca.crt'), 'tls.crt': pem('client.crt'), 'tls.key': pem('client.key') };

const HEALTHY: Record<string, GrpcAnswer> = {
  '/grpc.health.v1.Health/Check': {
    messages: [encode('grpc.health.v1.HealthCheckResponse', { status: 'SERVING' })],
  },
  '/observer.Observer/ServerStatus': {
    messages: [encode('observer.ServerStatusResponse', { num_flows: '7', max_flows: '9' })],
  },
};
const OK = 'Healthcheck (via localhost:4245): Ok\nCurrent/Max Flows: 7/9 (77.78%)\nFlows/s: N/A\n';

const portOf = ({ address }: { address: string }) => Number(address.split(':')[1]);
const status = (cluster: RelayCluster, ...flags: string[]) =>
  run(['hubble', 'status', '-P', '--kubeconfig', cluster.kubeconfig, ...flags]);

// differs: hubble-port-forward
test('--port-forward asks the relay, and opens no port of this machine unless one is asked for', async () => {
  await using relay = await serveGrpc(HEALTHY, { tcp: true });
  await using cluster = await serveRelayCluster({ 'hubble-relay-1': portOf(relay) });
  expect(await status(cluster)).toEqual({ stdout: OK, stderr: '', code: 0 });
  expect(cluster.seen[0]).toBe('GET /api/v1/namespaces/kube-system/services/hubble-relay');
  expect(cluster.seen.filter((line) => line.includes('secrets'))).toEqual([]);
  const forwards = cluster.seen.filter((line) => line.startsWith('WS'));
  expect(new Set(forwards)).toEqual(
    new Set(['WS /api/v1/namespaces/kube-system/pods/hubble-relay-1/portforward?ports=4245']),
  );
});

test('--port-forward-port is that of this machine, for others too while the verb runs', async () => {
  let other: Promise<string> | undefined;
  await using relay = await serveGrpc(
    {
      ...HEALTHY,
      '/observer.Observer/ServerStatus': {
        raw: (stream) => {
          const socket = connect(local, '127.0.0.1');
          other = once(socket, 'data').then(([bytes]) => (bytes as Buffer).toString('hex', 3, 4));
          void other.then(() => {
            socket.destroy();
            stream.respond(
              { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' },
              { endStream: true },
            );
          });
        },
      },
    },
    { tcp: true },
  );
  await using cluster = await serveRelayCluster({ 'hubble-relay-1': portOf(relay) });
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const local = (free.address() as AddressInfo).port;
  const taken = await status(cluster, '--port-forward-port', String(local));
  expect(taken.stderr).toBe(
    `failed to port forward: listen on 127.0.0.1:${local}: address already in use\nAnother port may be free: 0 takes any that is.\n`,
  );
  free.close();
  await once(free, 'close');
  const { stderr } = await status(cluster, '--port-forward-port', String(local));
  expect(stderr).toContain('code = Unimplemented');
  // The server's first frame are its settings.
  expect(await other).toBe('04');
});

describe('TLS of the relay', () => {
  test.each([
    ['asked for by the relay alone', []],
    ['asked for by flags', ['--tls']],
  ])('%s is spoken with the certificates of the cluster', async (_, flags) => {
    await using relay = await serveGrpc(HEALTHY, {
      tcp: true,
      tls: { ...SERVER_TLS, ca: pem('ca.crt'), requestCert: true, rejectUnauthorized: true },
    });
    await using cluster = await serveRelayCluster({ r: portOf(relay) });
    cluster.secrets = { 'hubble-relay-client-certs': CLIENT_CERTS };
    expect(await status(cluster, ...flags)).toEqual({ stdout: OK, stderr: '', code: 0 });
  });

  test.each(['hubble-relay-server-certs', 'hubble-server-certs', 'cilium-ca'])(
    'is verified by the authority of %s where the first secret is not there',
    async (name) => {
      await using relay = await serveGrpc(HEALTHY, { tcp: true, tls: SERVER_TLS });
      await using cluster = await serveRelayCluster({ r: portOf(relay) });
      cluster.secrets = { [name]: { 'ca.crt': pem('ca.crt') } };
      expect(await status(cluster)).toEqual({ stdout: OK, stderr: '', code: 0 });
    },
  );

  test('follows the flags where they say something', async () => {
    await using relay = await serveGrpc(HEALTHY, { tcp: true, tls: SERVER_TLS });
    await using cluster = await serveRelayCluster({ r: portOf(relay) });
    cluster.secrets = { 'hubble-relay-client-certs': { ...CLIENT_CERTS, 'ca.crt': 'not asked for' } };
    const ca = ['--tls', '--tls-ca-cert-files', fixturePath('tls/ca.crt')];
    expect((await status(cluster, ...ca)).stdout).toBe(OK);
    const other = await status(cluster, ...ca, '--tls-server-name', 'other.example.com');
    expect(other.stderr).toContain('x509: certificate is valid for relay.example.com');
    expect((await status(cluster, '--tls', '--tls-allow-insecure')).stdout).toBe(OK);
  });

  test('that cannot be verified says which secrets could not be read', async () => {
    await using relay = await serveGrpc(HEALTHY, { tcp: true, tls: SERVER_TLS });
    await using cluster = await serveRelayCluster({ r: portOf(relay) });
    cluster.forbidden = /secrets/;
    const { stderr, code } = await status(cluster);
    expect(code).toBe(1);
    expect(stderr).toContain('x509: certificate signed by unknown authority');
    expect(stderr).toContain(
      'not all could be read: secrets "hubble-relay-client-certs" is forbidden: User "jane" cannot get resource "secrets"',
    );
  });

  test('that the relay does not speak is told', async () => {
    await using relay = await serveGrpc(HEALTHY, { tcp: true });
    await using cluster = await serveRelayCluster({ r: portOf(relay) });
    const { stderr, code } = await status(cluster, '--tls');
    expect(code).toBe(1);
    expect(stderr).toContain('The server does not speak TLS: leave out --tls.');
  });
});

describe('a relay that cannot be asked is one clear error', () => {
  const waiting = (reason: string, more = {}) => ({
    status: {
      phase: 'Pending',
      containerStatuses: [{ name: 'hubble-relay', ready: false, state: { waiting: { reason } }, ...more }],
    },
  });
  test.each<[string, RelayCluster['pods'], RegExp | undefined, string[], string]>([
    [
      'not installed',
      {},
      undefined,
      [],
      'failed to port forward: failed to get service "hubble-relay": services "hubble-relay" not found\nHubble Relay is not installed in the namespace kube-system',
    ],
    [
      'not installed there',
      { r: 1 },
      undefined,
      ['--kube-namespace', 'other'],
      'Hubble Relay is not installed in the namespace other',
    ],
    [
      'not ready',
      { r: waiting('ImagePullBackOff'), s: waiting('ContainerCreating') },
      undefined,
      [],
      'Hubble Relay is not ready: pod kube-system/r: the container waits: ImagePullBackOff (and 1 more)\nSee: kubectl -n kube-system describe pod r\n',
    ],
    [
      'running but not ready',
      {
        r: {
          status: {
            phase: 'Running',
            containerStatuses: [
              {
                name: 'hubble-relay',
                ready: false,
                state: { running: {} },
                lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
              },
            ],
          },
        },
      },
      undefined,
      [],
      'the container runs, and says that it is not ready; before that it ended: OOMKilled',
    ],
    [
      'on no node',
      {
        r: {
          status: {
            phase: 'Pending',
            conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }],
          },
        },
      },
      undefined,
      [],
      'the pod is on no node: 0/3 nodes are available',
    ],
    [
      'forbidden',
      { r: 1 },
      /services/,
      [],
      'User "jane" cannot get resource "services" in API group "" in the namespace "kube-system"',
    ],
    [
      'of an unknown context',
      { r: 1 },
      undefined,
      ['--kube-context', 'no'],
      'the kubeconfig has no context "no"',
    ],
    [
      'that refuses the connection',
      { r: 1 },
      undefined,
      [],
      'port 4245 of kube-system/r: an error occurred forwarding',
    ],
  ])('%s', async (_, pods, forbidden, flags, message) => {
    await using cluster = await serveRelayCluster(pods);
    cluster.forbidden = forbidden;
    for (const verb of [['status'], ['observe'], ['list', 'nodes']]) {
      const { stdout, stderr, code } = await run([
        'hubble',
        ...verb,
        '-P',
        '--kubeconfig',
        cluster.kubeconfig,
        ...flags,
      ]);
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
      expect(stderr).toContain(message);
      expect(stderr).not.toContain('fault in the toolkit');
    }
  });
});

test('the relay is looked for where Cilium is installed', async () => {
  await using relay = await serveGrpc(HEALTHY, { tcp: true });
  await using cluster = await serveRelayCluster({ r: portOf(relay) }, { namespace: 'cilium' });
  expect((await status(cluster)).stdout).toBe(OK);
  expect(
    (
      await run(['hubble', 'status'], {
        env: { KUBECONFIG: cluster.kubeconfig, HUBBLE_PORT_FORWARD: 'true', HUBBLE_KUBE_NAMESPACE: 'cilium' },
      })
    ).stdout,
  ).toBe(OK);
});
