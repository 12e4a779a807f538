// Gives inputs that nobody would send to everything that reads: see HELP.
import { fork, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LIMITS } from '../test/fuzz/judge.ts';
import { randomOf } from '../test/fuzz/random.ts';
import { drawTarget, TARGETS } from '../test/fuzz/targets.ts';
import type { Count, Task, Word } from './fuzz-reader.ts';

const HELP = `Gives hostile inputs to every reader of the program as it is built, and judges what it does.

Usage: npm run fuzz -- [options] [reader...]

  --seconds <n>        Stop after this time (default 60 unless --inputs is given)
  --inputs <n>         Stop after this many inputs
  --seed <n>           Inputs follow from the seed and their number alone (default 1)
  --only <n>           Run input number n of the seed, and print all of it
  --jobs <n>           Readers at the same time (default 2)
  --keep               Write inputs with faults to fixtures/fuzz, for the test that replays those
  --outputFile <file>  Write counts in the form of jest's JSON

Readers: ${Object.keys(TARGETS).join(', ')}
Each reader is a process of its own, begun as the program is. Every input of fixtures/fuzz is given first. An input may take 5 s
of the CPU and 30 s in all, and a process 300 MB from its start to its end; no internal error, no control character may
come out. What takes longer is run once more when nothing else runs: a busy machine is no fault.
`;

/** How long an input may hang before its process is ended. */
const PATIENCE_MS = 2 * LIMITS.wallMs;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUNDLE = join(ROOT, `build/fuzz-${process.pid}`);
/** A process gets its share of so many numbers: what it has compiled and what its allocator keeps only grow. */
const SLICE = 2_500;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    inputs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    keep: { type: 'boolean' },
    outputFile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
const unknown = positionals.find((name) => !Object.hasOwn(TARGETS, name));
if (options.help || unknown !== undefined) {
  console.log(unknown === undefined ? HELP : `no reader is called ${unknown}\n\n${HELP}`);
  process.exit(unknown === undefined ? 0 : 2);
}

const seed = Number(options.seed);
const inputs = Number(options.inputs ?? Number.POSITIVE_INFINITY);
const seconds = Number(options.seconds ?? (options.inputs ? Number.POSITIVE_INFINITY : 60));
const jobs = Math.max(1, Number(options.jobs));
const readers = Object.keys(TARGETS).filter((name) => positionals.length === 0 || positionals.includes(name));
/** The program's own flags for V8: what it may keep for new objects is a part of what a process takes. */
const flags = readFileSync(join(ROOT, 'bin/cilium'), 'utf8').match(/--\S+-semi-space-size=\d+/g) ?? [];
const started = performance.now();
const msLeft = () => seconds * 1000 - (performance.now() - started);

process.on('exit', () => rmSync(BUNDLE, { recursive: true, force: true }));
const built = spawnSync(process.execPath, [
  join(ROOT, 'scripts/build.mjs'),
  BUNDLE,
  'scripts/fuzz-reader.ts',
]);
if (built.status !== 0) {
  console.error(built.stderr.toString());
  process.exit(1);
}

const counts = new Map<string, Count>();
const skipped = new Map<string, string>();
/** What was slow, and is run once more when nothing else runs. */
const again: Task[] = [];
/** Processes that did not come to their end. */
let ended = 0;

