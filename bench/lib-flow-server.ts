import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRecord } from '../src/hubble/captures/record-line.ts';
import { frame } from '../src/hubble/grpc/frames.ts';
import { encode } from '../src/hubble/protobuf/codec.ts';
import { fixturePath } from '../test/helpers/recordings.ts';
import { script } from './lib-budget.ts';
import { meshLines } from './lib-flows.ts';

/** A server of recorded flows in a process of its own. */
export interface FlowServer extends AsyncDisposable {
  /** Value of --server. */
  address: string;
  socket: string;
}

/** A second that no time of now has. */
const SECOND = 1_600_000_000;

/**
 * Serves so many flows to each call; without a rate as fast as they are taken. With a number of workloads they are theirs, of now,
 * otherwise the recorded ones.
 */
export async function serveFlows({
  count,
  perSecond = 0,
  workloads,
}: {
  count: number;
  perSecond?: number;
  workloads?: number;
}): Promise<FlowServer> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-flows-'));
  const socket = join(folder, 'hubble.sock');
  const recording = workloads
    ? writeMeshMessages(join(folder, 'mesh.grpc'), workloads)
    : fixturePath('recordings/getflows-300.grpc');
  const words = [script('flow-server.mjs'), socket, recording, String(count), String(perSecond)];
  if (workloads) words.push(String(SECOND));
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

/** Writes answers with the flows of so many workloads; all are of one second. */
function writeMeshMessages(file: string, workloads: number): string {
  const text = new Date(SECOND * 1000).toISOString().slice(0, 19);
  const lines = meshLines(workloads).map((line) => line.replaceAll(/"time":"[^".]*/g, `"time":"${text}`));
  const messages = lines.map((line) =>
    frame(encode('observer.GetFlowsResponse', parseRecord(line, { ignoreUnknown: true }))),
  );
  writeFileSync(file, Buffer.concat(messages));
  return file;
}
