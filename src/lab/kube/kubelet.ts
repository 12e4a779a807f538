import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { errorCode } from '../../errors.ts';
import { selfCommand } from '../spawn.ts';
import { isAllowed } from './server.ts';

/** What a pod of the lab can do. */
export interface PodHost {
  /** The path of this machine for the path of a unix socket in the container; undefined where there is none. */
  socket(path: string): string | undefined;
  /** `host:port` of this machine for a port of the pod; undefined where nobody listens. */
  port(port: number): string | undefined;
  /** The environment of the toolkit in this pod; undefined in pods without it. */
  environment(): Record<string, string> | undefined;
  /** How to run a command in a pod that really runs; undefined in others. */
  command(words: readonly string[]): { command: string; args: string[] } | undefined;
}

/** A pod that is there, whatever it can do. */
export type FindPod = (namespace: string, name: string) => PodHost | undefined;

const EXEC_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const FORWARD_PROTOCOL = 'v4.channel.k8s.io';
const [STDIN, STDOUT, STDERR, STATUS] = [0, 1, 2, 3];
/** Channel that closes another one (v5). */
const CLOSE = 255;
const HIGH_WATER = 1024 * 1024;
/** The relay's exit code for a socket that does not answer. */
const NO_SOCKET = 69;

/** Lets an API run commands in its pods and reach their ports, over WebSockets. */
export function serveKubelet(server: Server, token: string, find: FindPod): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered, request) => {
      const known = /\/portforward\b/.test(request.url ?? '') ? [FORWARD_PROTOCOL] : EXEC_PROTOCOLS;
      return known.find((one) => offered.has(one)) ?? false;
    },
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Who asks may go away at any time.
    socket.on('error', () => {});
    if (!isAllowed(request, token)) return refuse(socket, 401, 'Unauthorized', 'Unauthorized');
    const url = URL.parse(request.url ?? '/', 'http://lab');
    if (!url) return refuse(socket, 400, 'BadRequest', 'the path of the request is none');
    const [, namespace = '', name = '', verb] =
      /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/(exec|portforward)$/.exec(url.pathname) ?? [];
    // Names of Kubernetes need no escapes.
    const pod = verb === undefined ? undefined : find(namespace, name);
    if (!pod) return refuse(socket, 404, 'NotFound', `pods "${name}" not found`);
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => ws.terminate());
      if (verb === 'exec') runCommand(ws, url.searchParams, pod);
      else forward(ws, url.searchParams.getAll('ports').map(Number), pod);
    });
  });
  return () => {
    for (const socket of sockets.clients) socket.terminate();
  };
}

