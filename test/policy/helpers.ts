import type { MapEntry } from '../../src/policy/evaluate/maps/policy-map.ts';
import type { Rule, SourcedRule } from '../../src/policy/rule.ts';

/** A rule of no particular file: position n is line n + 1. */
export function ruleOf(rule: Rule, n = 0): SourcedRule {
  const source = { file: 'rules.json', locate: () => ({ file: 'rules.json', line: n + 1, column: 1 }) };
  return { rule, origin: { kind: 'rule', name: `rule-${n}`, source, path: [n] } };
}

/** One line per entry, sorted, so that a difference reads well. */
export function entriesText(entries: readonly MapEntry[]): string[] {
  return entries
    .map(
      (e) =>
        `${e.direction} identity ${e.identity} protocol ${e.protocol} port ${e.port}/${e.prefix}${e.deny ? ' deny' : ''}${e.proxy ? ' proxy' : ''} auth ${e.auth}${e.precedence === undefined ? '' : ` precedence ${e.precedence.toString(16)}`}`,
    )
    .sort();
}
