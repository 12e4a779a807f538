import type { Context } from '../../../context.ts';
import { SilentExit } from '../../../errors.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { CLEAR_LINE } from '../../../render/text/screen.ts';

/** What to do about lost events, by where they were lost. */
const ADVICE: Readonly<Record<string, string>> = {
  PERF_EVENT_RING_BUFFER: "the agent reads too slowly: raise monitor-aggregation or the agent's CPU limit",
  OBSERVER_EVENTS_QUEUE: 'Hubble falls behind: raise hubble-event-queue-size',
  HUBBLE_RING_BUFFER: 'this reader falls behind: narrow the filter or raise hubble-event-buffer-capacity',
};

/** Counts lost events beside the flows that came. */
export class LossCounter {
  #lost = 0n;
  #seen = 0n;
  readonly #bySource = new Map<string, bigint>();

  /** Counts a message. */
  add({ flow, lost_events: lost }: GetFlowsResponse): void {
    if (flow) this.#seen++;
    if (!lost) return;
    const { source = 'UNKNOWN_LOST_EVENT_SOURCE', num_events_lost: count = '0' } = lost;
    this.#lost += BigInt(count);
    this.#bySource.set(String(source), (this.#bySource.get(String(source)) ?? 0n) + BigInt(count));
  }

  /** No flow came. */
  get isEmpty(): boolean {
    return this.#seen === 0n;
  }

  /** Share of all events, in percent. */
  get percent(): number {
    const all = this.#lost + this.#seen;
    return all === 0n ? 0 : Number((this.#lost * 1_000_000n) / all) / 10_000;
  }

  /** One line; empty while nothing was lost. */
  get line(): string {
    if (this.#lost === 0n) return '';
    const [source = ''] = [...this.#bySource].toSorted(([, a], [, b]) => (a < b ? 1 : -1))[0] ?? [];
    const advice = ADVICE[source];
    const sources = [...this.#bySource].map(([name, count]) => `${name} ${count}`).join(', ');
    return `${this.#lost} events lost (${this.percent.toFixed(2)} %): ${sources}${advice ? ` — ${advice}` : ''}`;
  }

  /** Writes the running counter: on one line of a terminal, as lines of their own elsewhere. */
  async show(ctx: Context, final: boolean): Promise<void> {
    if (this.line === '') return;
    if (ctx.err.isTTY) await ctx.err.write(`${CLEAR_LINE}${this.line}${final ? '\n' : ''}`);
    else if (final) await ctx.err.write(`${this.line}\n`);
  }

  /** Fails when more than `limit` percent were lost. */
  check(limit: number | undefined): void {
    if (limit !== undefined && this.percent > limit) throw new SilentExit(1);
  }
}

/** Counts what passes. */
export async function* countLoss(
  batches: AsyncIterable<readonly GetFlowsResponse[]>,
  counter: LossCounter,
): AsyncGenerator<readonly GetFlowsResponse[]> {
  for await (const batch of batches) {
    for (const message of batch) counter.add(message);
    yield batch;
  }
}

/** Leaves out lost events, of which the running counter is shown instead. */
export async function* showLoss(
  batches: AsyncIterable<readonly GetFlowsResponse[]>,
  counter: LossCounter,
  ctx: Context,
): AsyncGenerator<readonly GetFlowsResponse[]> {
  for await (const batch of batches) {
    yield batch.filter((message) => !message.lost_events);
    await counter.show(ctx, false);
  }
}
