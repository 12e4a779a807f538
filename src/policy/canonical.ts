import type { Rule } from './rule.ts';

/**
 * Rules as the agent's JSON form has them: fields in the agent's order, empty lists left out. It is what `--print`
 * shows and what is sent to an agent.
 */
export function canonicalRules(rules: readonly Rule[]): unknown {
  return JSON.parse(JSON.stringify(rules, leaveOutEmpty));
}

function leaveOutEmpty(_: string, value: unknown): unknown {
  return Array.isArray(value) && value.length === 0 ? undefined : value;
}
