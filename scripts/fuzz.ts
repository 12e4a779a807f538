// Gives inputs that nobody would send to everything that reads: see HELP.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { faultsOf, LIMITS } from '../test/fuzz/judge.ts';
import { randomOf } from '../test/fuzz/random.ts';
import type { Input, Target } from '../test/fuzz/target.ts';
import { TARGETS } from '../test/fuzz/targets.ts';

const HELP = `Gives hostile inputs to every reader, and judges what it does.

Usage: npm run fuzz -- [options] [target...]

  --seconds <n>        Stop after this time (default 60 unless --inputs is given)
  --inputs <n>         Stop after this many inputs
  --seed <n>           Inputs follow from the seed and their number alone (default 1)
  --only <n>           Run input number n of the seed, and print all of it
  --keep               Write inputs with faults to fixtures/fuzz, for the test that replays those
  --outputFile <file>  Write counts in the form of jest's JSON

Targets: ${Object.keys(TARGETS).join(', ')}
Every input of fixtures/fuzz is given first. An input may take 5 s of the CPU, 30 s in all and 300 MB; no internal error, no
control character may come out.
`;

/** How long an input may hang before the process is ended. */
const PATIENCE_MS = 2 * LIMITS.wallMs;
const CORPUS = fileURLToPath(new URL('../fixtures/fuzz', import.meta.url));

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    inputs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    // For the processes that this one starts: the number of the first input.
    from: { type: 'string' },
    keep: { type: 'boolean' },
    outputFile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const seed = Number(options.seed);
const inputs = Number(options.inputs ?? Number.POSITIVE_INFINITY);
const seconds = Number(options.seconds ?? (options.inputs ? Number.POSITIVE_INFINITY : 60));

/** So many inputs go through one process: what it has compiled and what its allocator keeps only grow. */
const SLICE = 2500;
const started = performance.now();
if (options.from === undefined && options.only === undefined) process.exit(await runSlices());

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
await using stack = new AsyncDisposableStack();
stack.defer(() => rmSync(folder, { recursive: true, force: true }));

