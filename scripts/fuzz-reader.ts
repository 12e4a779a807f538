// Gives inputs to one reader, in a process that holds nothing else: fuzz.ts starts it, as JSON in its argument says.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { faultsOf, isOfTime, LIMITS } from '../test/fuzz/judge.ts';
import { randomOf } from '../test/fuzz/random.ts';
import type { Input, Target } from '../test/fuzz/target.ts';
import { drawTarget, TARGETS } from '../test/fuzz/targets.ts';

/** What a process is to do. */
export interface Task {
  reader: string;
  /** All readers that the numbers are shared among. */
  readers: string[];
  seed: number;
  /** Numbers of the inputs: those that are another reader's are left out. */
  from: number;
  to: number;
  /** So long it may go on. */
  ms: number;
  /** The inputs of fixtures/fuzz come first. */
  corpus: boolean;
  keep: boolean;
  /** Print all of each input. */
  show: boolean;
  /** Nothing else runs: what is slow is so by itself. */
  isAlone: boolean;
}

/** How a reader fared. */
export interface Count {
  inputs: number;
  faults: number;
  /** Runs that ended without an error: what they printed was judged as well. */
  fine: number;
  /** Of the CPU. */
  slowestMs: number;
  longestMs: number;
  /** The most memory that one input took beyond what was in use, and the most of the whole process from its start on. */
  inputBytes: number;
  processBytes: number;
}

/** What a process tells the one that started it: before each input its name, whether that was slow, at the end how it went. */
export type Word = { at: string } | { slow: string } | { skipped: string } | { count: Count };

const CORPUS = fileURLToPath(new URL('../../fixtures/fuzz', import.meta.url));

/**
 * The most memory since an input came. Linux counts it anew when it is told to; elsewhere it is the most of the whole run,
 * of which an input shows only what no earlier one took.
 */
class Peak {
  highest = 0;

  /** Returns what is in use now. */
  begin(): number {
    this.bytes();
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

const task = JSON.parse(process.argv[2] ?? '') as Task;
const started = performance.now();
const peak = new Peak();
const count: Count = {
  inputs: 0,
  faults: 0,
  fine: 0,
  slowestMs: 0,
  longestMs: 0,
  inputBytes: 0,
  processBytes: 0,
};
const seen = new Map<string, number>();
const unhandled: string[] = [];
process.on('unhandledRejection', (error) => void unhandled.push(`not handled: ${String(error)}`));
process.on('uncaughtException', (error) => void unhandled.push(`not caught: ${String(error)}`));

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const tell = (word: Word) => new Promise<void>((resolve) => process.send?.(word, () => resolve()));

async function give(target: Target, input: Input, name: string): Promise<void> {
  void tell({ at: name });
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
  if (peak.highest > LIMITS.bytes && count.processBytes <= LIMITS.bytes)
    faults.push(`the process took ${Math.round(peak.highest / 1024 / 1024)} MB`);
  count.inputs++;
  if (result.code === 0) count.fine++;
  count.slowestMs = Math.max(count.slowestMs, cost.cpuMs);
  count.longestMs = Math.max(count.longestMs, cost.wallMs);
  count.inputBytes = Math.max(count.inputBytes, cost.bytes);
  count.processBytes = peak.highest;
  if (task.show) console.log(JSON.stringify({ input, result, cost, faults }, undefined, 1));
  if (faults.length === 0) return;
  if (!task.isAlone && faults.some(isOfTime)) return await tell({ slow: name });
  count.faults++;
  for (const fault of faults) {
    const words = input.argv.filter((word) => !word.includes('/')).slice(0, 4);
    const key = `${task.reader}: ${words.join(' ')}: ${fault.replaceAll(/[\d.]+/g, 'N')}`;
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    if (times <= 2)
      console.log(`FAULT ${name} ${key}\n  ${result.stderr.slice(0, 300).replaceAll('\n', '\n  ')}`);
  }
  if (task.keep && name.startsWith('input'))
    writeFileSync(
      join(CORPUS, `${task.reader}-${task.seed}-${name.split(' ')[1]}.json`),
      `${JSON.stringify({ target: task.reader, found: faults.join('; '), ...input }, undefined, 1)}\n`,
    );
}

async function giveAll(target: Target): Promise<void> {
  for (const file of task.corpus ? readdirSync(CORPUS).filter((name) => name.endsWith('.json')) : []) {
    const kept = JSON.parse(readFileSync(join(CORPUS, file), 'utf8')) as Input & { target: string };
    if (kept.target === task.reader) await give(target, kept, file);
  }
  for (let number = task.from; number < task.to && performance.now() - started < task.ms; number++) {
    const random = randomOf(task.seed, number);
    if (drawTarget(task.readers, random) === task.reader)
      await give(target, target.make(random), `input ${number}`);
  }
}

await using stack = new AsyncDisposableStack();
const target = await TARGETS[task.reader]?.open(folder, stack);
if (typeof target === 'string') await tell({ skipped: target });
else if (target) {
  await giveAll(target);
  await stack.disposeAsync();
  await tell({ count });
}
process.exit(0);
