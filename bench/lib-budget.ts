import { spawn, spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Contender, table } from './lib-measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
export const CILIUM = `${root}bin/cilium`;
export const HUBBLE = `${root}bin/hubble`;
/** A program of this folder that ours are measured against. */
export const script = (name: string) => `${root}bench/${name}`;

/** A row of the table of budgets. */
export interface Budget {
  work: string;
  /** A share of what it is measured against, seconds of CPU, megabytes or kilobytes. Absent where it was not measured. */
  value?: number;
  unit: 'share' | 's' | 'MB' | 'kB';
  /** The most that it may be. */
  goal: number;
  /** What was measured, in words; without a value the reason. */
  figures: string;
  /** The heading of docs/performance.md under which is said what keeps the row from its goal. */
  explained: string;
}

export interface BenchOptions {
  /** Runs of each program, in turns. */
  runs: number;
  /** For how long a stream is followed. */
  followSeconds: number;
  /** Flows of a capture that becomes tables. */
  flows: number;
}

/**
 * CPU seconds of whole processes, user and system: the median of `runs`, in turns, so that a busy machine slows all alike.
 * `warm` turns go before.
 */
export async function cpuInTurns(
  contenders: readonly Contender[],
  {
    runs,
    warm = 1,
    env = process.env,
    exitCodes = [0],
  }: { runs: number; warm?: number; env?: NodeJS.ProcessEnv; exitCodes?: number[] },
): Promise<number[]> {
  const samples = contenders.map((): number[] => []);
  for (let i = 0; i < warm + runs; i++) {
    for (const [at, contender] of contenders.entries()) {
      const seconds = await cpuSeconds(contender, env, exitCodes);
      if (i >= warm) samples[at]?.push(seconds);
    }
  }
  return samples.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0);
}

/** The shell's `time` reads to the millisecond what the kernel counted for a child that has ended. */
async function cpuSeconds(
  { name, command, args }: Contender,
  env: NodeJS.ProcessEnv,
  exitCodes: readonly number[],
): Promise<number> {
  const timed = 'exec 3>&2; TIMEFORMAT="%3U %3S"; { time "$@" >/dev/null 2>/dev/null; } 2>&3';
  const shell = spawn('bash', ['-c', timed, 'bash', command, ...args], {
    env: { ...env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  shell.stderr.on('data', (part: Buffer) => {
    said += part;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    shell.on('error', reject);
    shell.on('close', resolve);
  });
  if (code === null || !exitCodes.includes(code)) throw new Error(`${name} ended with ${code}: ${said}`);
  const [user = Number.NaN, system = Number.NaN] = said.trim().split(' ').map(Number);
  if (Number.isNaN(user + system)) throw new Error(`bash did not say what ${name} took: ${said}`);
  return user + system;
}

/** Ours as a share of another's CPU. */
export function shareOf(
  work: string,
  goal: number,
  [ours, other]: readonly [number, number],
  against: string,
  explained: string,
): Budget {
  const figures = `${ours.toFixed(3)} s ÷ ${other.toFixed(3)} s ${against}`;
  return { work, value: ours / other, unit: 'share', goal, figures, explained };
}

export function notMeasured(work: string, goal: number, why: string, unit: Budget['unit'] = 'share'): Budget {
  return { work, unit, goal, figures: `not measured: ${why}`, explained: '' };
}

export const NO_REFERENCE = 'no reference: put hubble on PATH or name it in HUBBLE_REF';

/** The reference's `hubble`, which says what Go compiled it with. Ours may be on PATH as well. */
export function referenceHubble(): string | undefined {
  const named = process.env.HUBBLE_REF;
  if (named) return named;
  const found = spawnSync('sh', ['-c', 'command -v hubble'], { encoding: 'utf8' }).stdout.trim();
  if (!found || realpathSync(found).startsWith(realpathSync(root))) return undefined;
  const version = spawnSync(found, ['version'], { encoding: 'utf8' }).stdout ?? '';
  return version.includes('compiled with go') ? found : undefined;
}

export function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

function shown(value: number, unit: Budget['unit']): string {
  switch (unit) {
    case 'MB':
    case 'kB':
      return `${value.toFixed(0)} ${unit}`;
    case 's':
      return `${value.toFixed(2)} s`;
    case 'share':
      return value.toFixed(2);
  }
}

/** The table of budgets. */
export function budgetTable(rows: readonly Budget[]): string {
  return table(
    ['work', 'now', 'goal', 'met', 'CPU, the median of whole processes in turns'],
    rows.map(({ work, value, unit, goal, figures, explained }) => [
      work,
      value === undefined ? '-' : shown(value, unit),
      `≤ ${shown(goal, unit)}`,
      value === undefined ? '-' : value <= goal ? 'yes' : `no: docs/performance.md, ${explained}`,
      figures,
    ]),
  );
}
