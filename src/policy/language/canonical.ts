import type { Label } from '../../model/label.ts';
import type { Rule } from '../rule.ts';

/**
 * Rules as the agent's JSON form has them: fields in the agent's order, empty lists left out. It is what `--print`
 * shows and what is sent to an agent.
 */
export function canonicalRules(rules: readonly Rule[]): unknown {
  const named = rules.map((rule) => (rule.labels ? { ...rule, labels: rule.labels.map(inOrder) } : rule));
  return JSON.parse(JSON.stringify(named, leaveOutEmpty));
}

function inOrder({ key, value, source }: Label): Partial<Label> {
  return { key, ...(value !== '' && { value }), source };
}

function leaveOutEmpty(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value;
  const isMap = name === 'matchLabels' && typeof value === 'object' && value !== null;
  return isMap && Object.keys(value).length === 0 ? undefined : value;
}
