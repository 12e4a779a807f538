import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { SocketHandler } from './kube.ts';

export const SUCCESS = { kind: 'Status', status: 'Success' };
const failed = (code: number) => ({
  kind: 'Status',
  status: 'Failure',
  reason: 'NonZeroExitCode',
  message: `command terminated with exit code ${code}`,
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
});

export const say = (socket: WebSocket, channel: number, bytes: string | Buffer) =>
  socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(bytes)]));
export const end = (socket: WebSocket, status: object) => {
  say(socket, 3, JSON.stringify(status));
  socket.close(1000);
};

/** A kubelet that really runs the command, as its own user; `within` gives its words as the container has them. */
export const spawning =
  (within: (word: string) => string = (word) => word): SocketHandler =>
  (socket, url) => {
    const [program = '', ...words] = url.searchParams.getAll('command').map(within);
    const child = spawn(program, words);
    child.on('error', (error) =>
      end(socket, {
        status: 'Failure',
        message: `exec: "${program}": executable file not found in $PATH: ${error}`,
      }),
    );
    child.stdout.on('data', (bytes: Buffer) => {
      say(socket, 1, bytes);
      if (socket.bufferedAmount < 1e6) return;
      child.stdout.pause();
      const wait = setInterval(() => {
        if (socket.bufferedAmount > 1e5 && socket.readyState === socket.OPEN) return;
        clearInterval(wait);
        child.stdout.resume();
      }, 5);
    });
    child.stderr.on('data', (bytes: Buffer) => say(socket, 2, bytes));
    child.on('close', (code) => end(socket, code === 0 ? SUCCESS : failed(code ?? 1)));
    child.stdin.on('error', () => {});
    socket.on('close', () => child.kill());
    socket.on('message', (data: Buffer) => {
      if (data[0] === 0) child.stdin.write(data.subarray(1));
      else if (data[0] === 255) child.stdin.end();
    });
  };

/** Where port-forwards lead: a port of 127.0.0.1, a unix socket, or why there is none. */
export type Forwarded = (url: URL) => number | string | Error;

/** A kubelet that forwards the port of a pod to one of this machine, as `portforward` of v4 has it. */
export const forwarding =
  (targetOf: Forwarded): SocketHandler =>
  (socket, url) => {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(Number(url.searchParams.get('ports')));
    say(socket, 0, number);
    say(socket, 1, number);
    const target = targetOf(url);
    if (target instanceof Error) {
      say(socket, 1, target.message);
      socket.close(1000);
      return;
    }
    const far: Socket = typeof target === 'number' ? connect(target, '127.0.0.1') : connect(target);
    far.on('error', (error) => say(socket, 1, `an error occurred forwarding: ${error.message}`));
    far.on('data', (bytes) => say(socket, 0, bytes));
    far.on('close', () => socket.close(1000));
    socket.on('message', (data: Buffer) => {
      if (data[0] === 0) far.write(data.subarray(1));
    });
    socket.on('close', () => far.destroy());
  };
