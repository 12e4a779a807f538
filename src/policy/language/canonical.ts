import type { Label } from '../../model/label.ts';
import type { Rule } from '../rule.ts';

/**
 * Rules in the agent's JSON form: fields in the agent's order, without empty lists. `--print` shows them, and they are
 * sent to the agent.
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
