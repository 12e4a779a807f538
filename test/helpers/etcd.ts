import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether a real etcd is installed here. */
export function hasEtcd(): boolean {
  return ['/usr/bin/etcd', '/usr/local/bin/etcd'].some((path) => existsSync(path));
}

/** A real etcd of one member. */
export interface Etcd extends AsyncDisposable {
  /** Its client address. */
  url: string;
  folder: string;
}

/** A free port of the loopback interface. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Starts etcd in a folder of its own; with `tls`, behind a certificate and asking for the client's. */
export async function startEtcd(options: { tls?: boolean } = {}): Promise<Etcd> {
  for (let tries = 1; ; tries++)
    try {
      return await tryEtcd(options);
    } catch (error) {
      // Somebody else was faster with a port that was free.
      if (tries === 5 || !/address already in use/.test(String(error))) throw error;
    }
}

async function tryEtcd(options: { tls?: boolean }): Promise<Etcd> {
  const folder = mkdtempSync(join(tmpdir(), 'etcd-'));
  const [port, peer] = [await freePort(), await freePort()];
  const url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  if (options.tls) makeCertificates(folder);
  const secrets = options.tls
    ? [
        `--cert-file=${folder}/server.crt`,
        `--key-file=${folder}/server.key`,
        `--trusted-ca-file=${folder}/ca.crt`,
        '--client-cert-auth',
      ]
    : [];
  const child = spawn(
    'etcd',
    [
      '--name=test',
      `--data-dir=${folder}/data`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=test=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
      ...secrets,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  try {
    await ready(child);
  } catch (error) {
    await stop(child, folder);
    throw error;
  }
  return { url, folder, [Symbol.asyncDispose]: () => stop(child, folder) };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    const timer = setTimeout(() => reject(new Error(`etcd did not start: ${log}`)), 60_000);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`etcd ended: ${log}`)));
    child.stderr?.on('data', (part: Buffer) => {
      log = (log + part.toString()).slice(-4000);
      if (!/serving (insecure )?client (requests|traffic)|ready to serve client requests/.test(log)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}

/** A CA, a server certificate for 127.0.0.1 and a client certificate. */
function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/O=Lab/CN=Lab CA',
  );
  for (const [name, usage] of [
    ['server', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth'],
    ['client', 'extendedKeyUsage=clientAuth'],
  ] as const) {
    writeFileSync(join(folder, `${name}.ext`), usage);
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${name}.crt`,
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
    );
  }
}
