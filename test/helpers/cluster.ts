import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startClusterLab } from '../../src/lab/cluster-lab.ts';
import type { Lab, LabOptions } from '../../src/lab/lab.ts';
import { type RunOptions, type RunResult, run } from './run.ts';

/** A lab that is a cluster, in this process. */
export interface TestCluster extends AsyncDisposable {
  lab: Lab;
  kubeconfig: string;
  /** Runs a command line with its kubeconfig and no agent on this machine. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** A request to its API. */
  call(
    method: string,
    path: string,
    body?: unknown,
    type?: string,
  ): Promise<{ status: number; json: unknown }>;
}

/** Starts one of three nodes. */
export async function startTestCluster(options: Partial<LabOptions> = {}): Promise<TestCluster> {
  const root = mkdtempSync(join(tmpdir(), 'cluster-'));
  const lab = await startClusterLab({
    scenario: 'beginners-guide',
    cwd: root,
    root,
    version: 'all',
    throwaway: true,
    nodes: 3,
    clock: { nowMs: Date.now, uptimeMs: () => Number(process.hrtime.bigint() / 1_000_000n) },
    ...options,
  });
  const kubeconfig = lab.info.kube?.kubeconfig ?? '';
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8'));
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
  return {
    lab,
    kubeconfig,
    run: (argv, more = {}) =>
      run(argv, {
        nowMs: Date.now(),
        ...more,
        env: { KUBECONFIG: kubeconfig, CILIUM_TARGET: 'cluster', ...more.env },
      }),
    call: (method, path, body, type = 'application/merge-patch+json') =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${user.token}`, 'content-type': type };
        const asked = request(`${cluster.server}${path}`, { method, ca, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => {
            text += part;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) }));
        });
        asked.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
      }),
    [Symbol.asyncDispose]: async () => {
      await lab.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
