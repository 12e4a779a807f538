import { isRecord } from '../../lib/record.ts';
import { goJson } from '../text/json.ts';
import { diffLines, nearChanges } from '../text/line-diff.ts';
import type { Palette } from '../text/palette.ts';
import { sanitize } from '../text/sanitize.ts';

/** A rule as the agent prints it. */
export type DiffRule = object;

export interface RuleDiff {
  added: DiffRule[];
  removed: DiffRule[];
  /** Those that are there in both. */
  unchanged: DiffRule[];
}

/** Compares two lists of rules, whatever their order. A rule that is there twice counts twice. */
export function diffRules(before: readonly DiffRule[], after: readonly DiffRule[]): RuleDiff {
  const left = new Map<string, number>();
  for (const rule of before) {
    const key = JSON.stringify(rule);
    left.set(key, (left.get(key) ?? 0) + 1);
  }
  const added: DiffRule[] = [];
  const unchanged: DiffRule[] = [];
  for (const rule of after) {
    const key = JSON.stringify(rule);
    const count = left.get(key) ?? 0;
    if (count === 0) added.push(rule);
    else {
      unchanged.push(rule);
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

/** Lines around a change within a rule. */
const CONTEXT = 2;

/**
 * The difference as text: each rule below its kind and name, `-` in front of the lines that go and `+` of those that come. A
 * rule that replaces one with the same labels is shown as a diff of the two. Of `asked`, the rules that somebody wants, those
 * that are there already are named too.
 */
export function renderRuleDiff(
  { added, removed, unchanged }: RuleDiff,
  palette: Palette,
  asked: readonly DiffRule[] = [],
): string {
  const left = [...removed];
  const fresh: DiffRule[] = [];
  const changed: string[] = [];
  const wanted = new Set(asked.map((rule) => JSON.stringify(rule)));
  const there = new Set(unchanged.map((rule) => JSON.stringify(rule)));
  for (const rule of added) {
    const labels = labelsText(rule);
    const at = labels === undefined ? -1 : left.findIndex((old) => labelsText(old) === labels);
    const [old] = at < 0 ? [] : left.splice(at, 1);
    if (old) changed.push(changeOf(old, rule, palette));
    else fresh.push(rule);
  }
  const again = fresh.filter((rule) => there.has(JSON.stringify(rule)));
  const whole = (rule: DiffRule, mark: string, what: string, paint: (text: string) => string) =>
    [
      palette.bold(`${mark} ${nameOf(rule)}: ${what}`),
      paint(
        linesOf(rule)
          .map((line) => `${mark} ${line}`)
          .join('\n'),
      ),
    ].join('\n');
  const named = (rules: readonly DiffRule[], what: string) =>
    rules.map((rule) => palette.bold(`= ${nameOf(rule)}: ${what}`));
  const more = again.length === 0 ? '' : `, of which ${again.length} there already`;
  const parts = [
    ...named(
      unchanged.filter((rule) => wanted.has(JSON.stringify(rule)) && !isAmong(rule, again)),
      'unchanged',
    ),
    ...left.map((rule) => whole(rule, '-', 'removed', palette.bad)),
    ...changed,
    ...named(again, 'unchanged, and there twice without --replace'),
    ...fresh.filter((rule) => !again.includes(rule)).map((rule) => whole(rule, '+', 'new', palette.good)),
    `${plural(added.length, 'rule')} added${more}, ${removed.length} removed, ${unchanged.length} unchanged`,
  ];
  return `${parts.join('\n')}\n`;
}

function isAmong(rule: DiffRule, rules: readonly DiffRule[]): boolean {
  const text = JSON.stringify(rule);
  return rules.some((one) => JSON.stringify(one) === text);
}

function linesOf(rule: DiffRule): string[] {
  return sanitize(goJson(rule, 2)).split('\n');
}

function labelsText(rule: DiffRule): string | undefined {
  return 'labels' in rule && Array.isArray(rule.labels) && rule.labels.length > 0
    ? JSON.stringify(rule.labels)
    : undefined;
}

/** The diff of a rule below its name. */
function changeOf(before: DiffRule, after: DiffRule, palette: Palette): string {
  const paint = { ' ': (text: string) => text, '-': palette.bad, '+': palette.good };
  const lines = nearChanges(diffLines(linesOf(before), linesOf(after)), CONTEXT).map((line) =>
    line ? paint[line.mark](`${line.mark} ${line.text}`) : '  …',
  );
  return [palette.bold(`~ ${nameOf(after)}: changed`), ...lines].join('\n');
}

function nameOf(rule: DiffRule): string {
  const labels = 'labels' in rule && Array.isArray(rule.labels) ? rule.labels.filter(isRecord) : [];
  const of = (key: string) => labels.find((label) => label.key === `io.cilium.k8s.policy.${key}`)?.value;
  const [kind, namespace, name] = [of('derived-from'), of('namespace'), of('name')];
  if (name) return sanitize([kind, [namespace, name].filter(Boolean).join('/')].filter(Boolean).join(' '));
  const text = labels.map(({ source, key, value }) => sanitize(`${source}:${key}=${value}`)).join(',');
  return text === '' ? 'rule without labels' : `rule ${text}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
