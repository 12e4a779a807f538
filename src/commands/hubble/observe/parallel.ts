import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import type { LineProblem } from '../../../hubble/flow-lines.ts';
import type { FileQuery } from './chunk-printer.ts';

/** A smaller file is done before a thread has started. */
const LEAST_BYTES = 16 * 1024 * 1024;
const THREADS = 2;
const TASK_BYTES = 128 * 1024;

/** Lines for a thread. The buffer changes hands, and comes back with the answer. */
export interface ChunkTask {
  buffer: ArrayBuffer;
  length: number;
}

/** What became of them. */
export interface ChunkAnswer {
  buffer: ArrayBuffer;
  /** Text, or a stretch of the buffer that is to be printed as it stands. */
  parts: (Uint8Array<ArrayBuffer> | [start: number, end: number])[];
  /** So many lines there were. */
  lines: number;
  status: string;
  /** Their lines are counted from the start of the task. */
  problems: LineProblem[];
}

/** The thread's program: beside this file, or in the bundle one folder above. */
function program(): string {
  const source = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(source ? './worker.ts' : '../observe-worker.js', import.meta.url));
}

/** Whether a file is worth the threads, and there are cores for them. */
export function worthThreads(path: string): boolean {
  if (availableParallelism() < THREADS || !existsSync(program())) return false;
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size >= LEAST_BYTES;
}

/** Prints chunks on several threads and yields what they print in the order of the chunks. */
export async function* printParallel(
  query: FileQuery,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<ChunkAnswer> {
  const { Worker } = await import('node:worker_threads');
  const threads = Array.from(
    { length: THREADS },
    () =>
      new Thread(
        new Worker(program(), { workerData: query, resourceLimits: { maxYoungGenerationSizeMb: 4 } }),
      ),
  );
  try {
    const waiting: Promise<ChunkAnswer>[] = [];
    const free: ArrayBuffer[] = [];
    let turn = 0;
    for await (const { buffer, length } of gather(chunks, free)) {
      const thread = threads[turn++ % THREADS];
      if (thread) waiting.push(thread.run({ buffer, length }));
      // Each thread has one task at hand and one to go on with.
      if (waiting.length >= THREADS * 2) yield* one(waiting, free);
    }
    while (waiting.length > 0) yield* one(waiting, free);
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

async function* one(waiting: Promise<ChunkAnswer>[], free: ArrayBuffer[]): AsyncGenerator<ChunkAnswer> {
  const answer = await waiting.shift();
  if (answer === undefined) return;
  yield answer;
  free.push(answer.buffer);
}

/** Copies chunks together until they make a task. */
async function* gather(chunks: AsyncIterable<Buffer>, free: ArrayBuffer[]): AsyncGenerator<ChunkTask> {
  let buffer = new ArrayBuffer(TASK_BYTES);
  let length = 0;
  for await (const chunk of chunks) {
    if (length + chunk.length > buffer.byteLength) {
      if (length > 0) yield { buffer, length };
      else free.push(buffer);
      const reused = free.findIndex((spare) => spare.byteLength >= chunk.length);
      buffer =
        reused === -1
          ? new ArrayBuffer(Math.max(TASK_BYTES, chunk.length))
          : (free.splice(reused, 1)[0] ?? buffer);
      length = 0;
    }
    new Uint8Array(buffer).set(chunk, length);
    length += chunk.length;
  }
  if (length > 0) yield { buffer, length };
}

/** A worker that answers its tasks in their order. */
class Thread {
  readonly #asked: { resolve: (answer: ChunkAnswer) => void; reject: (error: unknown) => void }[] = [];

  constructor(private readonly worker: Worker) {
    worker.on('message', (answer: ChunkAnswer) => this.#asked.shift()?.resolve(answer));
    const fail = (error: unknown) => {
      for (const { reject } of this.#asked.splice(0)) reject(error);
    };
    worker.on('error', fail);
    worker.on('exit', (code) => fail(new Error(`a thread that prints flows ended with code ${code}`)));
  }

  run(task: ChunkTask): Promise<ChunkAnswer> {
    const answer = new Promise<ChunkAnswer>((resolve, reject) => this.#asked.push({ resolve, reject }));
    // A failure is met where the answer is awaited, which may be later.
    answer.catch(() => {});
    this.worker.postMessage(task, [task.buffer]);
    return answer;
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
