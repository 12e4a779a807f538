import { decodePolicy } from '../../agent/decode/policy.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import { isEntryList } from '../../policy/read/entries.ts';
import type { RuleLabel } from '../../policy/rule.ts';

/** A rule as the agent gives it back. */
export type HeldRule = Record<string, unknown>;

/** The rules that the agent holds; undefined of agents from 1.19 on, which do not give them back as written. */
export async function readHeldRules(ctx: Context): Promise<HeldRule[] | undefined> {
  const agent = await ctx.agent();
  const { policy } = decodePolicy(await agent.get('/policy'), 'GET /policy');
  const held = parse(policy);
  if (isEntryList(held)) return undefined;
  return Array.isArray(held) ? held.filter(isRecord) : [];
}

function parse(policy: string): unknown {
  try {
    return JSON.parse(policy || '[]');
  } catch (cause) {
    throw new UserError('GET /policy: the rules in the answer are not JSON', { cause });
  }
}

export function labelsOfRule(rule: HeldRule): RuleLabel[] {
  if (!Array.isArray(rule.labels)) return [];
  return rule.labels.filter(isRecord).map((label) => ({
    key: String(label.key ?? ''),
    value: String(label.value ?? ''),
    source: String(label.source ?? ''),
  }));
}
