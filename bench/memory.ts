// The budgets of memory: a file, a stream, and a stream that is followed at 10,000 flows a second.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchOptions, type Budget, HUBBLE } from './lib-budget.ts';
import { serveFlows } from './lib-flow-server.ts';
import { writeFlows } from './lib-flows.ts';
import { measureRun } from './lib-measure.ts';

const FLOWS = 200_000;
const STREAMED = 65_500;
const PER_SECOND = 10_000;
const GOAL_MB = 90;
/** What a stream that is followed may grow by once it runs. */
const FLAT_MB = 5;
const CHAPTER = 'hubble';
/** The second decodes each flow. */
const FOLLOWED = [
  { name: 'follow', flags: [] },
  { name: 'follow --where', flags: ['--where', 'verdict = DROPPED'] },
];

/** Measures the rows of the table. */
export async function rows({ followSeconds }: BenchOptions): Promise<Budget[]> {
  return [await ofFile(), await ofStream(), ...(await ofFollow(followSeconds))];
}

function row(work: string, value: number, figures: string, goal = GOAL_MB): Budget {
  return { work: `memory, ${work}`, value, unit: 'MB', goal, figures, explained: CHAPTER };
}

async function ofFile(): Promise<Budget> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-memory-'));
  try {
    const file = join(folder, 'flows.jsonl');
    writeFlows(file, FLOWS);
    const { peakMb } = await measureRun(HUBBLE, ['observe', '--input-file', file], { runs: 2 });
    return row('file', peakMb, `the most that ${FLOWS} flows take`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function ofStream(): Promise<Budget> {
  await using server = await serveFlows({ count: STREAMED });
  const { peakMb } = await measureRun(HUBBLE, ['observe', '--all', '--server', server.address], { runs: 2 });
  return row('stream', peakMb, `the most that ${STREAMED} flows take`);
}

/** All at once. The second row of each is how much it grows from the first third to the last. */
async function ofFollow(seconds: number): Promise<Budget[]> {
  await using server = await serveFlows({ count: Number.MAX_SAFE_INTEGER, perSecond: PER_SECOND });
  const followers = FOLLOWED.map(({ name, flags }) => {
    const words = ['observe', '--follow', '--server', server.address, ...flags];
    const child = spawn(HUBBLE, words, { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    return { name, child, ended, samples: [] as number[] };
  });
  for (let second = 0; second < seconds; second++) {
    await sleep(1000);
    for (const { child, samples } of followers) samples.push(residentMb(child.pid));
  }
  const what = `${seconds} s at ${PER_SECOND} flows/s${seconds < 600 ? ' (--follow 600 for ten minutes)' : ''}`;
  const rows: Budget[] = [];
  for (const { name, child, ended, samples } of followers) {
    child.kill();
    await ended;
    if (samples.includes(0)) throw new Error('hubble observe --follow ended early');
    const third = Math.ceil(samples.length / 3);
    const early = Math.max(...samples.slice(0, third));
    const late = Math.max(...samples.slice(-third));
    rows.push(
      row(name, Math.max(early, late), `the most in ${what}`),
      row(`${name}, growth`, Math.max(0, late - early), `${early.toFixed(0)} MB in its first third`, FLAT_MB),
    );
  }
  return rows;
}

function residentMb(pid: number | undefined): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
