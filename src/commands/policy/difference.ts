import { decodePolicy } from '../../agent/policy.ts';
import type { Context, Output } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { isRecord } from '../../model/record.ts';
import { hasLabels, isEntryList } from '../../policy/entries.ts';
import { parseLabel } from '../../policy/label.ts';
import type { RuleLabel } from '../../policy/rule.ts';
import { paletteFor } from '../../render/palette.ts';
import { diffRules, renderRuleDiff } from '../../render/rule-diff.ts';

interface ReplaceFlags {
  replace?: boolean;
  replaceWithLabels: string[];
}

/** Shows what an import would change in the rules that the agent holds. */
export async function showDifference(
  rules: unknown,
  flags: ReplaceFlags,
  ctx: Context,
  to: Output,
): Promise<void> {
  const agent = await ctx.agent();
  const { policy } = decodePolicy(await agent.get('/policy'), 'GET /policy');
  const held: unknown = JSON.parse(policy || '[]');
  if (isEntryList(held))
    throw new UserError(
      'this agent does not give its rules back as they were written, so there is nothing to compare',
      {
        hint: 'For objects use --via kubernetes --dry-run, which asks the API server.',
      },
    );
  const before = Array.isArray(held) ? held.filter(isRecord) : [];
  const added = Array.isArray(rules) ? rules.filter(isRecord) : [];
  const kept = before.filter((rule) => !isReplaced(labelsOf(rule), added.map(labelsOf), flags));
  const palette = paletteFor(ctx.globals.color, ctx.env, to.isTTY);
  await to.write(renderRuleDiff(diffRules(before, [...kept, ...added]), palette));
}

/** The agent's rule: with --replace a rule goes when it carries all labels of a new one; no labels replace nothing. */
function isReplaced(labels: RuleLabel[], incoming: readonly RuleLabel[][], flags: ReplaceFlags): boolean {
  const { replace, replaceWithLabels } = flags;
  if (replaceWithLabels.length > 0) {
    const wanted = replaceWithLabels.map((label) => parseLabel(label, 'any'));
    return hasLabels(labels, wanted);
  }
  return replace === true && incoming.some((wanted) => wanted.length > 0 && hasLabels(labels, wanted));
}

function labelsOf(rule: Record<string, unknown>): RuleLabel[] {
  if (!Array.isArray(rule.labels)) return [];
  return rule.labels.filter(isRecord).map((label) => ({
    key: String(label.key ?? ''),
    value: String(label.value ?? ''),
    source: String(label.source ?? ''),
  }));
}
