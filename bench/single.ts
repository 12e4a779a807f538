// The one file beside the bundle: its size, and what its starts take.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordedMessages, serveGrpc } from '../test/helpers/grpc.ts';
import { fixture, type RestCase } from '../test/helpers/recordings.ts';
import { replay } from '../test/helpers/replay.ts';
import {
  type BenchOptions,
  type Budget,
  CILIUM,
  cpuInTurns,
  HUBBLE,
  notMeasured,
  shareOf,
} from './lib-budget.ts';

/** A start takes so little that it is repeated more often. */
const TIMES = 5;
/** Of the bundle's start. */
const GOAL = 1.1;
const GOAL_MB = 135;
const EXPLAINED = 'The one file';

const STARTS = [
  { name: 'version', program: 'cilium', args: ['version', '--client'] },
  { name: 'status', program: 'cilium', args: ['status', '--brief'] },
  { name: 'observe --last 20', program: 'hubble', args: ['observe', '--last', '20'] },
];

/** Makes the file and measures the rows of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  if (process.platform !== 'linux') return [notMeasured('the one file', GOAL_MB, 'it is made on Linux only')];
  const folder = mkdtempSync(join(tmpdir(), 'bench-single-'));
  try {
    const file = join(folder, 'cilium');
    const script = fileURLToPath(new URL('../scripts/single.mjs', import.meta.url));
    execFileSync(process.execPath, [script, file], { stdio: 'ignore' });
    symlinkSync('cilium', join(folder, 'hubble'));
    const size = statSync(file).size / 1e6;
    const figures = `${size.toFixed(1)} MB`;
    return [
      { work: 'the one file, size', value: size, unit: 'MB', goal: GOAL_MB, figures, explained: EXPLAINED },
      ...(await starts(folder, runs)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function starts(folder: string, runs: number): Promise<Budget[]> {
  const recorded = fixture<RestCase[]>('recordings/agent-1.20.json')
    .filter(({ argv }) => argv.join(' ').startsWith('status'))
    .flatMap(({ exchanges }) => exchanges);
  await using agent = await replay(recorded);
  await using server = await serveGrpc({
    '/observer.Observer/GetFlows': { messages: recordedMessages('getflows-300.grpc').slice(-20) },
  });
  const env = {
    ...process.env,
    CILIUM_SOCK: agent.socket,
    CILIUM_HEALTH_SOCK: '/nonexistent/health.sock',
    HUBBLE_SERVER: server.address,
  };
  const measured: Budget[] = [];
  for (const { name, program, args } of STARTS) {
    const commands = [join(folder, program), program === 'cilium' ? CILIUM : HUBBLE];
    const [one = 0, bundle = 1] = await cpuInTurns(
      commands.map((command) => ({ name: [command, ...args].join(' '), command, args })),
      { runs: TIMES * runs, env, exitCodes: [0, 1] },
    );
    measured.push(shareOf(`the one file, start, ${name}`, GOAL, [one, bundle], 'the bundle', EXPLAINED));
  }
  return measured;
}
