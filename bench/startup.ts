// How long a command takes from exec to exit, and its memory, beside an empty Node and the references when present.
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { recordedMessages, serveGrpc } from '../test/helpers/grpc.ts';
import { fixture, type RestCase } from '../test/helpers/recordings.ts';
import { replay } from '../test/helpers/replay.ts';
import { type Contender, measureInTurns, table } from './lib-measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const RUNS = 20;

const CILIUM = ['version', 'status', 'status -o json', 'endpoint list'];
const HUBBLE = ['version', 'observe --last 20'];

/** The program of this name on PATH, unless it is ours. */
function onPath(name: string): string | undefined {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
  return found && !realpathSync(found).startsWith(realpathSync(root)) ? found : undefined;
}

function contenders(label: string, command: string | undefined, verbs: readonly string[]): Contender[] {
  if (command === undefined) return [];
  return verbs.map((verb) => ({ name: `${label} ${verb}`, command, args: verb.split(' ') }));
}

/** Prints the start-up table. */
export async function run(): Promise<void> {
  const recorded = fixture<RestCase[]>('recordings/agent-1.20.json')
    .filter(({ argv }) => CILIUM.includes(argv.join(' ')))
    .flatMap(({ exchanges }) => exchanges);
  await using agent = await replay(recorded);
  await using hubble = await serveGrpc({
    '/observer.Observer/GetFlows': { messages: recordedMessages('getflows-300.grpc').slice(-20) },
  });
  const env = {
    ...process.env,
    CILIUM_SOCK: agent.socket,
    CILIUM_HEALTH_SOCK: '/nonexistent/health.sock',
    HUBBLE_SERVER: hubble.address,
  };
  const rows = await measureInTurns(
    [
      { name: 'node -e 0', command: process.execPath, args: ['-e', '0'] },
      ...contenders('cilium', `${root}bin/cilium`, CILIUM),
      ...contenders('hubble', `${root}bin/hubble`, HUBBLE),
      ...contenders('reference cilium-dbg', onPath('cilium-dbg'), CILIUM),
      ...contenders('reference hubble', onPath('hubble'), HUBBLE),
    ],
    { env, runs: RUNS },
  );
  const base = rows[0]?.medianMs ?? 1;
  console.log(
    table(
      ['command', 'median ms', 'x node -e 0', 'peak MB', 'exit'],
      rows.map((row) => [
        row.name,
        row.medianMs.toFixed(1),
        (row.medianMs / base).toFixed(2),
        row.peakMb.toFixed(0),
        String(row.exitCode),
      ]),
    ),
  );
}