function refuse(socket: Duplex, code: number, reason: string, message: string): void {
  const body = JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
  socket.end(
    `HTTP/1.1 ${code} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function say(ws: WebSocket, channel: number, bytes: string | Uint8Array): void {
  if (ws.readyState === WebSocket.OPEN) ws.send(Buffer.concat([Buffer.of(channel), Buffer.from(bytes)]));
}

/** Tells how a command ended. */
function finish(ws: WebSocket, code: number): void {
  const status =
    code === 0
      ? { metadata: {}, status: 'Success' }
      : {
          metadata: {},
          status: 'Failure',
          reason: 'NonZeroExitCode',
          message: `command terminated with non-zero exit code: exit status ${code}`,
          details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
        };
  say(ws, STATUS, JSON.stringify(status));
  ws.close(1000);
}

function runCommand(ws: WebSocket, query: URLSearchParams, pod: PodHost): void {
  const words = query.getAll('command');
  const [program = '', ...args] = words;
  const real = pod.command(words);
  if (real) {
    runThere(ws, real, query.get('stdin') === 'true');
    return;
  }
  // The relay of src/kube/relay.ts joins its stdin and stdout to a socket: the lab does that without perl.
  if (program === 'perl' && args[0] === '-e' && args.length === 3) {
    relay(ws, args[2] ?? '', pod);
    return;
  }
  const environment = pod.environment();
  if (!environment || !['cilium', 'cilium-dbg', 'hubble'].includes(program)) {
    const message = `exec: "${program}": executable file not found in $PATH`;
    say(
      ws,
      STATUS,
      JSON.stringify({ metadata: {}, status: 'Failure', reason: 'InternalError', message, code: 500 }),
    );
    ws.close(1000);
    return;
  }
  const { command, args: own } = selfCommand();
  const child = spawn(command, [...own, ...(program === 'hubble' ? ['hubble'] : []), ...args], {
    env: { PATH: '/usr/bin:/bin', ...environment },
  });
  attach(ws, child);
  ws.on('close', () => child.kill());
}

/** Runs a command in a pod: with all that it starts it ends with the WebSocket. */
function runThere(
  ws: WebSocket,
  { command, args }: { command: string; args: string[] },
  isFed: boolean,
): void {
  const child = spawn(command, args, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    cwd: '/',
    detached: true,
  });
  attach(ws, child);
  if (!isFed) child.stdin.end();
  ws.on('close', () => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      // It has just ended.
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  });
}

/** Joins the streams of a process to the channels, and tells how it ended. */
function attach(ws: WebSocket, child: ChildProcessWithoutNullStreams): void {
  const pipe = (stream: NodeJS.ReadableStream, channel: number) => {
    stream.on('data', (bytes: Buffer) => {
      say(ws, channel, bytes);
      holdBack(ws, stream);
    });
  };
  pipe(child.stdout, STDOUT);
  pipe(child.stderr, STDERR);
  child.stdin.on('error', () => {});
  ws.on('message', (data: Buffer) => {
    if (data[0] === STDIN) child.stdin.write(data.subarray(1));
    else if (data[0] === CLOSE) child.stdin.end();
  });
  child.on('error', () => finish(ws, 126));
  child.on('close', (code) => finish(ws, code ?? 1));
}

/** Waits with a source until what was sent is on its way. */
function holdBack(ws: WebSocket, source: { pause(): unknown; resume(): unknown }): void {
  if (ws.bufferedAmount < HIGH_WATER) return;
  source.pause();
  const wait = setInterval(() => {
    if (ws.bufferedAmount > HIGH_WATER / 4 && ws.readyState === WebSocket.OPEN) return;
    clearInterval(wait);
    source.resume();
  }, 5);
}

function relay(ws: WebSocket, path: string, pod: PodHost): void {
  const target = pod.socket(path);
  const failed = (text: string) => {
    say(ws, STDERR, `connect ${path}: ${text}\n`);
    finish(ws, NO_SOCKET);
  };
  if (target === undefined) {
    failed('No such file or directory');
    return;
  }
  const socket = connect({ path: target, allowHalfOpen: true });
  let isOpen = false;
  socket.on('connect', () => {
    isOpen = true;
    say(ws, STDOUT, '+');
  });
  socket.on('error', (error) => {
    if (isOpen) return finish(ws, 0);
    failed(errorCode(error) === 'ENOENT' ? 'No such file or directory' : 'Connection refused');
  });
  join(ws, socket, STDOUT);
  socket.on('end', () => finish(ws, 0));
  ws.on('message', (data: Buffer) => {
    if (data[0] === STDIN) socket.write(data.subarray(1));
    else if (data[0] === CLOSE) socket.end();
  });
}

/** Hands on what comes from a socket, and ends it with the WebSocket. */
function join(ws: WebSocket, socket: Socket, channel: number): void {
  socket.on('data', (bytes) => {
    say(ws, channel, bytes);
    holdBack(ws, socket);
  });
  ws.on('close', () => socket.destroy());
}

/** Connects the ports that were asked for: two channels each, of which the second is for errors. */
function forward(ws: WebSocket, ports: readonly number[], pod: PodHost): void {
  const connected = ports.map((port, i) => {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    say(ws, 2 * i, number);
    say(ws, 2 * i + 1, number);
    const [host = '', to = ''] = pod.port(port)?.split(':') ?? [];
    const failed = () =>
      say(ws, 2 * i + 1, `failed to connect to localhost:${port} inside the pod: connection refused`);
    if (to === '') {
      failed();
      return undefined;
    }
    const socket = connect({ host, port: Number(to) });
    socket.on('error', failed);
    socket.on('end', () => ws.close(1000));
    join(ws, socket, 2 * i);
    return socket;
  });
  ws.on('message', (data: Buffer) => {
    const channel = data[0] ?? 0;
    if (channel % 2 === 0) connected[channel / 2]?.write(data.subarray(1));
  });
  if (!connected.some((socket) => socket)) setTimeout(() => ws.close(1000), 50).unref();
}
