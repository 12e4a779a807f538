import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Wall time and memory of a command. */
export interface Measured {
  medianMs: number;
  /** Peak resident set of the process itself. */
  peakMb: number;
  exitCode: number;
}

/** A command of a comparison. */
export interface Contender {
  name: string;
  command: string;
  args: readonly string[];
}

/** Runs commands in turns, so that a busy machine slows all of them alike, and takes the median of each. */
export async function measureInTurns(
  contenders: readonly Contender[],
  options: { env: NodeJS.ProcessEnv; runs: number },
): Promise<(Contender & Measured)[]> {
  const samples = contenders.map((): Measured[] => []);
  for (let i = 0; i < options.runs; i++) {
    for (const [at, { command, args }] of contenders.entries())
      samples[at]?.push(await measureRun(command, args, { env: options.env, runs: 1, warm: i > 0 }));
  }
  return contenders.map((contender, at) => {
    const times = (samples[at] ?? []).map(({ medianMs }) => medianMs).sort((a, b) => a - b);
    return {
      ...contender,
      medianMs: times[Math.floor(times.length / 2)] ?? 0,
      peakMb: Math.max(...(samples[at] ?? []).map(({ peakMb }) => peakMb)),
      exitCode: samples[at]?.at(-1)?.exitCode ?? 1,
    };
  });
}

/** Runs a command several times, its output thrown away, and takes the median. */
export async function measureRun(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; runs?: number; cwd?: string; warm?: boolean } = {},
): Promise<Measured> {
  const times: number[] = [];
  let peakKb = 0;
  let exitCode = 0;
  // The first run warms the caches.
  for (let i = options.warm ? 1 : 0; i < (options.runs ?? 3) + 1; i++) {
    const start = performance.now();
    const child = spawn(command, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: 'ignore',
    });
    const poll = setInterval(() => {
      peakKb = Math.max(peakKb, peakOf(child.pid));
    }, 5);
    exitCode = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? 1));
    });
    clearInterval(poll);
    if (i > 0) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { medianMs: times[Math.floor(times.length / 2)] ?? 0, peakMb: peakKb / 1024, exitCode };
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** A plain table, columns padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
