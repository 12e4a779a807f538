import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { end, SUCCESS, say } from './kubelet.ts';
import { type RunOptions, type RunResult, run } from './run.ts';

/** How a command in a pod of the tests ends. */
export interface CommandEnd {
  code: number;
  stdout?: string;
  stderr?: string;
}

/** A command that a test pod is asked to run; `policies` are those of its namespace at that time. */
export interface Asked {
  pod: string;
  argv: string[];
  policies: string[];
}

/** What the stand-in for kubelets does. */
export interface PodWorld {
  /** Answers a command; undefined means that there is no such program. */
  answer: (asked: Asked) => CommandEnd | undefined;
}

/** A lab that is a cluster whose pods are played; commands in those of the tests are answered here. */
export interface PlayedPods extends AsyncDisposable {
  lab: TestCluster;
  world: PodWorld;
  asked: Asked[];
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
}

/** As curl ends when it succeeds. */
export const OK: CommandEnd = { code: 0, stdout: '10.0.0.1:40000 -> 10.0.0.2:8080 = 200\n' };
export const TIMEOUT: CommandEnd = {
  code: 28,
  stderr: 'curl: (28) Connection timed out after 2001 milliseconds\n',
};

/** A healthy cluster under the policies of the minimal set, as a shell of one of its pods would see it. */
export function healthy({ argv, pod, policies }: Asked): CommandEnd | undefined {
  const [program = ''] = argv;
  const url = argv.at(-1) ?? '';
  const has = (name: string) => policies.includes(name);
  if (program === 'cat')
    return { code: 0, stdout: 'search x.svc.cluster.local svc.cluster.local cluster.local\n' };
  if (program === 'nslookup') {
    const isRefused = has('check-fqdn') && !argv.some((word) => word.startsWith('echo-'));
    return isRefused
      ? { code: 1, stderr: "** server can't find it: REFUSED\n" }
      : { code: 0, stdout: 'Address: 10.0.0.2\n' };
  }
  if (program === 'ping') return { code: 0, stdout: '1 packets received\n' };
  if (program !== 'curl') return undefined;
  if (has('check-deny-ingress')) return TIMEOUT;
  if (has('check-deny-egress') && pod.startsWith('client-')) return TIMEOUT;
  if (has('check-allow-one') && !pod.startsWith('client2-')) return TIMEOUT;
  if (has('check-l7') && url.endsWith('/private'))
    return { code: 22, stderr: 'curl: (22) The requested URL returned error: 403\n' };
  return OK;
}

/** Starts a cluster, or stands in front of one, and answers commands in the pods of the tests. */
export async function startPlayedPods(world: PodWorld, lab?: TestCluster): Promise<PlayedPods> {
  const cluster = lab ?? (await startTestCluster());
  const config = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8'));
  const target = new URL(config.clusters[0].cluster.server);
  const ca = Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64');
  const agent = new Agent({ ca, keepAlive: true });
  const asked: Asked[] = [];
  const server = createServer((incoming, response) => {
    const { method, url: path, headers } = incoming;
    const out = request(
      target,
      { method, path, headers: { ...headers, host: target.host }, agent, ca },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    out.on('error', () => response.destroy());
    response.on('close', () => out.destroy());
    incoming.pipe(out);
  });
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    const url = new URL(incoming.url ?? '/', 'http://x');
    const [, namespace = '', pod = ''] =
      /namespaces\/((?!kube-system)[^/]+)\/pods\/([^/]+)\/exec$/.exec(url.pathname) ?? [];
    if (pod === '') return tunnel(incoming, socket, head);
    sockets.handleUpgrade(
      incoming,
      socket,
      head,
      (ws) => void runIn(ws, namespace, pod, url.searchParams.getAll('command')),
    );
  });
  const runIn = async (ws: WebSocket, namespace: string, pod: string, argv: string[]) => {
    const { json } = await cluster.call(
      'GET',
      `/apis/cilium.io/v2/namespaces/${namespace}/ciliumnetworkpolicies`,
    );
    const policies = (json as { items: { metadata: { name: string } }[] }).items.map(
      ({ metadata }) => metadata.name,
    );
    asked.push({ pod, argv, policies });
    const ended = world.answer({ pod, argv, policies });
    if (!ended) {
      const message = `exec: "${argv[0]}": executable file not found in $PATH`;
      return end(ws, { status: 'Failure', reason: 'InternalError', message, code: 500 });
    }
    if (ended.stdout) say(ws, 1, ended.stdout);
    if (ended.stderr) say(ws, 2, ended.stderr);
    end(
      ws,
      ended.code === 0
        ? SUCCESS
        : {
            status: 'Failure',
            reason: 'NonZeroExitCode',
            message: `command terminated with exit code ${ended.code}`,
            details: { causes: [{ reason: 'ExitCode', message: String(ended.code) }] },
          },
    );
  };
  /** Everything else goes to the lab as it is. */
  const tunnel = (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const out = request(target, {
      path: incoming.url,
      headers: { ...incoming.headers, host: target.host },
      ca,
      agent: false,
    });
    out.on('upgrade', (answer, far, farHead) => {
      const lines = Object.entries(answer.headers).map(([key, value]) => `${key}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      if (farHead.length > 0) socket.write(farHead);
      if (head.length > 0) far.write(head);
      far.on('error', () => socket.destroy());
      far.pipe(socket).pipe(far);
      socket.on('close', () => far.destroy());
    });
    out.on('response', (answer) => {
      socket.write(
        `HTTP/1.1 ${answer.statusCode} x\r\ncontent-length: ${answer.headers['content-length'] ?? 0}\r\n\r\n`,
      );
      answer.pipe(socket);
    });
    out.on('error', () => socket.destroy());
    out.end();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const kubeconfig = join(cluster.kubeconfig, '..', `pods-${port}.json`);
  config.clusters[0].cluster = { server: `http://127.0.0.1:${port}` };
  writeFileSync(kubeconfig, JSON.stringify(config));
  return {
    lab: cluster,
    world,
    asked,
    run: (argv, more = {}) =>
      run(argv, {
        nowMs: Date.now(),
        ...more,
        env: { KUBECONFIG: kubeconfig, CILIUM_TARGET: 'cluster', ...more.env },
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
      if (!lab) await cluster[Symbol.asyncDispose]();
    },
  };
}