/** Runs a task in a process of its own. One that does not come back is ended: nothing else can. */
async function runTask(task: Task): Promise<void> {
  const child = fork(join(BUNDLE, 'fuzz-reader.js'), [JSON.stringify(task)], { execArgv: flags });
  let at = 'its start';
  let count: Count | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isLate = false;
  const late = () => {
    isLate = true;
    child.kill('SIGKILL');
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(late, PATIENCE_MS);
  };
  wait();
  child.on('message', (word: Word) => {
    wait();
    if ('at' in word) at = word.at;
    else if ('slow' in word) again.push(aloneOf(task, word.slow));
    else if ('count' in word) count = word.count;
    else skipped.set(task.reader, word.skipped);
  });
  const how = await new Promise((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`)),
  );
  clearTimeout(timer);
  if (count) counts.set(task.reader, sum(counts.get(task.reader), count));
  else if (isLate && !task.isAlone) again.push({ ...task, isAlone: true });
  else if (!skipped.has(task.reader)) {
    ended++;
    console.log(`FAULT ${at} of seed ${seed}: the process of ${task.reader} ended with ${how}`);
  }
}

/** The task of one input, or of those of fixtures/fuzz, when nothing else runs. */
function aloneOf(task: Task, name: string): Task {
  const number = /^input (\d+)$/.exec(name)?.[1];
  const from = Number(number ?? task.from);
  const to = number === undefined ? from : from + 1;
  return { ...task, from, to, corpus: number === undefined, ms: Number.MAX_SAFE_INTEGER, isAlone: true };
}

function sum(one: Count | undefined, other: Count): Count {
  if (!one) return other;
  return {
    inputs: one.inputs + other.inputs,
    faults: one.faults + other.faults,
    fine: one.fine + other.fine,
    slowestMs: Math.max(one.slowestMs, other.slowestMs),
    longestMs: Math.max(one.longestMs, other.longestMs),
    inputBytes: Math.max(one.inputBytes, other.inputBytes),
    processBytes: Math.max(one.processBytes, other.processBytes),
  };
}

const common = { readers, seed, keep: options.keep ?? false };
if (options.only !== undefined) {
  const number = Number(options.only);
  const reader = drawTarget(readers, randomOf(seed, number));
  const only = {
    from: number,
    to: number + 1,
    ms: Number.MAX_SAFE_INTEGER,
    corpus: false,
    show: true,
    isAlone: true,
  };
  await runTask({ ...common, ...only, reader });
} else {
  const slices = Math.ceil(inputs / SLICE);
  let begun = 0;
  const work = async () => {
    for (;;) {
      const slice = Math.floor(begun / readers.length);
      const reader = readers[begun % readers.length] ?? '';
      if (slice >= slices || msLeft() <= 0) return;
      // What has not begun shares the time that is left; without an end of its own it is the rest of this slice.
      const toCome = (Number.isFinite(slices) ? slices : slice + 1) * readers.length - begun;
      const ms = Math.min((msLeft() * jobs) / Math.max(toCome, jobs), Number.MAX_SAFE_INTEGER);
      begun++;
      if (skipped.has(reader)) continue;
      const from = slice * SLICE;
      const to = Math.min(inputs, from + SLICE);
      await runTask({ ...common, reader, from, to, ms, corpus: slice === 0, show: false, isAlone: false });
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  for (const task of again) {
    console.log(`slow: ${task.reader} from input ${task.from} on, once more by itself`);
    await runTask(task);
  }
}
report();

/** Prints what became of all inputs. */
function report(): void {
  const rows = [['reader', 'inputs', 'exit 0', 'faults', 'most CPU', 'longest', 'MB of one', 'MB of all']];
  for (const name of readers) {
    const count = counts.get(name);
    if (!count) continue;
    const { inputs, fine, faults, slowestMs, longestMs, inputBytes, processBytes } = count;
    const times = [slowestMs, longestMs].map((ms) => `${ms.toFixed(0)} ms`);
    const sizes = [inputBytes, processBytes].map((bytes) => (bytes / 1024 / 1024).toFixed(0));
    rows.push([name, ...[inputs, fine, faults].map(String), ...times, ...sizes]);
  }
  console.log();
  for (const [name = '', ...cells] of rows)
    console.log(name.padEnd(12) + cells.map((cell) => cell.padStart(10)).join(''));
  for (const [name, reason] of skipped) console.log(`${name}: skipped (${reason})`);
  const all = [...counts.values()];
  const given = all.reduce((sum, { inputs }) => sum + inputs, 0);
  const faulty = all.reduce((sum, { faults }) => sum + faults, ended);
  const largest = Math.max(0, ...all.map(({ processBytes }) => processBytes));
  const took = (performance.now() - started) / 1000;
  console.log(
    `${given} inputs of seed ${seed} in ${took.toFixed(0)} s, ${faulty} with faults; no process took more than ${Math.ceil(largest / 1024 / 1024)} MB`,
  );
  if (options.outputFile)
    writeFileSync(
      options.outputFile,
      JSON.stringify({
        numPassedTests: given - faulty,
        numFailedTests: faulty,
        numPendingTests: skipped.size,
        numTodoTests: 0,
        numRuntimeErrorTestSuites: given === 0 ? 1 : 0,
      }),
    );
  process.exitCode = faulty > 0 || given === 0 ? 1 : 0;
}
