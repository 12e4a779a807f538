import type { Context } from '../../../context.ts';
import type { LineProblem } from '../../../hubble/captures/flow-lines.ts';
import { logLine } from '../log.ts';

/** Logs what was wrong with lines of a file, and forgets it. */
export async function logProblems(problems: LineProblem[], path: string, ctx: Context): Promise<void> {
  for (const { kind, message, line, number } of problems.splice(0)) {
    const text =
      kind === 'unknown-field'
        ? 'unknown field detected, upgrade the Hubble CLI to get rid of this warning'
        : 'Failed to unmarshal JSON';
    const at = `${path === '-' ? 'stdin' : path}:${number}`;
    await logLine(ctx, 'WARN', text, {
      error: message,
      at,
      ...(kind === 'bad-line' && { line: shorten(line) }),
    });
  }
}

function shorten(line: string): string {
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
