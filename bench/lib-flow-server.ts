import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturePath } from '../test/helpers/recordings.ts';
import { script } from './lib-budget.ts';

/** A server of recorded flows in a process of its own. */
export interface FlowServer extends AsyncDisposable {
  /** Value of --server. */
  address: string;
  socket: string;
}

/** Serves so many flows to each call; without a rate as fast as they are taken. */
export async function serveFlows({
  count,
  perSecond = 0,
}: {
  count: number;
  perSecond?: number;
}): Promise<FlowServer> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-flows-'));
  const socket = join(folder, 'hubble.sock');
  const recording = fixturePath('recordings/getflows-300.grpc');
  const words = [script('flow-server.mjs'), socket, recording, String(count), String(perSecond)];
  const server = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => server.stdout.once('data', resolve));
  return {
    address: `unix://${socket}`,
    socket,
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
