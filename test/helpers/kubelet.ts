import { spawn } from 'node:child_process';
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
