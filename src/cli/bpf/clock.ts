import { type ClockSource, clockSourceOf, readClockSource } from '../../bpf/kernel/clock-source.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';

/** Asks the agent how the datapath stamps entries, then its runtime file; undefined when neither tells. */
async function findClockSource(ctx: Context): Promise<ClockSource | undefined> {
  try {
    const status = await (await ctx.agent()).get('/healthz', { timeoutMs: 5000 });
    const source = status['clock-source'];
    const known = clockSourceOf(source?.mode, source?.hertz);
    if (known) return known;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return readClockSource();
}

/** As findClockSource; without an answer the monotonic clock is assumed, as agents have used since 1.6, and said. */
export async function clockSourceOrDefault(ctx: Context): Promise<ClockSource> {
  const known = await findClockSource(ctx);
  if (known) return known;
  await ctx.err.write(
    'Warning: the agent does not answer, so the clock of the entries is taken to be ktime (--time-diff-clocksource-mode).\n',
  );
  return { mode: 'ktime' };
}
