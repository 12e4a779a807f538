import { LogSieve, parseLogLine } from '../../cluster/log-line.ts';
import type { Context } from '../../context.ts';
import type { ComponentLog } from '../../kube/log-sources.ts';
import type { LogRecord } from '../../kube/logs.ts';
import { parseTimestamp } from '../../lib/timestamp.ts';
import type { LogLine } from '../../model/log-line.ts';
import { renderLogJson, renderLogLine } from '../../render/cluster/logs.ts';
import { type Palette, paletteFor } from '../../render/text/palette.ts';
import type { Plan } from './plan.ts';

/** A line that is wanted, as it is printed, and when it was written. */
export interface PrintedLine {
  seconds: number;
  text: string;
}

const WRITTEN_AT_ONCE = 1000;
const PLAIN: LogLine = { message: '', fields: [], form: 'plain' };

/** Makes lines of records: filtered, in the form that is asked for, behind where they are from. */
export class LogPrinter {
  #width = 0;
  /** Logs by label: two of one label are told apart by their pods. */
  readonly #labels = new Map<string, Set<string>>();
  readonly #palette: Palette;

  constructor(
    private readonly plan: Plan,
    private readonly ctx: Context,
  ) {
    this.#palette = paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY);
  }

  get #isVerbatim(): boolean {
    const { format, filter } = this.plan;
    return format === 'raw' && filter.level === undefined && filter.subsystems.length === 0;
  }

  /** Makes room for the labels of logs that are read at the same time. */
  expect(logs: readonly ComponentLog[]): void {
    for (const log of logs) {
      const base = this.#baseOf(log);
      this.#labels.set(base, (this.#labels.get(base) ?? new Set()).add(log.pod));
    }
    for (const log of logs) this.#width = Math.max(this.#width, this.labelOf(log).length);
  }

  /** A log that is over no longer needs to be told apart. */
  forget(log: ComponentLog): void {
    this.#labels.get(this.#baseOf(log))?.delete(log.pod);
  }

  /** What a log is called: its node, its component where there are several, its pod where that is not enough. */
  labelOf(log: ComponentLog): string {
    const base = this.#baseOf(log);
    // Of these a node has one; while it is replaced it is the same to the reader.
    if (log.component === 'agent' || log.component === 'envoy') return base;
    return (this.#labels.get(base)?.size ?? 0) > 1 ? `${log.node}/${log.pod}` : base;
  }

  #baseOf({ node, component }: ComponentLog): string {
    return this.plan.components.length > 1 ? `${node}/${component}` : node;
  }

  /** Says something about a log on stderr. */
  sayOf(log: ComponentLog): (text: string) => void {
    return (text) => void this.ctx.err.write(`${this.labelOf(log)}: ${text}\n`).catch(() => {});
  }

  /** What decides about the lines of one log. */
  sieve(): LogSieve {
    return new LogSieve(this.plan.filter);
  }

  /** The lines that are wanted of what came. */
  lines(log: ComponentLog, sieve: LogSieve, records: readonly LogRecord[]): PrintedLine[] {
    const lines: PrintedLine[] = [];
    for (const { time, text, omitted } of records) {
      const whole = omitted > 0 ? `${text} … (${omitted} more bytes)` : text;
      // What is neither read nor shown in another form need not be understood.
      const line = this.#isVerbatim ? PLAIN : parseLogLine(whole);
      if (!sieve.passes(line, text)) continue;
      const at = parseTimestamp(time);
      lines.push({
        seconds: at ? at.seconds + at.nanos / 1e9 : Number.NEGATIVE_INFINITY,
        text: this.#render(log, time, whole, line),
      });
    }
    return lines;
  }

  #render(log: ComponentLog, time: string, text: string, line: LogLine): string {
    const { node, pod, container } = log;
    switch (this.plan.format) {
      case 'raw':
        return `${text}\n`;
      case 'json':
        return renderLogJson({ node, pod, container }, time, line);
      case 'text': {
        const label = this.#palette.named(node, this.labelOf(log).padEnd(this.#width));
        return `${label}  ${renderLogLine(time, line, this.#palette)}`;
      }
    }
  }
}

/** Writes lines of several logs in the order of their times; those of one stay in theirs, whatever its clock does. */
export async function writeByTime(logs: readonly (readonly PrintedLine[])[], ctx: Context): Promise<void> {
  const keyed = logs.flatMap((lines) => {
    let key = Number.NEGATIVE_INFINITY;
    return lines.map(({ seconds, text }) => {
      key = Math.max(key, seconds);
      return { key, text };
    });
  });
  const texts = keyed.toSorted((a, b) => a.key - b.key).map(({ text }) => text);
  for (let i = 0; i < texts.length; i += WRITTEN_AT_ONCE)
    await ctx.out.write(texts.slice(i, i + WRITTEN_AT_ONCE).join(''));
}
