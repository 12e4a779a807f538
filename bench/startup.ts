// How long a command takes from exec to exit, and its memory, beside an empty Node and the reference when present.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fixture, type RestCase } from '../test/helpers/recordings.ts';
import { replay } from '../test/helpers/replay.ts';
import { measureRun, table } from './lib-measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const RUNS = 20;

/** Prints the start-up table. */
export async function run(): Promise<void> {
  const status = fixture<RestCase[]>('recordings/agent-1.20.json').find((c) => c.argv.join(' ') === 'status');
  await using server = await replay(status?.exchanges ?? []);
  const env = { ...process.env, CILIUM_SOCK: server.socket, CILIUM_HEALTH_SOCK: '/nonexistent/health.sock' };
  const commands: [string, string, string[]][] = [
    ['node -e 0', process.execPath, ['-e', '0']],
    ['cilium version', `${root}/bin/cilium`, ['version']],
    ['cilium status', `${root}/bin/cilium`, ['status']],
    ['cilium status -o json', `${root}/bin/cilium`, ['status', '-o', 'json']],
  ];
  if (spawnSync('sh', ['-c', 'command -v cilium-dbg']).status === 0) {
    commands.push(
      ['cilium-dbg version', 'cilium-dbg', ['version']],
      ['cilium-dbg status', 'cilium-dbg', ['status']],
    );
  }
  const rows = [];
  for (const [name, command, args] of commands) {
    rows.push({ name, ...(await measureRun(command, args, { env, runs: RUNS })) });
  }
  const base = rows[0]?.medianMs ?? 1;
  console.log(
    table(
      ['command', 'median ms', 'x node -e 0', 'peak MB'],
      rows.map((row) => [
        row.name,
        row.medianMs.toFixed(1),
        (row.medianMs / base).toFixed(2),
        row.peakMb.toFixed(0),
      ]),
    ),
  );
}
