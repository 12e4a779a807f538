import type { Action } from '../../cluster/connectivity/plan.ts';
import type { ActionResult, TestResult } from '../../cluster/connectivity/results.ts';
import type { Context } from '../../context.ts';
import { type Runner, wordsOfError } from './runner.ts';

/** One test while it runs. */
export class TestRun {
  readonly #actions: ActionResult[] = [];
  readonly #left: { name: string; reason: string }[] = [];
  readonly #begin = performance.now();

  constructor(
    readonly name: string,
    private readonly runner: Runner,
    private readonly ctx: Context,
    /** Told of each action when it has ended. */
    private readonly onAction: (result: ActionResult) => Promise<void>,
  ) {}

  async add(results: readonly ActionResult[]): Promise<void> {
    for (const result of results) {
      this.#actions.push(result);
      await this.onAction(result);
    }
  }

  leave(name: string, reason: string): void {
    this.#left.push({ name, reason });
  }

  /** Runs actions one after the other. */
  async act(actions: readonly Action[], policies: readonly string[] = [], scenario?: string): Promise<void> {
    const prefix = scenario === undefined ? this.name : `${this.name}/${scenario}`;
    for (const action of actions) {
      const result = await this.runner.act(prefix, action, policies);
      if ('notTried' in result) this.leave(action.name, result.notTried);
      else await this.add([result]);
    }
  }

  /** Works under policies; one that cannot be applied or is not realized is a failure of the test. */
  async withPolicies(names: readonly string[], work: () => Promise<void>): Promise<void> {
    if (names.length === 0) return work();
    const unsupported = await this.runner.unsupported(names);
    if (unsupported !== undefined) return this.leave(this.name, unsupported);
    const begin = performance.now();
    let isAtWork = false;
    try {
      const warnings = await this.runner.withPolicies(names, async () => {
        isAtWork = true;
        await work();
        isAtWork = false;
      });
      const last = this.#actions.at(-1);
      if (last && warnings.length > 0) this.#actions[this.#actions.length - 1] = { ...last, warnings };
    } catch (error) {
      this.ctx.signal.throwIfAborted();
      // What broke within the work is an error of the run.
      if (isAtWork) throw error;
      const words = wordsOfError(error);
      await this.add([
        {
          name: `${this.name}/policies`,
          path: '',
          expected: 'Allow',
          ok: false,
          failure: `${names.join(', ')}: ${words}`,
          warnings: [],
          suspect: {
            area: 'policy',
            sentence: `Policy: ${names.join(', ')} did not come to all endpoints of the test's nodes.`,
            because: [words],
          },
          ms: Math.round(performance.now() - begin),
        },
      ]);
    }
  }

  /** How it went. */
  get result(): TestResult {
    const actions = this.#actions;
    const left = this.#left;
    const ms = Math.round(performance.now() - this.#begin);
    if (actions.some(({ ok }) => !ok)) return { name: this.name, status: 'failed', actions, left, ms };
    if (actions.length > 0) return { name: this.name, status: 'passed', actions, left, ms };
    const reason =
      left.map(({ name, reason: why }) => `${name}: ${why}`).join('; ') || 'there was nothing to do';
    return { name: this.name, status: 'not-run', reason, actions, left, ms };
  }
}
