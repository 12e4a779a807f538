// The budgets of a start: commands that do next to nothing, beside the reference. By itself it also says what starts of
// both programs take beside an empty Node.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordedMessages, serveGrpc } from '../test/helpers/grpc.ts';
import { fixture, type RestCase } from '../test/helpers/recordings.ts';
import { replay } from '../test/helpers/replay.ts';
import {
  type BenchOptions,
  type Budget,
  CILIUM,
  cpuInTurns,
  HUBBLE,
  NO_REFERENCE,
  notMeasured,
  referenceHubble,
  shareOf,
} from './lib-budget.ts';
import { writeFlows } from './lib-flows.ts';
import { measureInTurns, table } from './lib-measure.ts';

/** A start takes so little that it is repeated more often. */
const TIMES = 5;
/** Starts after which the code cache of a verb has all that it runs, nearly always. */
const WARM = 12;

/** HealthCheckResponse: its status is SERVING. */
const SERVING = Buffer.from([0x08, 0x01]);

/** Measures the rows of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-start-'));
  try {
    const file = join(folder, 'one.jsonl');
    writeFlows(file, 1);
    return await measure(file, runs);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(file: string, runs: number): Promise<Budget[]> {
  const starts = [
    { name: 'version', goal: 1.6, args: ['version'] },
    { name: 'config view', goal: 1.6, args: ['config', 'view'] },
    { name: '--help', goal: 1.6, args: ['--help'] },
    { name: 'a wrong flag', goal: 1.6, args: ['observe', '--no-such-flag'], exitCode: 1 },
    { name: 'status', goal: 2, args: ['status'] },
    { name: 'list nodes', goal: 2, args: ['list', 'nodes'] },
    { name: 'observe --last 1', goal: 2, args: ['observe', '--last', '1'] },
    { name: 'a file of one line', goal: 2, args: ['observe', '--input-file', file] },
  ].map((each) => ({ ...each, work: `start, ${each.name}` }));
  const reference = referenceHubble();
  if (reference === undefined) return starts.map(({ work, goal }) => notMeasured(work, goal, NO_REFERENCE));
  await using server = await serveGrpc({
    '/grpc.health.v1.Health/Check': { messages: [SERVING] },
    '/observer.Observer/GetFlows': { messages: recordedMessages('getflows-300.grpc').slice(-1) },
    '/observer.Observer/ServerStatus': { messages: recordedMessages('relay-ServerStatus.grpc') },
    '/observer.Observer/GetNodes': { messages: recordedMessages('relay-GetNodes.grpc') },
  });
  const env = { ...process.env, HUBBLE_SERVER: server.address };
  const measured: Budget[] = [];
  for (const { work, goal, args, exitCode = 0 } of starts) {
    const [ours = 0, other = 1] = await cpuInTurns(
      [HUBBLE, reference].map((command) => ({ name: [command, ...args].join(' '), command, args })),
      { runs: TIMES * runs, warm: WARM, env, exitCodes: [exitCode] },
    );
    measured.push(shareOf(work, goal, [ours, other], 'the reference', 'Start-up'));
  }
  return measured;
}

const CILIUM_VERBS = ['version', 'status', 'status -o json', 'endpoint list'];
const HUBBLE_VERBS = ['version', 'observe --last 20'];
const RUNS = 20;

/** Prints CPU, time and memory of starts, beside an empty Node. */
export async function run(): Promise<void> {
  const recorded = fixture<RestCase[]>('recordings/agent-1.20.json')
    .filter(({ argv }) => CILIUM_VERBS.includes(argv.join(' ')))
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
  const contenders = [
    { name: 'node -e 0', command: process.execPath, args: ['-e', '0'] },
    ...CILIUM_VERBS.map((verb) => ({ name: `cilium ${verb}`, command: CILIUM, args: verb.split(' ') })),
    ...HUBBLE_VERBS.map((verb) => ({ name: `hubble ${verb}`, command: HUBBLE, args: verb.split(' ') })),
  ];
  const cpu = await cpuInTurns(contenders, { runs: RUNS, warm: WARM, env });
  const measured = await measureInTurns(contenders, { runs: RUNS, env });
  const lines = measured.map(({ name, medianMs, peakMb }, i) => [
    name,
    ((cpu[i] ?? 0) * 1000).toFixed(1),
    ((cpu[i] ?? 0) / (cpu[0] ?? 1)).toFixed(2),
    medianMs.toFixed(1),
    peakMb.toFixed(0),
  ]);
  console.log(table(['command', 'CPU ms', 'x node -e 0', 'median ms', 'peak MB'], lines));
}
