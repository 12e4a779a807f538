import { readStatus } from '../../agent/decode/status.ts';
import { type ClockSource, clockSourceOf, readClockSource } from '../../bpf/kernel/clock-source.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';

/**
 * How the datapath stamps entries: as the agent says, else as it wrote down when it started. When neither tells, the
 * monotonic clock is assumed, which agents have used since 1.6, with a warning.
 */
export async function clockSourceOrDefault(ctx: Context): Promise<ClockSource> {
  let why = '';
  try {
    const status = await readStatus(await ctx.agent(), { brief: false, timeoutMs: 5000 });
    const { mode, hertz } = status.decode().clockSource ?? {};
    const known = clockSourceOf(mode, hertz);
    if (known) return known;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    why = ` (${error.message})`;
  }
  const written = readClockSource();
  if (written) return written;
  await ctx.err.write(
    `Warning: the agent does not tell the clock of the entries${why}: ktime is assumed (--time-diff-clocksource-mode).\n`,
  );
  return { mode: 'ktime' };
}
