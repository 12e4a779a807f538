import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lab } from '../../src/lab/lab.ts';
import { type LabOptions, startLab } from '../../src/lab/lab.ts';
import { unmountWithin } from './mounts.ts';

/** A lab in this process, in a folder of its own, that goes with the test. */
export interface TestLab extends AsyncDisposable {
  lab: Lab;
  /** Sends a request to the agent's socket. */
  rest(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<RestAnswer>;
}

export interface RestAnswer {
  status: number;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
}

/** Starts one. */
export async function startTestLab(options: Partial<LabOptions> = {}): Promise<TestLab> {
  const root = mkdtempSync(join(tmpdir(), 'lab-'));
  const lab = await startLab({
    scenario: 'beginners-guide',
    cwd: root,
    root,
    version: 'all',
    clock: { nowMs: Date.now, uptimeMs: () => Number(process.hrtime.bigint() / 1_000_000n) },
    ...options,
  });
  return {
    lab,
    rest: (method, path, body, headers) => call(lab.info.sockets.agent, method, path, body, headers),
    [Symbol.asyncDispose]: async () => {
      try {
        await lab.close();
      } finally {
        unmountWithin(root);
        rmSync(root, { recursive: true, force: true });
      }
    },
  };
}

/** One HTTP exchange over a unix socket; a string body is sent as it is, anything else as JSON. */
export function call(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<RestAnswer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) };
    const request = httpRequest(
      { socketPath, method, path, headers: { ...length, ...headers } },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(parts).toString();
          let json: unknown;
          try {
            json = JSON.parse(answer);
          } catch {}
          resolve({ status: response.statusCode ?? 0, text: answer, json });
        });
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}
