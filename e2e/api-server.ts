import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A Kubernetes API server with its store, on loopback ports of its own. */
export interface ApiServer extends AsyncDisposable {
  url: string;
  /** A kubeconfig for a token of the server: `admin` may do all, `viewer` nothing, any other is not known. */
  kubeconfig(user: string): string;
  /** A file of its own. */
  file(name: string): string;
  /** A request as admin. */
  call(
    method: string,
    path: string,
    body?: unknown,
    type?: string,
  ): Promise<{ status: number; body: string }>;
  /** Kills the server; its store stays. */
  kill(): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
}

const TOKENS = 'admin,admin,admin,system:masters\nviewer,viewer,viewer\n';

/** Starts one. `KUBE_APISERVER` names the program. */
export async function startApiServer(): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'apiserver-'));
  const file = (name: string) => join(folder, name);
  execFileSync('openssl', ['genrsa', '-out', file('sa.key'), '2048'], { stdio: 'ignore' });
  execFileSync('openssl', ['rsa', '-in', file('sa.key'), '-pubout', '-out', file('sa.pub')], {
    stdio: 'ignore',
  });
  writeFileSync(file('tokens.csv'), TOKENS);
  mkdirSync(file('certs'));
  const [client, peer, port] = await freePorts(3);
  const store = `http://127.0.0.1:${client}`;
  const etcd = spawn(
    'etcd',
    [
      ...['--data-dir', file('etcd'), '--listen-client-urls', store, '--advertise-client-urls', store],
      ...['--listen-peer-urls', `http://127.0.0.1:${peer}`],
    ],
    { stdio: 'ignore' },
  );
  const url = `https://127.0.0.1:${port}`;
  let server: ChildProcess | undefined;
  const call: ApiServer['call'] = (method, path, body, type = 'application/json') =>
    new Promise((resolve, reject) => {
      const headers = { authorization: 'Bearer admin', 'content-type': type };
      const asked = request(`${url}${path}`, { method, headers, rejectUnauthorized: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      });
      asked.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  const start = async () => {
    server = spawn(
      process.env.KUBE_APISERVER ?? 'kube-apiserver',
      [
        ...[`--etcd-servers=${store}`, `--secure-port=${port}`, '--bind-address=127.0.0.1'],
        ...['--service-account-issuer=https://e2e', `--service-account-key-file=${file('sa.pub')}`],
        ...[`--service-account-signing-key-file=${file('sa.key')}`, '--authorization-mode=RBAC'],
        ...[`--token-auth-file=${file('tokens.csv')}`, `--cert-dir=${file('certs')}`],
        ...['--service-cluster-ip-range=10.0.0.0/24', '--disable-admission-plugins=ServiceAccount'],
        // As every cluster does that Cilium runs in.
        '--allow-privileged=true',
      ],
      { stdio: 'ignore' },
    );
    for (let tries = 0; ; tries++) {
      const { body } = await call('GET', '/readyz').catch(() => ({ body: '' }));
      if (body === 'ok') return;
      if (tries > 900) throw new Error(`the API server does not get ready: ${body}`);
      await sleep(200);
    }
  };
  const kill = async () => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  await start();
  return {
    url,
    file,
    call,
    kill,
    start,
    kubeconfig(user) {
      const path = file(`kubeconfig-${user}`);
      const authority = readFileSync(file('certs/apiserver.crt')).toString('base64');
      const config = {
        clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': authority } }],
        contexts: [{ name: 'k', context: { cluster: 'c', user } }],
        users: [{ name: user, user: { token: user } }],
        'current-context': 'k',
      };
      writeFileSync(path, JSON.stringify(config));
      return path;
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      etcd.kill('SIGKILL');
      await once(etcd, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ports that were free a moment ago, each another one. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  return servers.map((server) => {
    const address = server.address();
    server.close();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
}
