import type { Context, Output } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import { holdsLabels, type Label, parseLabels } from '../../model/label.ts';
import { diffRules, renderRuleDiff } from '../../render/policy/rule-diff.ts';
import { paletteFor } from '../../render/text/palette.ts';
import { labelsOfRule, readAgentRules } from './agent-rules.ts';

interface ReplaceFlags {
  replace?: boolean;
  replaceWithLabels: string[];
}

/** Shows what an import would change in the agent's rules. */
export async function showDifference(
  rules: unknown,
  flags: ReplaceFlags,
  ctx: Context,
  to: Output,
): Promise<void> {
  const before = await readAgentRules(ctx);
  if (!before)
    throw new UserError(
      'this agent does not return its rules as they were written, so there is nothing to compare',
      {
        hint: 'For Kubernetes objects use --via kubernetes --dry-run, which asks the API server.',
      },
    );
  const added = Array.isArray(rules) ? rules.filter(isRecord) : [];
  const kept = before.filter((rule) => !isReplaced(labelsOfRule(rule), added.map(labelsOfRule), flags));
  const palette = paletteFor(ctx.globals.color, ctx.env, to.isTTY);
  await to.write(renderRuleDiff(diffRules(before, [...kept, ...added]), palette, added));
}

/** As the agent decides it: --replace removes a rule that has all labels of a new one; a new rule without labels replaces none. */
function isReplaced(labels: Label[], incoming: readonly Label[][], flags: ReplaceFlags): boolean {
  const { replace, replaceWithLabels } = flags;
  if (replaceWithLabels.length > 0) {
    return holdsLabels(labels, parseLabels(replaceWithLabels, 'any'));
  }
  return replace === true && incoming.some((wanted) => wanted.length > 0 && holdsLabels(labels, wanted));
}
