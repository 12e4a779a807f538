import { goJson } from './json.ts';
import type { Palette } from './palette.ts';
import { sanitize } from './sanitize.ts';

/** A rule as the agent prints it; labels name it for people. */
export type DiffRule = object;

export interface RuleDiff {
  added: DiffRule[];
  removed: DiffRule[];
  unchanged: number;
}

/** Compares two lists of rules, whatever their order. A rule that is there twice counts twice. */
export function diffRules(before: readonly DiffRule[], after: readonly DiffRule[]): RuleDiff {
  const left = new Map<string, number>();
  for (const rule of before) {
    const key = JSON.stringify(rule);
    left.set(key, (left.get(key) ?? 0) + 1);
  }
  const added: DiffRule[] = [];
  let unchanged = 0;
  for (const rule of after) {
    const key = JSON.stringify(rule);
    const count = left.get(key) ?? 0;
    if (count === 0) added.push(rule);
    else {
      unchanged++;
      left.set(key, count - 1);
    }
  }
  const removed: DiffRule[] = [];
  for (const rule of before) {
    const key = JSON.stringify(rule);
    const count = left.get(key) ?? 0;
    if (count === 0) continue;
    removed.push(rule);
    left.set(key, count - 1);
  }
  return { added, removed, unchanged };
}

/** The difference for people: every line of a removed rule begins with `-`, of an added one with `+`. */
export function renderRuleDiff({ added, removed, unchanged }: RuleDiff, palette: Palette): string {
  const lines = (rule: DiffRule, mark: string) =>
    sanitize(goJson(rule, 2))
      .split('\n')
      .map((line) => `${mark} ${line}`)
      .join('\n');
  const parts = [
    ...removed.map((rule) => palette.bad(lines(rule, '-'))),
    ...added.map((rule) => palette.good(lines(rule, '+'))),
    `${plural(added.length, 'rule')} added, ${removed.length} removed, ${unchanged} unchanged`,
  ];
  return `${parts.join('\n')}\n`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
