import type { Output } from '../context.ts';
import type { ProgressLine } from './progress.ts';

/** How long an API server may take to be there again, in times of what one agent may take. */
export const RESTART_TIMES = 6;

/** An API server that goes away while many agents are asked: it is waited for, and told, once for all of them. */
export class Outage {
  #waiting: Promise<boolean> | undefined;
  #isGone = false;

  /** `answers` resolves when the API server answers, and rejects when it does not. */
  constructor(
    private readonly answers: () => Promise<void>,
    private readonly err: Output,
    private readonly progress: ProgressLine,
  ) {}

  /** Resolves with whether the API server answers again. `why` says what broke. */
  wait(why: string): Promise<boolean> {
    if (this.#isGone) return Promise.resolve(false);
    this.#waiting ??= this.#wait(why).finally(() => {
      this.#waiting = undefined;
    });
    return this.#waiting;
  }

  async #wait(why: string): Promise<boolean> {
    await this.progress.clear();
    await this.err.write(`${why}\nWhat was not answered yet is asked again when the API server answers.\n`);
    this.#isGone = await this.answers().then(
      () => false,
      () => true,
    );
    await this.err.write(this.#isGone ? 'The API server does not answer.\n' : 'The API server answers.\n');
    return !this.#isGone;
  }
}
