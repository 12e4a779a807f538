import { loadFacts, minorOf } from '../../cluster/config/facts.ts';
import { lintConfig } from '../../cluster/config/lint-documents.ts';
import type { Values } from '../../cluster/install/set-values.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { byPosition } from '../../model/finding.ts';
import { isNewer, NEWEST_RELEASE, parseRelease } from '../../model/release.ts';
import { valuesYaml } from '../../render/cluster/values.ts';
import { renderFindings } from '../../render/policy/findings.ts';
import { paletteFor } from '../../render/text/palette.ts';
import type { GivenValues } from './values.ts';

/**
 * Checks values for the release that a chart installs: findings go to stderr. Throws UserError where one is an error, unless it is
 * to be done all the same. `below` are values that count where nobody says otherwise: found out, or of the release that is upgraded.
 */
export async function checkValues(
  given: GivenValues,
  below: { from: string; values: Values },
  chartVersion: string,
  { all, what }: { all: boolean; what: string },
  ctx: Context,
): Promise<void> {
  const release = parseRelease(chartVersion);
  if (release === undefined) {
    await ctx.err.write(`Note: the values were not checked: ${chartVersion} is no version of Cilium.\n`);
    return;
  }
  const minor = minorOf(isNewer(release) ? NEWEST_RELEASE : release);
  const texts = [...given.files];
  if (Object.keys(below.values).length > 0)
    texts.unshift({ file: below.from, text: await valuesYaml(below.values) });
  if (Object.keys(given.pairs).length > 0)
    texts.push({ file: 'command line', text: await valuesYaml(given.pairs) });
  const { findings } = await lintConfig(texts, [], await loadFacts(), minor);
  for (const place of given.unread) await ctx.err.write(`Note: ${place} was not checked: helm reads it.\n`);
  if (findings.length === 0) return;
  const palette = paletteFor(ctx.globals.color, ctx.env, ctx.err.isTTY);
  await ctx.err.write(renderFindings(findings.toSorted(byPosition), palette));
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (errors > 0 && !all)
    throw new UserError(
      `${what}: the values have ${errors} error${errors === 1 ? '' : 's'} for ${release}: nothing was changed`,
      { hint: '"cilium config lint --fix" repairs files. To do it all the same: --ignore-lint' },
    );
}
