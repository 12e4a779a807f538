import type { TaskFile, TaskOutcome } from '../../archive/layout.ts';
import type { Group } from '../../cluster/sysdump/options.ts';
import { KubeRefusal, wordsOf } from '../../kube/client.ts';
import { ExecNotStarted } from '../../kube/exec.ts';
import { Deadline } from '../../lib/deadline.ts';
import { Broken } from './dump.ts';

/** The cluster does not have it. */
export class Absent extends Error {
  override name = 'Absent';
}

/** A flag says not to. */
export class Skipped extends Error {
  override name = 'Skipped';
}

/** One thing to collect. Those that it adds are collected when there is a place. */
export interface Job {
  task: string;
  /** What stands before the time in the name of its file. */
  stem?: string | undefined;
  group: Group;
  node?: string | undefined;
  pod?: string | undefined;
  /** What it may take, in milliseconds; absent means that what it asks has limits of its own. */
  limitMs?: number | undefined;
  run(work: Work): Promise<void>;
}

/** What a job has to do with while it runs. */
export interface Work {
  /** Aborted when its time is over, or all is. */
  signal: AbortSignal;
  files: TaskFile[];
  /** Something worth knowing of a job that succeeds. */
  note(text: string): void;
  add(job: Job): void;
}

/**
 * Of some groups fewer run at once: an agent's job has hundreds of connections one after the other, and of those that
 * bring much each has buffers of its own, while one alone keeps the redaction busy.
 */
const AT_ONCE: Partial<Record<Group, number>> = { agents: 5, bugtool: 3, flows: 5, logs: 8 };
/** So often a node may let its time pass before it is asked no more. */
const MAX_TIMEOUTS = 2;

/** Runs jobs, so many at once, and keeps how each went. */
export class Jobs {
  readonly outcomes: TaskOutcome[] = [];
  readonly #waiting: Job[] = [];
  readonly #late = new Map<string, number>();
  readonly #runningOf = new Map<Group, number>();
  #running = 0;
  #added = 0;
  #idle: (() => void) | undefined;

  constructor(
    private readonly limit: number,
    private readonly stop: AbortSignal,
    private readonly nowMs: () => number,
    private readonly onChange: (done: number, all: number) => void,
    /** Replaces secrets in a reason. */
    private readonly clean: (text: string) => string,
  ) {}

  add(job: Job): void {
    this.#added++;
    this.#waiting.push(job);
    this.#next();
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    if (this.#running === 0 && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #next(): void {
    while (this.#running < this.limit) {
      const at = this.#waiting.findIndex(({ group, node }) => {
        // What only finds pods is quick.
        const limit = node === undefined ? undefined : AT_ONCE[group];
        return limit === undefined || (this.#runningOf.get(group) ?? 0) < limit;
      });
      const [job] = at < 0 ? [] : this.#waiting.splice(at, 1);
      if (!job) break;
      this.#running++;
      const of = job.group;
      this.#runningOf.set(of, (this.#runningOf.get(of) ?? 0) + 1);
      void this.#run(job).then((outcome) => {
        this.outcomes.push(outcome);
        this.#running--;
        this.#runningOf.set(of, (this.#runningOf.get(of) ?? 1) - 1);
        this.onChange(this.outcomes.length, this.#added);
        this.#next();
        if (this.#running === 0 && this.#waiting.length === 0) this.#idle?.();
      });
    }
  }

  async #run(job: Job): Promise<TaskOutcome> {
    const { task, stem, group, node, pod, limitMs } = job;
    const startedMs = this.nowMs();
    const files: TaskFile[] = [];
    const notes: string[] = [];
    const ended = (status: TaskOutcome['status'], reason?: string): TaskOutcome => ({
      task,
      ...(stem !== undefined && { stem }),
      group,
      ...(node !== undefined && { node }),
      ...(pod !== undefined && { pod }),
      status,
      ...(reason !== undefined && { reason: this.clean(reason) }),
      seconds: Math.round(this.nowMs() - startedMs) / 1000,
      files,
    });
    if (this.stop.aborted) return ended('skipped', 'it was interrupted before');
    if (node !== undefined && (this.#late.get(node) ?? 0) >= MAX_TIMEOUTS)
      return ended('failed', 'not asked: the node had let the time pass before');
    using deadline = new Deadline(limitMs, this.stop);
    const { signal } = deadline;
    try {
      await job.run({ signal, files, note: (text) => notes.push(text), add: (next) => this.add(next) });
      return ended('ok', notes.length > 0 ? notes.join('; ') : undefined);
    } catch (thrown) {
      const error = thrown instanceof Broken ? thrown.cause : thrown;
      if (thrown instanceof Broken && thrown.file.bytes > 0) files.push(thrown.file);
      if (this.stop.aborted) return ended('failed', 'it was interrupted');
      if (deadline.isOver) {
        if (node !== undefined) this.#late.set(node, (this.#late.get(node) ?? 0) + 1);
        return ended('failed', `no end within ${(limitMs ?? 0) / 1000} s`);
      }
      if (error instanceof Skipped) return ended('skipped', error.message);
      return isAbsent(error) ? ended('absent', wordsOf(error)) : ended('failed', wordsOf(error));
    }
  }
}

/** Whether an error says that there is no such thing: the kind, the object or the program. */
function isAbsent(error: unknown): boolean {
  if (error instanceof Absent || error instanceof ExecNotStarted) return true;
  return error instanceof KubeRefusal && error.code === 404;
}
