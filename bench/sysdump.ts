// Peak memory and time of `cilium sysdump` for 20 and 100 nodes with 30 pods each, which a stand-in in another process
// serves. NODES=… for other numbers, ONLY=agents,… for some groups, MB=10 for logs of 10 MB and bugtools of 5 to 20 MB.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureRun, table } from './lib-measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const PODS = 30;
const BUDGET_MB = 200;

/** Prints the figures; returns whether the budget is met. */
export async function run(): Promise<boolean> {
  const { NODES = '20,100', ONLY, MB = '0' } = process.env;
  const rows: { nodes: number; ms: number; peakMb: number; exit: number; mb: number }[] = [];
  for (const nodes of NODES.split(',').map(Number)) {
    const folder = mkdtempSync(join(tmpdir(), 'sysdump-bench-'));
    const server = spawn(
      process.execPath,
      ['--import', 'tsx', `${root}/bench/lib-dump-server.ts`, String(nodes), String(PODS), MB],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      const [said] = (await once(server.stdout, 'data')) as [Buffer];
      const { medianMs, peakMb, exitCode } = await measureRun(
        `${root}/bin/cilium`,
        ['sysdump', ...(ONLY ? ['--only', ONLY] : [])],
        { cwd: folder, runs: 1, warm: true, env: { ...process.env, KUBECONFIG: String(said).trim() } },
      );
      const mb = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1e6;
      rows.push({ nodes, ms: medianMs, peakMb, exit: exitCode, mb });
    } finally {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  console.log(
    table(
      ['nodes', 'seconds', 'peak MB', 'budget', 'archive MB', 'exit'],
      rows.map(({ nodes, ms, peakMb, exit, mb }) => [
        String(nodes),
        (ms / 1000).toFixed(1),
        peakMb.toFixed(0),
        String(BUDGET_MB),
        mb.toFixed(1),
        String(exit),
      ]),
    ),
  );
  return rows.every(({ peakMb, exit }) => peakMb <= BUDGET_MB && exit === 0);
}
