import { type Command, Option } from 'commander';
import { examples } from '../../cli/flags.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import {
  addRulesOption,
  addStateOptions,
  loadEngine,
  type StateFlags,
  usualState,
} from '../../cli/policy/inputs.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { DIRECTIONS } from '../../policy/evaluate/maps/compile-rule.ts';
import { coverage } from '../../policy/reports/coverage.ts';
import { renderCoverage } from '../../render/policy/coverage.ts';

interface CoverageOptions extends StateFlags {
  rules: string[];
  require?: 'ingress' | 'egress' | 'both';
  output: string;
}

/** Declares `policy coverage`. */
export function addPolicyCoverageCommand(command: Command, ctx: Context): void {
  addRulesOption(command);
  addStateOptions(command, 'agent')
    .addOption(
      new Option(
        '--require <direction>',
        'Fail where a pod is not protected, or it is not known: ingress, egress or both',
      ).choices(['ingress', 'egress', 'both']),
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'cilium policy coverage --state cluster',
        'cilium policy coverage --state cluster --require ingress',
        'cilium policy coverage --rules policies/ --state state.json',
      ),
    )
    .action((options: CoverageOptions) => runPolicyCoverage(options, ctx));
}

/** Prints which pods accept or make only the connections that rules allow. */
export async function runPolicyCoverage(options: CoverageOptions, ctx: Context): Promise<void> {
  const from = options.state ?? usualState(ctx);
  const { engine, state } = await loadEngine(ctx, { ...options, state: from });
  const pods = coverage(engine, state);
  if (pods.length === 0)
    throw new UserError(`${from} names no pods`, {
      hint: 'A state document names them: {"endpoints": [{"id": 7, "identity": 1, "pod": "shop/web"}]}.',
    });
  if (options.output) await writeStructured(ctx, options.output, pods);
  else await ctx.out.write(renderCoverage(pods));
  const { require: asked } = options;
  if (asked === undefined) return;
  const wanted = asked === 'both' ? DIRECTIONS : [asked];
  if (pods.some((pod) => wanted.some((direction) => pod[direction] !== 'enforced'))) ctx.exitCode = 1;
}
