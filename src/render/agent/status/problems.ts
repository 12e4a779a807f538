import { type Problem, worstOf } from '../../../model/problem.ts';
import type { Palette } from '../../text/palette.ts';
import { sanitize } from '../../text/sanitize.ts';

/** A line per problem and, below it, what to do. */
export function renderProblems(problems: readonly Problem[], palette: Palette): string {
  if (problems.length === 0) return 'No problems found.\n';
  return problems
    .map(({ level, area, subject, message, next }) => {
      const word = level === 'degraded' ? palette.bad(level) : palette.warn(level);
      const what = oneLine([area, subject, message].filter((part) => part !== '').join(': '));
      return `${word}: ${what}\n  next: ${oneLine(next)}\n`;
    })
    .join('');
}

/** The same for `-o`. */
export function problemsModel(problems: readonly Problem[]): { worst: string; problems: readonly Problem[] } {
  return { worst: worstOf(problems) ?? 'none', problems };
}

function oneLine(text: string): string {
  return sanitize(text.replace(/\s+/g, ' ').trim());
}
