import { parsePolicy, readPolicy } from '../../agent/decode/policy.ts';
import type { Context } from '../../context.ts';
import { isRecord } from '../../lib/record.ts';
import type { Label } from '../../model/label.ts';
import { isEntryList } from '../../policy/read/agent-entries.ts';

/** A rule as the agent returns it. */
export type AgentRule = Record<string, unknown>;

/** The agent's rules; undefined from agents from 1.19 on, which do not return them as written. */
export async function readAgentRules(ctx: Context): Promise<AgentRule[] | undefined> {
  const rules = parsePolicy((await readPolicy(await ctx.agent())).decode());
  if (isEntryList(rules)) return undefined;
  return Array.isArray(rules) ? rules.filter(isRecord) : [];
}

/** The labels of such a rule; missing parts are empty. */
export function labelsOfRule(rule: AgentRule): Label[] {
  if (!Array.isArray(rule.labels)) return [];
  return rule.labels.filter(isRecord).map((label) => ({
    key: String(label.key ?? ''),
    value: String(label.value ?? ''),
    source: String(label.source ?? ''),
  }));
}