const targets: Target[] = [];
for (const [name, open] of Object.entries(TARGETS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const target = await open(folder, stack);
  if (typeof target === 'string') console.log(`${name}: skipped (${target})`);
  else targets.push(target);
}

const unhandled: string[] = [];
process.on('unhandledRejection', (error) => void unhandled.push(`not handled: ${String(error)}`));
process.on('uncaughtException', (error) => void unhandled.push(`not caught: ${String(error)}`));

let finished = false;
// An input whose run never comes back, with nothing left to wait for, would end this as if all were well.
process.on('exit', () => {
  if (finished) return;
  console.log(`input ${Atomics.load(progress, 0)} of seed ${seed} never came back`);
  process.exitCode = 1;
});

/** Ends the process when an input keeps it busy: nothing else can. */
const progress = new BigInt64Array(new SharedArrayBuffer(16));
const watchdog = new Worker(
  `const { workerData: { progress, seed, patience } } = require('node:worker_threads');
   let [last, since] = [-1n, Date.now()];
   setInterval(() => {
     const now = Atomics.load(progress, 0);
     if (now !== last) [last, since] = [now, Date.now()];
     else if (Date.now() - since > patience) {
       require('node:fs').writeSync(2, 'input ' + now + ' of seed ' + seed + ' hangs: --only ' + now + '\\n');
       process.kill(process.pid, 'SIGKILL');
     }
   }, 1000);`,
  { eval: true, workerData: { progress, seed, patience: PATIENCE_MS } },
);
stack.defer(() => void watchdog.terminate());

/**
 * The most memory since an input came. Linux counts it anew when it is told to; elsewhere it is the most of the whole run,
 * of which an input shows only what no earlier one took.
 */
class Peak {
  highest = 0;

  /** Returns what is in use now. */
  begin(): number {
    try {
      writeFileSync('/proc/self/clear_refs', '5');
      return process.memoryUsage.rss();
    } catch {
      return this.bytes();
    }
  }

  bytes(): number {
    let bytes = process.resourceUsage().maxRSS * 1024;
    try {
      const [, kib] = /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
      if (kib !== undefined) bytes = Number(kib) * 1024;
    } catch {}
    this.highest = Math.max(this.highest, bytes);
    return bytes;
  }
}
const peak = new Peak();

/** How a target fared. */
interface Count {
  inputs: number;
  faults: number;
  /** Runs that ended without an error: what they printed was judged as well. */
  fine: number;
  /** Of the CPU. */
  slowestMs: number;
  longestMs: number;
  largestBytes: number;
}
const counts = new Map<string, Count>();
const seen = new Map<string, number>();

async function give(target: Target, input: Input, name: string, show = false): Promise<string[]> {
  const count = counts.get(target.name) ?? {
    inputs: 0,
    faults: 0,
    fine: 0,
    slowestMs: 0,
    longestMs: 0,
    largestBytes: 0,
  };
  counts.set(target.name, count);
  const stop = new AbortController();
  const before = peak.begin();
  const start = performance.now();
  const cpu = process.cpuUsage();
  const timer = setTimeout(() => stop.abort(new DOMException('too long', 'AbortError')), LIMITS.wallMs);
  const result = await target.run(input, stop.signal).catch((error: unknown) => ({
    stdout: '',
    stderr: `a fault in the toolkit itself: ${String(error)}`,
    code: 1,
  }));
  clearTimeout(timer);
  const { user, system } = process.cpuUsage(cpu);
  const cost = {
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - start,
    bytes: Math.max(0, peak.bytes() - before),
  };
  const faults = [...faultsOf(input, result, cost), ...unhandled.splice(0)];
  count.inputs++;
  if (result.code === 0) count.fine++;
  count.slowestMs = Math.max(count.slowestMs, cost.cpuMs);
  count.longestMs = Math.max(count.longestMs, cost.wallMs);
  count.largestBytes = Math.max(count.largestBytes, cost.bytes);
  if (show) console.log(JSON.stringify({ input, result, cost, faults }, undefined, 1));
  if (faults.length === 0) return faults;
  count.faults++;
  for (const fault of faults) {
    const key = `${target.name}: ${input.argv
      .filter((word) => !word.includes('/'))
      .slice(0, 4)
      .join(' ')}: ${fault.replaceAll(/[\d.]+/g, 'N')}`;
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    if (times <= 2)
      console.log(`FAULT ${name} ${key}\n  ${result.stderr.slice(0, 300).replaceAll('\n', '\n  ')}`);
  }
  if (options.keep && name.startsWith('input'))
    writeFileSync(
      join(CORPUS, `${target.name}-${seed}-${name.split(' ')[1]}.json`),
      `${JSON.stringify({ target: target.name, found: faults.join('; '), ...input }, undefined, 1)}\n`,
    );
  return faults;
}

function nextTarget(random: ReturnType<typeof randomOf>): Target {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.next() * total;
  for (const target of targets) {
    at -= target.weight;
    if (at < 0) return target;
  }
  throw new RangeError('no target');
}

if (options.only !== undefined) {
  const random = randomOf(seed, Number(options.only));
  const target = nextTarget(random);
  await give(target, target.make(random), `input ${options.only}`, true);
} else {
  const first = Number(options.from);
  for (const file of readdirSync(CORPUS).filter((name) => name.endsWith('.json') && first === 0)) {
    const kept = JSON.parse(readFileSync(join(CORPUS, file), 'utf8')) as Input & { target: string };
    const target = targets.find(({ name }) => name === kept.target);
    if (target) await give(target, kept, file);
  }
  for (let number = first; number < inputs && performance.now() - started < seconds * 1000; number++) {
    Atomics.store(progress, 0, BigInt(number));
    const random = randomOf(seed, number);
    const target = nextTarget(random);
    await give(target, target.make(random), `input ${number}`);
  }
}

await stack.disposeAsync();
finished = true;
if (process.send) {
  process.send({ counts: [...counts], highest: peak.highest } satisfies Slice, () => process.exit(0));
} else process.exit(report(counts, peak.highest));

/** Prints what became of all inputs, and returns the exit code. */
function report(counts: ReadonlyMap<string, Count>, highest: number): number {
  let [all, faulty] = [0, 0];
  console.log(
    `\n${'target'.padEnd(12)}${'inputs'.padStart(8)}${'exit 0'.padStart(8)}${'faults'.padStart(8)}${'most CPU'.padStart(10)}${'longest'.padStart(10)}${'most MB'.padStart(9)}`,
  );
  for (const [name, { inputs, faults, fine, slowestMs, longestMs, largestBytes }] of counts) {
    all += inputs;
    faulty += faults;
    console.log(
      `${name.padEnd(12)}${String(inputs).padStart(8)}${String(fine).padStart(8)}${String(faults).padStart(8)}${`${slowestMs.toFixed(0)} ms`.padStart(10)}${`${longestMs.toFixed(0)} ms`.padStart(10)}${(largestBytes / 1024 / 1024).toFixed(0).padStart(9)}`,
    );
  }
  console.log(
    `${all} inputs of seed ${seed} in ${((performance.now() - started) / 1000).toFixed(0)} s, ${faulty} with faults; at most ${Math.round(highest / 1024 / 1024)} MB in all`,
  );
  if (options.outputFile)
    writeFileSync(
      options.outputFile,
      JSON.stringify({
        numPassedTests: all - faulty,
        numFailedTests: faulty,
        numPendingTests: 0,
        numTodoTests: 0,
        numRuntimeErrorTestSuites: 0,
      }),
    );
  return faulty > 0 ? 1 : 0;
}

/** What a process tells the one that started it. */
interface Slice {
  counts: [string, Count][];
  highest: number;
}

/** Runs the inputs in processes, one after the other. */
async function runSlices(): Promise<number> {
  const counts = new Map<string, Count>();
  let highest = 0;
  const left = () => seconds - (performance.now() - started) / 1000;
  for (let from = 0; from < inputs && left() > 0; from += SLICE) {
    const args = [...positionals, '--seed', options.seed, '--from', String(from)];
    args.push('--inputs', String(Math.min(inputs, from + SLICE)));
    if (Number.isFinite(seconds)) args.push('--seconds', String(left()));
    if (options.keep) args.push('--keep');
    const child = fork(fileURLToPath(import.meta.url), args);
    let slice: Slice | undefined;
    child.on('message', (message) => {
      slice = message as Slice;
    });
    const [code, signal] = await once(child, 'exit');
    if (!slice) {
      console.log(`the process of the inputs from ${from} on ended with ${code ?? signal}`);
      return 1;
    }
    highest = Math.max(highest, slice.highest);
    for (const [name, count] of slice.counts) counts.set(name, sum(counts.get(name), count));
  }
  return report(counts, highest);
}

function sum(one: Count | undefined, other: Count): Count {
  if (!one) return other;
  return {
    inputs: one.inputs + other.inputs,
    faults: one.faults + other.faults,
    fine: one.fine + other.fine,
    slowestMs: Math.max(one.slowestMs, other.slowestMs),
    longestMs: Math.max(one.longestMs, other.longestMs),
    largestBytes: Math.max(one.largestBytes, other.largestBytes),
  };
}
