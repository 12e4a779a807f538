import type { Context, Output } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import { parseLabel } from '../../policy/language/label.ts';
import { hasLabels } from '../../policy/read/entries.ts';
import type { RuleLabel } from '../../policy/rule.ts';
import { diffRules, renderRuleDiff } from '../../render/policy/rule-diff.ts';
import { paletteFor } from '../../render/text/palette.ts';
import { labelsOfRule, readHeldRules } from './held.ts';

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
  const before = await readHeldRules(ctx);
  if (!before)
    throw new UserError(
      'this agent does not give its rules back as they were written, so there is nothing to compare',
      {
        hint: 'For objects use --via kubernetes --dry-run, which asks the API server.',
      },
    );
  const added = Array.isArray(rules) ? rules.filter(isRecord) : [];
  const kept = before.filter((rule) => !isReplaced(labelsOfRule(rule), added.map(labelsOfRule), flags));
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
